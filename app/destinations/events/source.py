"""The events destination's windows of the change log, and their plans."""

import time
from collections.abc import Callable, Iterable, Iterator

import orjson

from app.cohorts.changelog import ChangeLog, Entry
from app.destinations.events.plan import plan
from app.destinations.plan import Plan
from app.destinations.source import Delivery, Keep, LogSource, kept
from config.projects import Project


class EventsSource(LogSource):
    """Turn windows of the log into events.

    Args:
        changelog: the log.
        now: seconds since 1970.
    """

    def __init__(self, changelog: ChangeLog, *, now: Callable[[], float] = time.time) -> None:
        super().__init__(changelog)
        self._now = now

    def plan(self, project: Project, delivery: Delivery[Entry], keep: Keep = kept) -> tuple[Plan, bytes]:
        """Plan a window; it rests on when it was begun, so that every try judges an event's time alike."""
        known = delivery.known or orjson.dumps({"now_ms": int(self._now() * 1000)})
        now_ms = orjson.loads(known)["now_ms"]
        return plan(project, _keeping(delivery.entries, keep), delivery.rules, now_ms), known


def _keeping(entries: Iterable[Entry], keep: Keep) -> Iterator[Entry]:
    for entry in entries:
        keep()
        yield entry
