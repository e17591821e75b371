"""How far each destination has come."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from redis import Redis

from app.cohorts.changelog import ChangeLog
from app.destinations.outbox import Outboxes
from app.destinations.position import Position, State, read_position
from app.destinations.waiting.room import LANES_WITH_ROOM, room_name, waiting_ids
from app.lanes.work import LaneKind

Shown = State | Literal["paused"]


@dataclass(frozen=True, slots=True)
class DestinationStatus:
    """Where a destination stands and how far behind it is.

    Attributes:
        cursor: the last sequence whose every record is settled.
        behind: what is not: entries of the log, or records of an outbox.
        unit: `entries` or `records`.
        lag_s: age of the oldest of these, in seconds; 0 if there is none.
        state: `ok`, `retrying`, `stopped`, or `paused`, whatever it is beside that.
        reason: why it is not `ok`, else empty.
        since_ms: since when it has this state; None while it never had another.
        tries: how often the window it is at has failed.
        delivered: records accepted so far.
        dead_lettered: records given up so far.
        advanced_ms: when the cursor last moved; None if never.
        waiting: profiles whose updates wait for a link; the cursor has passed these updates.
        with_project: whether it is paused because the whole project is.
    """

    cursor: int
    behind: int
    unit: str
    lag_s: float
    state: Shown
    reason: str
    since_ms: int | None
    tries: int
    delivered: int
    dead_lettered: int
    advanced_ms: int | None
    waiting: int = 0
    with_project: bool = False


class DestinationStatuses:
    """Read how a project's destinations stand."""

    def __init__(
        self, redis: Redis, changelog: ChangeLog, outboxes: Outboxes, now: Callable[[], float] = time.time
    ) -> None:
        self._redis = redis
        self._changelog = changelog
        self._outboxes = outboxes
        self._now = now

    def status(self, project_id: str, lane: LaneKind) -> DestinationStatus:
        """Read where the destination of this lane stands."""
        position = read_position(self._redis, project_id, lane.name)
        behind, oldest_ms = self._behind(project_id, lane, position)
        if lane.name in LANES_WITH_ROOM:
            room = read_position(self._redis, project_id, room_name(lane.name))
            position = _together(position, room)
        paused = position.paused
        return DestinationStatus(
            cursor=position.cursor,
            behind=behind,
            unit="records" if lane.outbox else "entries",
            lag_s=0.0 if oldest_ms is None else max(0.0, self._now() - oldest_ms / 1000),
            state="paused" if paused else position.state,
            reason=paused.sentence if paused else position.reason,
            since_ms=(paused.since_ms if paused else position.since_ms) or None,
            tries=position.tries,
            delivered=position.delivered,
            dead_lettered=position.dead_lettered,
            advanced_ms=position.advanced_ms or None,
            waiting=waiting_ids(self._redis, project_id, lane.name),
            with_project=position.with_project,
        )

    def waiting(self, project_id: str, lane: str) -> int:
        """Count the profiles whose updates in this lane wait for a link."""
        return waiting_ids(self._redis, project_id, lane)

    def _behind(self, project_id: str, lane: LaneKind, position: Position) -> tuple[int, int | None]:
        """Return how much is not yet settled, and when (ms) the oldest of it came; None if there is none."""
        if lane.outbox:
            depth = self._outboxes.depth(project_id, lane.outbox)
            return depth.records, depth.oldest_ms
        behind = max(0, self._changelog.end(project_id) - position.cursor)
        return behind, self._changelog.oldest_behind(project_id, position.cursor)


def _together(position: Position, room: Position) -> Position:
    """Count what left the lane's waiting room, too, and say it if that is what the lane is stuck with."""
    worse = room if position.state == "ok" else position
    return replace(
        position,
        state=worse.state,
        reason=worse.reason,
        since_ms=worse.since_ms,
        tries=worse.tries,
        delivered=position.delivered + room.delivered,
        dead_lettered=position.dead_lettered + room.dead_lettered,
    )
