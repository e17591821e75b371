"""`/retention` and `/retention/addiction`: who comes back, and how often.

Source: https://developer.mixpanel.com/reference/retention-query, /retention-frequency-query and the published
OpenAPI description. Of `interval_count` it says that the "0th" interval is included: so one more is answered.
Whoever did the first event ("birth") counts on the day of their first one in the time asked for; "compounded"
counts them on every day on which they did the event. `on` is refused, as what it answers is not described.
"""

from calendar import monthrange
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from app.sandbox.api.answers import Answer
from app.sandbox.api.desk.asked import Asked, MistakeError
from app.sandbox.api.desk.operation import said
from app.sandbox.api.reports.buckets import Buckets
from app.sandbox.api.reports.reading import EventReader, buckets_of

UNITS = ("day", "week", "month")
UNIT_DAYS = {"day": 1, "week": 7, "month": 30}
MOST_INTERVALS = 400
HOURS = 24
Moments = Mapping[str, Sequence[int]]  # ms by person, in order


class Retention:
    """Answers both."""

    def __init__(self, reader: EventReader) -> None:
        self._reader = reader

    def retention(self, asked: Asked) -> Answer:
        """Count who did an event, and who of them came back in each interval after."""
        _refuse_on(asked)
        days = asked.days()
        unit = asked.one_of("unit", UNITS, "day")
        interval = asked.whole("interval", 1, 90)
        count = asked.whole("interval_count", 1, MOST_INTERVALS) + 1
        span = timedelta(days=UNIT_DAYS[unit] * interval)
        born, back = self._both(asked, days, span * count)
        buckets = buckets_of(asked, days, UNITS, every_days=interval if unit == "day" else 1)
        unbounded = asked.flag("unbounded_retention")
        rows = {
            label: _row(people, back, (int(span.total_seconds() * 1000), count), unbounded=unbounded)
            for label, people in _starts(born, buckets, every=_compounded(asked)).items()
        }
        return said(rows)

    def addiction(self, asked: Asked) -> Answer:
        """Count, by stretch, in how many hours or days people did an event: one, two, three or more, ..."""
        _refuse_on(asked)
        buckets = buckets_of(asked, asked.days(), UNITS, default=None)
        finer = asked.one_of("addiction_unit", ("hour", "day"))
        inner = Buckets(finer, buckets.first, buckets.last)
        names = [asked.needed("event")] if asked.text("event") else []
        done: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for one in self._reader.between(names, buckets.first, buckets.last, asked.text("where")):
            done[buckets.label(one.time_ms)][one.distinct_id].add(inner.label(one.time_ms))
        data = {
            label: _at_least(
                [len(parts) for parts in done[label].values()], _parts(label, buckets.unit, finer)
            )
            for label in buckets.labels
        }
        return said({"data": data})

    def _both(self, asked: Asked, days: tuple[date, date], until: timedelta) -> tuple[Moments, Moments]:
        """Return who did the first event, and who did the event that counts as coming back."""
        first, last = days
        names = [asked.needed("event")] if asked.text("event") else []
        back = self._moments(names, first, last + until, asked.text("where"))
        if _compounded(asked):
            return self._moments(names, first, last, asked.text("where")), back
        return self._moments([asked.needed("born_event")], first, last, asked.text("born_where")), back

    def _moments(self, names: Sequence[str], first: date, last: date, where: str | None) -> Moments:
        found: dict[str, list[int]] = defaultdict(list)
        for one in self._reader.between(names, first, last, where):
            found[one.distinct_id].append(one.time_ms)
        return found


def _refuse_on(asked: Asked) -> None:
    if asked.text("on"):
        raise MistakeError("on: this sandbox does not segment retention")


def _compounded(asked: Asked) -> bool:
    return asked.one_of("retention_type", ("birth", "compounded"), "birth") == "compounded"


def _starts(born: Moments, buckets: Buckets, *, every: bool) -> dict[str, dict[str, int]]:
    """Return, by stretch, who began then, and when."""
    found: dict[str, dict[str, int]] = {label: {} for label in buckets.labels}
    for person, moments in born.items():
        for moment in moments if every else moments[:1]:
            found[buckets.label(moment)].setdefault(person, moment)
    return found


def _row(
    people: Mapping[str, int], back: Moments, intervals: tuple[int, int], *, unbounded: bool
) -> dict[str, object]:
    span_ms, count = intervals
    counts = [0] * count
    for person, start in people.items():
        places = {(moment - start) // span_ms for moment in back.get(person, ()) if moment > start}
        reached = {at for at in places if at < count}
        if unbounded and reached:
            reached = set(range(max(reached) + 1))
        for at in reached:
            counts[at] += 1
    return {"counts": counts, "first": len(people)}


def _at_least(done: Sequence[int], parts: int) -> list[int]:
    return [sum(1 for one in done if one > at) for at in range(parts)]


def _parts(label: str, unit: str, finer: str) -> int:
    """Return how many hours or days a stretch has."""
    begin = datetime.strptime(label, "%Y-%m-%d")  # noqa: DTZ007 -- a day's name; no moment
    days = {"day": 1, "week": 7, "month": monthrange(begin.year, begin.month)[1]}[unit]
    return days * HOURS if finer == "hour" else days
