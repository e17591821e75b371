"""Read the events that a report is about."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

from app.sandbox.api.desk.asked import Asked, MistakeError, end_ms, start_ms
from app.sandbox.api.reports.buckets import UNITS, Buckets, TooManyBucketsError
from app.sandbox.expressions.reading import Scope, read_condition
from app.sandbox.store.events import Events, Selection, StoredEvent

SHOWN_ALL = -1  # SQLite: no limit


def scope_of(event: StoredEvent) -> Scope:
    """Return what an expression about an event may name."""
    known: dict[str, Any] = {
        "time": event.time_ms // 1000,
        "distinct_id": event.distinct_id,
        "$insert_id": event.insert_id,
    }
    return {"properties": event.properties | known}


class EventReader:
    """Reads events, each once, under the people's canonical ids."""

    def __init__(self, events: Events) -> None:
        self._events = events

    def between(
        self, names: Sequence[str], first: date, last: date, where: str | None = None
    ) -> Iterator[StoredEvent]:
        """Yield the events of some names (none given: all) from one day to another, in the order of time.

        Raises:
            ExpressionError: `where` cannot be evaluated here.
        """
        holds = read_condition(where)
        selection = Selection(names=names, from_ms=start_ms(first), before_ms=end_ms(last))
        return self._that(selection, lambda event: holds(scope_of(event)))

    def of_person(self, person: str, first: date, last: date) -> list[StoredEvent]:
        """Return one person's events."""
        selection = Selection(person=person, from_ms=start_ms(first), before_ms=end_ms(last))
        return self._events.read(selection, "time", SHOWN_ALL)

    def _that(self, selection: Selection, holds: Any) -> Iterator[StoredEvent]:
        return (one for one in self._events.read(selection, "time", SHOWN_ALL) if holds(one))


def buckets_of(
    asked: Asked,
    days: tuple[date, date],
    units: Sequence[str] = UNITS,
    default: str | None = "day",
    every_days: int = 1,
) -> Buckets:
    """Return the stretches that a request asks for with `unit`."""
    unit = asked.one_of("unit", units, default)
    try:
        return Buckets(unit, *days, every_days=every_days)
    except TooManyBucketsError as err:
        raise MistakeError("from_date and to_date lie too far apart for this unit") from err


def days_or_interval(asked: Asked) -> tuple[date, date]:
    """Return the days that a request asks for: from and to, or the last `interval` units."""
    if asked.text("interval") is None or asked.text("from_date") is not None:
        return asked.days()
    units = asked.whole("interval", 1, 10_000) - 1
    unit = asked.one_of("unit", UNITS)
    back = {"minute": 0, "hour": units // 24 + (units % 24 > 0), "day": units, "week": 7 * units}
    return asked.today - timedelta(days=back.get(unit, 30 * units)), asked.today
