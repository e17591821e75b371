"""Skip or rewind a destination's cursor: look first, then do exactly what was looked at.

It is done to a lane that is paused, as its holder (`app.lanes.taking`), so nothing else moves the cursor
meanwhile, and no worker that wakes up undoes it. What confirms it stands for the very state that was looked
at: cursor, window and waiting room.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, cast

from redis import Redis
from structlog.stdlib import get_logger

from app.cohorts.changelog import ChangeLog
from app.destinations.identity.links import Link
from app.destinations.identity.pending import PendingLinks
from app.destinations.moving.counting import Counted
from app.destinations.moving.meaning import meaning
from app.destinations.moving.preview import Bounds, Preview
from app.destinations.outbox import Command, Outboxes, Submission
from app.destinations.position import read_position
from app.destinations.source import WINDOW
from app.destinations.waiting.room import room_name, waiting_ids
from app.lanes.lanes import HeldLane, LaneLost, Lanes
from app.lanes.outcome import Outcome
from app.lanes.taking import Taking
from app.lanes.work import LaneKind, OutboxName
from app.store import keys, scripts
from config.projects import Project

COUNTED_AT_MOST: Final = 10_000
COUNTED_FOR_S: Final = 5.0
_DROPPED_AT_ONCE: Final = 32
"""Submissions: of a megabyte each, as much as a window may have."""
log = get_logger(__name__)


class OutOfRangeError(Exception):
    """The cursor cannot be put there. `bounds` say where it can."""

    def __init__(self, bounds: Bounds) -> None:
        super().__init__(f"between {bounds.earliest} and {bounds.latest}, and not at {bounds.cursor}")
        self.bounds = bounds


class OutdatedError(Exception):
    """The state is not the one that was looked at."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A cursor was put from one place to another."""

    before: int
    to: int


