"""What a project has still to do before all that it took in is delivered, and what that waits for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from redis import Redis

from app.cohorts.applying.replaying import BUSY_LOOK_MS
from app.cohorts.inbox import Inbox
from app.destinations.held import ProjectHeld, read_held
from app.destinations.outbox import Outboxes
from app.destinations.status import DestinationStatus, DestinationStatuses
from app.destinations.waiting.room import LANES_WITH_ROOM
from app.lanes.work import LaneKind, lanes_of
from app.store import keys
from config.projects import Project

_PAGE: Final = 1_000
_ENTRY: Final = 250
_HOLDING_UP: Final = frozenset({"paused", "stopped"})


@dataclass(frozen=True, slots=True)
class Remaining:
    """What is to be done, as it was at one time.

    Attributes:
        pages: that wait in the inbox.
        entries: of the log, that the slowest of its readers has before it.
        records: that services submitted, and links that rules caused.
        waiting: profiles whose updates wait for a link.
        cohorts: in which something goes on without a page: a rename, a replay.
        resyncs: under way. A reconcile may go on for days, so nobody waits for them.
        held_up: why it does not end by itself, by destination: paused or stopped, with something to do.
    """

    pages: int
    entries: int
    records: int
    waiting: int
    cohorts: int
    resyncs: int
    held_up: Mapping[str, str]

    @property
    def nothing(self) -> bool:
        """Whether all is delivered, as far as it can be known in one look."""
        return not (self.pages or self.entries or self.records or self.waiting or self.cohorts)

    @property
    def changes(self) -> int:
        """About how many changes that is: by it progress is measured."""
        return self.pages * _PAGE + (self.entries + self.cohorts) * _ENTRY + self.records + self.waiting


@dataclass(frozen=True, slots=True)
class Standing:
    """How a project is held, and what it has to do.

    Attributes:
        held: by whom.
        destinations: how each stands; of outboxes those that were used.
        remaining: what is to be done.
        eta_s: seconds until all is delivered, at the pace since accepting was stopped; None where that is not
            known: accepting goes on, or less and less is not what it becomes.
    """

    held: ProjectHeld
    destinations: Mapping[str, DestinationStatus]
    remaining: Remaining
    eta_s: float | None


class Standings:
    """Read how projects stand.

    Args:
        redis: where.
        inbox, outboxes: what waits.
        destinations: how far each is.
    """

    def __init__(
        self, redis: Redis, inbox: Inbox, outboxes: Outboxes, destinations: DestinationStatuses
    ) -> None:
        self._redis = redis
        self._inbox = inbox
        self._outboxes = outboxes
        self._destinations = destinations

    def read(self, project: Project) -> Standing:
        """Read how a project stands."""
        held = read_held(self._redis, project.id)
        now_s, now_us = self._redis.time()
        now_ms = now_s * 1000 + now_us // 1000
        # In the order in which work goes, so that none is missed that goes on meanwhile.
        pages = self._inbox.depth(project.id)["pages"]
        # A walk that gives way to live changes for a moment is due again after that.
        cohorts = self._redis.zcount(keys.due(project.id), "-inf", now_ms + BUSY_LOOK_MS)
        of_log = self._statuses(project, lambda lane: lane.source == "log")
        of_outboxes = self._statuses(project, lambda lane: lane.source == "outbox")
        destinations = {**of_log, **of_outboxes}
        rooms = [self._destinations.waiting(project.id, name) for name in sorted(LANES_WITH_ROOM)]
        remaining = Remaining(
            pages=pages,
            entries=max((each.behind for each in of_log.values()), default=0),
            records=sum(each.behind for each in of_outboxes.values()),
            waiting=sum(rooms),
            cohorts=cohorts,
            resyncs=self._redis.hlen(keys.resyncs_open(project.id)),
            held_up={
                name: each.reason if each.state == "paused" else f"stopped: {each.reason}"
                for name, each in destinations.items()
                if each.state in _HOLDING_UP and (each.behind or each.waiting)
            },
        )
        return Standing(held, destinations, remaining, eta_s(held, remaining.changes, now_ms))

    def one(self, project_id: str, lane: LaneKind) -> DestinationStatus:
        """Read how one destination stands."""
        return self._destinations.status(project_id, lane)

    def _statuses(self, project: Project, wanted: Callable[[LaneKind], bool]) -> dict[str, DestinationStatus]:
        return {
            lane.name: self._destinations.status(project.id, lane)
            for lane in lanes_of(project)
            if wanted(lane) and (lane.outbox is None or self._outboxes.end(project.id, lane.outbox) > 0)
        }


def eta_s(held: ProjectHeld, left: int, now_ms: int) -> float | None:
    """Return how long it takes until all is delivered, at the pace since accepting was stopped."""
    if held.closed is None or not left:
        return None if held.closed is None else 0.0
    done = held.left - left
    passed_s = (now_ms - held.closed.since_ms) / 1000
    return left * passed_s / done if done > 0 and passed_s > 0 else None
