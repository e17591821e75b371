"""`/segmentation`, and `/numeric`, `/sum`, `/average` beneath it: one event over time, by an expression.

Source: https://developer.mixpanel.com/reference/segmentation-query and its neighbours, and the published
OpenAPI description. What is computed is real; how wide the buckets of `/numeric` are is not documented: about
ten here.
"""

import math
from collections import defaultdict
from datetime import UTC, datetime

from app.sandbox.api.answers import Answer
from app.sandbox.api.desk.asked import Asked
from app.sandbox.api.desk.operation import said
from app.sandbox.api.reports.buckets import Buckets
from app.sandbox.api.reports.counting import KINDS, Kind, Seen, largest, named, shown, table
from app.sandbox.api.reports.reading import EventReader, buckets_of, scope_of
from app.sandbox.expressions.operators import is_number
from app.sandbox.expressions.reading import read

MOST_VALUES = 10_000
RANGES = 10


def kind_of(asked: Asked) -> Kind:
    """Return the way of counting that a request asks for; general without a word."""
    return KINDS[KINDS.index(asked.one_of("type", KINDS, "general"))]


class Segmentation:
    """Answers the four."""

    def __init__(self, reader: EventReader) -> None:
        self._reader = reader

    def plain(self, asked: Asked) -> Answer:
        """Count an event, by the values of an expression if one is given."""
        event, kind = asked.needed("event"), kind_of(asked)
        every = asked.whole("interval", 1, 366) if kind != "general" else 1
        buckets = buckets_of(asked, asked.days(), ("minute", "hour", "day", "month"), every_days=every)
        on = asked.text("on")
        value = (lambda _scope: event) if on is None else read(on)
        seen = [
            Seen(
                event if on is None else named(value(scope_of(one))),
                buckets.label(one.time_ms),
                one.distinct_id,
            )
            for one in self._reader.between([event], buckets.first, buckets.last, asked.text("where"))
        ]
        counted = table(seen, buckets.labels, kind)
        if on is None and not counted:
            counted = {event: dict.fromkeys(buckets.labels, 0)}
        form = asked.one_of("format", ("json", "csv"), "json")
        return shown(largest(counted, asked.whole("limit", 60, MOST_VALUES)), buckets.labels, form)

    def numeric(self, asked: Asked) -> Answer:
        """Count an event by ranges of a numeric expression; values that are no numbers are left out."""
        kind, buckets, found = kind_of(asked), *self._numbers(asked)
        width, ranges = _width([number for number, _, _ in found]), dict[str, int]()
        seen = []
        for number, label, person in sorted(found):
            low = math.floor(number / width) * width
            name = f"{low:,} - {low + width:,}"
            ranges[name] = low
            seen.append(Seen(name, label, person))
        counted = table(seen, buckets.labels, kind)
        return shown(
            {name: {label: int(number) for label, number in row.items()} for name, row in counted.items()},
            buckets.labels,
        )

    def sum(self, asked: Asked) -> Answer:
        """Sum an expression by stretch; what is no number counts as 0."""
        buckets, found = self._numbers(asked)
        sums: dict[str, float] = defaultdict(float)
        for number, label, _ in found:
            sums[label] += number
        results = {label: _plain(sums[label]) for label in buckets.labels}
        now = datetime.fromtimestamp(asked.now_s, UTC).isoformat()
        return said({"status": "ok", "computed_at": now, "results": results})

    def average(self, asked: Asked) -> Answer:
        """Average an expression by stretch; what is no number counts as 0."""
        buckets, found = self._numbers(asked, zero=True)
        numbers: dict[str, list[float]] = defaultdict(list)
        for number, label, _ in found:
            numbers[label].append(number)
        results = {
            label: sum(numbers[label]) / len(numbers[label]) if numbers[label] else 0.0
            for label in buckets.labels
        }
        return said({"status": "ok", "results": results})

    def _numbers(self, asked: Asked, *, zero: bool = False) -> tuple[Buckets, list[tuple[float, str, str]]]:
        """Return an expression's numbers, each with its stretch and person."""
        event, value = asked.needed("event"), read(asked.needed("on"))
        buckets = buckets_of(asked, asked.days(), ("hour", "day"))
        found = []
        for one in self._reader.between([event], buckets.first, buckets.last, asked.text("where")):
            number = value(scope_of(one))
            if is_number(number) or zero:
                found.append(
                    (number if is_number(number) else 0.0, buckets.label(one.time_ms), one.distinct_id)
                )
        return buckets, found


def _width(numbers: list[float]) -> int:
    """Return how wide a range is so that there are about ten: 1, 2, 5, 10, 20, 50, ..."""
    if not numbers:
        return 1
    wanted = max((max(numbers) - min(numbers)) / RANGES, 1)
    scale = 10 ** math.floor(math.log10(wanted))
    return int(next(factor * scale for factor in (1, 2, 5, 10) if factor * scale >= wanted))


def _plain(number: float) -> float:
    return int(number) if float(number).is_integer() else number