class Cursors:
    """Look at cursors and put them elsewhere.

    Args:
        redis: where they stand.
        lanes: which they are of.
        changelog: what some of them read.
        outboxes: what the others read.
        pending: the index of links that wait, which forgets those that are skipped.
    """

    def __init__(
        self, redis: Redis, lanes: Lanes, changelog: ChangeLog, outboxes: Outboxes, pending: PendingLinks
    ) -> None:
        self._redis = redis
        self._lanes = lanes
        self._changelog = changelog
        self._outboxes = outboxes
        self._pending = pending
        self._taking = Taking(redis, lanes)
        self._jump = scripts.load(redis, "destinations/scripts/jump.lua")

    def bounds(self, project: Project, lane: LaneKind) -> Bounds:
        """Read where a cursor stands, and where it can be put."""
        position = read_position(self._redis, project.id, lane.name)
        window_end = position.window.end if position.window else 0
        generation = self._redis.hget(keys.log_meta(project.id), "generation")
        room = self._redis.hget(keys.waiting_meta(project.id, lane.name), "sequence")
        mark = f"{cast('Any', generation)}/{window_end}/{cast('Any', room)}"
        if lane.outbox:
            earliest, latest = position.cursor, self._outboxes.end(project.id, lane.outbox)
        else:
            latest = self._changelog.end(project.id)
            earliest = self._first(project.id, latest + 1) - 1
        return Bounds(project.id, lane.name, position.cursor, earliest, latest, window_end, mark)

    def preview(self, project: Project, lane: LaneKind, to: int) -> Preview:
        """Say what it would mean to put the cursor at `to`; nothing is done.

        Raises:
            OutOfRangeError: it cannot be put there, or stands there.
        """
        bounds = self._checked(project, lane, to)
        first, last = sorted((bounds.cursor, to))
        counted = self._count(project, lane, first, last)
        begun = max(0, bounds.window_end - max(to, bounds.cursor))
        waiting = waiting_ids(self._redis, project.id, lane.name)
        return Preview(
            bounds=bounds,
            to=to,
            unit="submissions" if lane.outbox else "entries",
            entries=last - first,
            counted=counted.entries,
            changes=dict(counted.changes),
            records=counted.records,
            operations=dict(counted.operations),
            twice={} if to > bounds.cursor else dict(counted.twice),
            begun=begun,
            waiting=waiting,
            means=meaning(lane, bounds, to, counted, begun=begun, waiting=waiting),
            confirmation=bounds.confirmation(to),
        )

    def move(self, project: Project, lane: LaneKind, to: int, confirmation: str) -> Moved:
        """Put the cursor at `to`.

        Args:
            project: whose.
            lane: of which destination; it or the project must be paused.
            to: the place.
            confirmation: of the preview.

        Raises:
            NotPausedError, LaneBusyError: as of `Taking.take`.
            OutOfRangeError: it cannot be put there.
            OutdatedError: the state has changed since the preview.
            LaneLost: it took so long that the lane was taken over; what was done stays.
        """
        paused_by = [keys.destination(project.id, lane.name), keys.held(project.id)]
        held = self._taking.take(project.id, lane.name, paused_by)
        try:
            bounds = self._checked(project, lane, to)
            if bounds.confirmation(to) != confirmation:
                raise OutdatedError
            if lane.outbox:
                self._drop(held, lane.outbox, bounds, to)
            else:
                self._put(held, bounds.cursor, to)
                self._changelog.trim(project.id)
        finally:
            self._lanes.finish(held, Outcome.stopped("paused"))
        log.warning(
            "cursor_moved",
            project_id=project.id,
            destination=lane.name,
            cursor_before=bounds.cursor,
            cursor=to,
        )
        return Moved(bounds.cursor, to)

    def _checked(self, project: Project, lane: LaneKind, to: int) -> Bounds:
        bounds = self.bounds(project, lane)
        lowest = bounds.earliest if to < bounds.cursor else bounds.cursor + 1
        if not lowest <= to <= bounds.latest or to == bounds.cursor:
            raise OutOfRangeError(bounds)
        return bounds

    def _first(self, project_id: str, otherwise: int) -> int:
        """Return the first sequence that the log still has."""
        found = cast("list[tuple[bytes, Any]]", self._redis.xrange(keys.log(project_id), count=1))
        return int(found[0][0].split(b"-")[0]) if found else otherwise

    def _count(self, project: Project, lane: LaneKind, after: int, last: int) -> Counted:
        """Look at what lies between two places, as far as it takes no longer than some seconds."""
        counted = Counted()
        if lane.outbox:
            for submission in self._submissions(project.id, lane.outbox, after, last):
                counted.submission(lane.name, submission)
            return counted
        until_s, rule_sets = time.monotonic() + COUNTED_FOR_S, self._changelog.rule_sets
        while after < last and counted.entries < COUNTED_AT_MOST and time.monotonic() < until_s:
            entries = self._changelog.read(project.id, after, WINDOW, last)
            if not entries:
                break
            for entry in entries:
                olds = {digest: rule_sets.find(project.id, digest) for digest, _ in entry.old_rules}
                others = {digest: rules for digest, rules in olds.items() if rules is not None}
                rules = rule_sets.of(project, entry.rules)
                counted.entry(project.id, lane.name, entry, rules, others)
            after = entries[-1].sequence
        return counted

    def _submissions(self, project_id: str, name: OutboxName, after: int, last: int) -> Iterator[Submission]:
        while some := self._some(project_id, name, after, last):
            yield from some
            after = some[-1].sequence

    def _some(self, project_id: str, name: OutboxName, after: int, last: int) -> list[Submission]:
        """Give the next submissions, no more than one script may drop."""
        if after >= last:
            return []
        return self._outboxes.read(project_id, name, after, WINDOW, last=min(last, after + _DROPPED_AT_ONCE))

    def _drop(self, held: HeldLane, name: OutboxName, bounds: Bounds, to: int) -> None:
        """Drop submissions, some at a time; a window that was begun goes whole, as when it is delivered."""
        project_id, after = held.project_id, bounds.cursor
        while after < to:
            held.keep()
            if after < bounds.window_end <= to:
                some = self._outboxes.read(project_id, name, after, WINDOW, last=bounds.window_end)
            else:
                some = self._some(project_id, name, after, to)
            end = some[-1].sequence if some else min(to, after + _DROPPED_AT_ONCE)
            if name == "identity":
                self._release(held, some, end)
            self._put(held, after, end, self._outboxes.dropping(project_id, name, some) if some else [])
            after = end

    def _release(self, held: HeldLane, submissions: list[Submission], end: int) -> None:
        """Let nobody wait for links that will not be made; indexed first, so that nobody does it later."""
        self._pending.catch_up(held.project_id, end)
        links = (Link.from_json(record) for each in submissions for record in each.records)
        self._pending.release(held, {node for link in links for node in link.nodes}, end)

    def _put(self, held: HeldLane, before: int, to: int, also: list[Command] | None = None) -> None:
        project_id = held.project_id
        room = room_name(held.name)
        names = [
            held.key,
            keys.destination(project_id, held.name),
            keys.destination_accepted(project_id, held.name),
            keys.destination(project_id, room),
            keys.waiting_meta(project_id, held.name),
            keys.log(project_id),
        ]
        args: list[str | int] = [held.token, before, to, int(to < before)]
        for key, command, rest in also or ():
            names.append(key)
            args += [len(names), len(rest), command, *rest]
        done = cast("int", self._jump(keys=names, args=args))
        if done < 0:
            raise OutdatedError
        if not done:
            raise LaneLost(held.name)
