"""`/events`, `/events/top`, `/events/names`: how often events happened.

Source: https://developer.mixpanel.com/reference/list-recent-events and its neighbours, and the published
OpenAPI description. "Top" is today, against yesterday at the end of the day; "names" are those of the last 31
days, the most common ones, shown in descending alphabetical order as described.
"""

from datetime import date, timedelta

from app.sandbox.api.answers import Answer
from app.sandbox.api.desk.asked import Asked, MistakeError
from app.sandbox.api.desk.operation import said
from app.sandbox.api.reports.counting import KINDS, Kind, Seen, shown, table
from app.sandbox.api.reports.reading import EventReader, buckets_of, days_or_interval

LATELY_DAYS = 31
MOST = 10_000


def kind_of(asked: Asked) -> Kind:
    """Return the way of counting that a request must ask for."""
    return KINDS[KINDS.index(asked.one_of("type", KINDS))]


class EventCounts:
    """Answers the three."""

    def __init__(self, reader: EventReader) -> None:
        self._reader = reader

    def aggregate(self, asked: Asked) -> Answer:
        """Count some events over time."""
        names, kind = asked.names("event"), kind_of(asked)
        buckets = buckets_of(asked, days_or_interval(asked), default=None)
        if kind != "general" and buckets.unit in {"minute", "hour"}:
            raise MistakeError("unit: there are no hourly uniques; day, week or month")
        seen = [
            Seen(one.event, buckets.label(one.time_ms), one.distinct_id)
            for one in self._reader.between(names, buckets.first, buckets.last)
        ]
        counted = table(seen, buckets.labels, kind)
        return shown(counted, buckets.labels, asked.one_of("format", ("json", "csv"), "json"))

    def top(self, asked: Asked) -> Answer:
        """Show today's most common events, and how that differs from yesterday."""
        kind, most = kind_of(asked), asked.whole("limit", 100, MOST)
        yesterday = self._on(asked.today - timedelta(days=1), kind)
        today = self._on(asked.today, kind)
        order = sorted(today, key=lambda name: (-today[name], name))
        rows = [
            {
                "amount": round(today[name]),
                "event": name,
                "percent_change": _change(yesterday.get(name, 0), today[name]),
            }
            for name in order[:most]
        ]
        return said({"events": rows, "type": kind})

    def names(self, asked: Asked) -> Answer:
        """Name the most common events of the last 31 days."""
        kind, most = kind_of(asked), asked.whole("limit", 255, MOST)
        counted = self._counted(asked.today - timedelta(days=LATELY_DAYS - 1), asked.today, kind)
        common = sorted(counted, key=lambda name: (-counted[name], name))[:most]
        return said(sorted(common, reverse=True))

    def _on(self, day: date, kind: Kind) -> dict[str, float]:
        return self._counted(day, day, kind)

    def _counted(self, first: date, last: date, kind: Kind) -> dict[str, float]:
        seen = [Seen(one.event, "all", one.distinct_id) for one in self._reader.between([], first, last)]
        return {name: row["all"] for name, row in table(seen, ["all"], kind).items()}


def _change(before: float, now: float) -> float:
    """Return the change in parts of what was before; 1 if there was nothing."""
    return (now - before) / before if before else 1.0
