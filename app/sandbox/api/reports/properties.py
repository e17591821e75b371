"""`/events/properties`, and `/top` and `/values` beneath it: the properties of an event.

Source: https://developer.mixpanel.com/reference/query-event-properties and its neighbours, and the published
OpenAPI description. From when to when the latter two look is not documented: the last 31 days here.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta

from app.sandbox.api.answers import Answer
from app.sandbox.api.desk.asked import Asked, MistakeError, decoded
from app.sandbox.api.desk.operation import said
from app.sandbox.api.reports.counting import Seen, largest, named, shown, table
from app.sandbox.api.reports.events import LATELY_DAYS, MOST, kind_of
from app.sandbox.api.reports.reading import EventReader, buckets_of, days_or_interval
from app.sandbox.store.events import StoredEvent


class PropertyCounts:
    """Answers the three."""

    def __init__(self, reader: EventReader) -> None:
        self._reader = reader

    def aggregate(self, asked: Asked) -> Answer:
        """Count an event over time by the values of a property."""
        event, name, kind = asked.needed("event"), asked.needed("name"), kind_of(asked)
        wanted = _values(asked)
        buckets = buckets_of(asked, days_or_interval(asked), default=None)
        seen = [
            Seen(named(one.properties[name]), buckets.label(one.time_ms), one.distinct_id)
            for one in self._reader.between([event], buckets.first, buckets.last)
            if name in one.properties
        ]
        counted = table((one for one in seen if wanted is None or one.value in wanted), buckets.labels, kind)
        form = asked.one_of("format", ("json", "csv"), "json")
        return shown(largest(counted, asked.whole("limit", 255, MOST)), buckets.labels, form)

    def top(self, asked: Asked) -> Answer:
        """Show which properties an event has most."""
        counted = Counter(name for one in self._lately(asked) for name in one.properties)
        common = sorted(counted, key=lambda name: (-counted[name], name))[: asked.whole("limit", 10, MOST)]
        return said({name: {"count": counted[name]} for name in common})

    def values(self, asked: Asked) -> Answer:
        """Show which values a property of an event has most."""
        name = asked.needed("name")
        counted = Counter(
            named(one.properties[name]) for one in self._lately(asked) if name in one.properties
        )
        common = sorted(counted, key=lambda value: (-counted[value], value))
        return said(common[: asked.whole("limit", 255, MOST)])

    def _lately(self, asked: Asked) -> Iterable[StoredEvent]:
        first = asked.today - timedelta(days=LATELY_DAYS - 1)
        return self._reader.between([asked.needed("event")], first, asked.today)


def _values(asked: Asked) -> set[str] | None:
    """Return the values asked for: a JSON array, or the parameter as often as there are values."""
    given = [one for one in asked.given.get("values", ()) if one]
    if not given:
        return None
    if len(given) > 1 or not given[0].startswith("["):
        return set(given)
    found = decoded("values", given[0])
    if not isinstance(found, list):
        raise MistakeError("values: must be a JSON array")
    return {named(one) for one in found}
