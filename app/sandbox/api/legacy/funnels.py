"""Funnels as the legacy Data API v2 asks for them: by name, over the last units of time."""

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import orjson

from app.sandbox.api.answers import Answer
from app.sandbox.api.desk.asked import Asked
from app.sandbox.api.desk.operation import said
from app.sandbox.api.reports.counting import named
from app.sandbox.api.reports.funnels import Funnels
from app.sandbox.api.reports.reading import EventReader, buckets_of, days_or_interval
from app.sandbox.api.reports.saved import Saved
from app.sandbox.store.documents import Document

UNITS = ("day", "week", "month")
MOST = 10_000


@dataclass(frozen=True)
class LegacyFunnels:
    """Answers about funnels by name."""

    reader: EventReader
    saved: Saved

    def query(self, asked: Asked) -> Answer:
        """Compute the funnels named, each under its name."""
        return said({one["name"]: self._computed(asked, one) for one in self._several(asked)})

    def names(self, _asked: Asked) -> Answer:
        """Name the funnels."""
        return said([one["name"] for one in self.saved.funnels()])

    def dates(self, asked: Asked) -> Answer:
        """Show from when there are figures of the funnels named."""
        labels = list(buckets_of(asked, days_or_interval(asked), UNITS).labels)
        return said({one["name"]: labels for one in self._several(asked)})

    def properties(self, asked: Asked) -> Answer:
        """Compute a funnel of the events that share a property's value, for each value."""
        funnel, name = self._one(asked), asked.needed("name")
        counted = Counter(
            named(value)
            for one in self._events(asked, funnel)
            if (value := one.get(name)) is not None and isinstance(value, str)
        )
        values = sorted(counted, key=lambda value: (-counted[value], value))[: asked.whole("limit", 10, MOST)]
        key = orjson.dumps(name).decode()
        found = {
            value: self._computed(asked, funnel, where=f"properties[{key}] == {orjson.dumps(value).decode()}")
            for value in values
        }
        return said(found)

    def property_names(self, asked: Asked) -> Answer:
        """Name the most common properties of a funnel's events."""
        counted = Counter(name for one in self._events(asked, self._one(asked)) for name in one)
        common = sorted(counted, key=lambda name: (-counted[name], name))
        return said(common[: asked.whole("limit", 10, MOST)])

    def _computed(self, asked: Asked, funnel: Document, where: str = "") -> Any:
        first, last = days_or_interval(asked)
        given = {
            "unit": (asked.one_of("unit", UNITS),),
            "from_date": (str(first),),
            "to_date": (str(last),),
            "where": (where,),
        }
        answer = Funnels(self.reader, self.saved).computed(replace(asked, given=given), funnel)
        return orjson.loads(answer.body)

    def _events(self, asked: Asked, funnel: Document) -> list[dict[str, Any]]:
        found = self.reader.between(funnel["events"], *days_or_interval(asked))
        return [one.properties for one in found]

    def _several(self, asked: Asked) -> list[Document]:
        return [self.saved.funnel_named(name) for name in asked.names("funnel")]

    def _one(self, asked: Asked) -> Document:
        return self.saved.funnel_named(asked.needed("funnel"))
