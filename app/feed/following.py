"""Follow a project's log: events as they come, and a beat where none do."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import Lock
from typing import Final

from app.feed.event import Event
from app.feed.filter import EventFilter
from app.feed.position import Position
from app.feed.reading import Feed

LOOKS_S: Final = 0.25
"""Between two looks at whether the log has become longer."""
BEATS_S: Final = 15.0
EVENTS_A_READ: Final = 50


@dataclass(frozen=True, slots=True)
class Beat:
    """Nothing wanted came for a while; everything up to here was looked at."""

    after: Position


class Ends:
    """The ends of logs, looked up once for all who follow a project.

    Args:
        feed: knows them.
        clock: seconds.
    """

    def __init__(self, feed: Feed, clock: Callable[[], float] = time.monotonic) -> None:
        self._feed = feed
        self._clock = clock
        self._known: dict[str, tuple[float, Position]] = {}
        self._lock = Lock()

    def of(self, project_id: str) -> Position:
        """Return a log's end as of a moment ago."""
        with self._lock:
            seen = self._known.get(project_id)
            if seen is None or self._clock() - seen[0] >= LOOKS_S:
                seen = self._known[project_id] = (self._clock(), self._feed.end(project_id))
            return seen[1]


def follow(
    feed: Feed,
    ends: Ends,
    project_id: str,
    start: Position,
    chosen: EventFilter,
    *,
    batch: int,
    goes_on: Callable[[], bool],
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Event | Beat]:
    """Yield events behind a position for as long as it goes on.

    Nothing is read ahead: who takes slowly is read for slowly, and holds nothing in memory.

    Args:
        feed: reads.
        ends: says when there is something to read.
        project_id: whose log.
        start: behind which.
        chosen: what is wanted.
        batch: members in an event at most.
        goes_on: asked between events, and with every look.
        sleep: waits some seconds.
    """
    after, told_s = start, time.monotonic()
    while goes_on():
        end = ends.of(project_id)
        if end != after:
            window = feed.read(project_id, after, chosen, batch=batch, max_events=EVENTS_A_READ, end=end)
            for event in window.events:
                yield event
                told_s = time.monotonic()
                if not goes_on():
                    return
            after = window.after
            if window.more:
                continue
        if time.monotonic() - told_s >= BEATS_S:
            yield Beat(after)
            told_s = time.monotonic()
        sleep(LOOKS_S)
