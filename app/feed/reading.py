"""Read the log as events, from any position, for any number of subscribers."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any, cast

from redis import Redis

from app.feed.blocks import Blocks, Scan
from app.feed.event import Event
from app.feed.filter import EVERYTHING, EventFilter
from app.feed.gaps import Gap
from app.feed.merging import LARGEST_BATCH, events_of
from app.feed.position import BEGINNING, Position
from app.store import keys


@dataclass(frozen=True, slots=True)
class Window:
    """What a call read.

    Attributes:
        events: in order.
        after: the place behind them and behind what the filter left out. To be kept, and to go on from.
        more: whether there is something behind it by now.
    """

    events: tuple[Event, ...]
    after: Position
    more: bool


class Feed:
    """The log as events.

    Args:
        redis: where.
        now: seconds since the epoch, for gaps.
    """

    def __init__(self, redis: Redis, now: Callable[[], float] = time.time) -> None:
        self._redis = redis
        self._blocks = Blocks(redis)
        self._ends: dict[str, tuple[Position, int]] = {}
        self._now = now

    def end(self, project_id: str) -> Position:
        """Return the place behind everything so far: where a subscriber begins that wants what comes now."""
        names = ("generation", "sequence", "dropped")
        generation, sequence, dropped = cast(
            "list[bytes | None]", self._redis.hmget(keys.log_meta(project_id), names)
        )
        end = Position(generation.decode(), int(sequence or 0)) if generation else BEGINNING
        gone = int(dropped or 0)
        known, known_gone = self._ends.get(project_id, (BEGINNING, gone))
        if end.is_before(known) or gone != known_gone:
            # Redis lost what was read: other entries will stand there. Or an erasure took entries out.
            self._blocks.forget(project_id)
        self._ends[project_id] = (end, gone)
        return end

    def oldest(self, project_id: str) -> Position:
        """Return the place before everything that is still there."""
        end = self.end(project_id)
        found = cast("list[tuple[bytes, Any]]", self._redis.xrange(keys.log(project_id), count=1))
        if not found:
            return end
        return Position(end.generation, int(found[0][0].split(b"-")[0]) - 1)

    def read(
        self,
        project_id: str,
        after: Position,
        chosen: EventFilter = EVERYTHING,
        *,
        batch: int = LARGEST_BATCH,
        max_events: int = 100,
        upto: Position | None = None,
        end: Position | None = None,
    ) -> Window:
        """Return the events behind a position; none if there are none, or only such as are not wanted.

        Args:
            project_id: whose log.
            after: where the subscriber stands: an event's `after`, a window's, an id, a snapshot's position.
            chosen: what it wants.
            batch: members in an event at most, 1 to 1,000.
            max_events: how many at most.
            upto: a position not to go beyond: with the `after` of an event, and the batch and filter as they
                were, that very event comes again, whatever the log has got since.
            end: the log's end, if the caller has just looked (`end()`); saves a command.
        """
        if end is None or end.is_before(after) or not after.is_of(end.generation):
            end = self.end(project_id)
        if end == BEGINNING:
            return Window((), after, more=False)
        last = upto if upto is not None and upto.is_before(end) else end
        lost = self._lost_before(project_id, after, end)
        begin = lost[0].after if lost else Position(end.generation, after.sequence, after.part)
        scan = Scan(self._blocks, project_id, begin, last)
        told = events_of(project_id, scan.entries(), begin, chosen, batch=batch, upto=upto)
        events: list[Event] = []
        for event in chain(lost, told, self._lost_behind(project_id, scan)):
            events.append(event)
            if len(events) >= max_events:
                return Window(tuple(events), event.after, event.after.is_before(last))
        return Window(tuple(events), scan.after, scan.after.is_before(last))

    def _lost_before(self, project_id: str, after: Position, end: Position) -> list[Event]:
        """Tell that the log does not go on from a position: another one has begun, or it lost its end."""
        behind = end.sequence + 1
        if not after.is_of(end.generation):
            lost = Gap(after.next, None, "new_generation", end.generation, of=after.generation)
        elif after.next > behind:
            lost = Gap(behind, after.sequence, "rewound", end.generation, behind=behind)
        else:
            return []
        return [lost.event(project_id, self._now_ms())]

    def _lost_behind(self, project_id: str, scan: Scan) -> Iterator[Event]:
        """Tell of what is missing behind the last entry that was found."""
        if scan.expected <= scan.looked_at:
            lost = Gap(scan.expected, scan.looked_at, "trimmed", scan.generation)
            yield lost.event(project_id, self._now_ms())

    def _now_ms(self) -> int:
        return int(self._now() * 1000)
