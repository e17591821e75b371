"""Add up in memory what this process counts and measures."""

from bisect import bisect_left
from collections.abc import Mapping
from threading import Event, Lock
from typing import Final

from app.metrics.families import Family

Series = tuple[str, tuple[str, ...], str]
"""A family's name, its labels' values, and which number it is: `""` of a counter; of a histogram `sum`, or
the upper bound of a bucket (`+Inf` for the last), whose number is not cumulative."""

SUM: Final = "sum"
INFINITE: Final = "+Inf"


class Recorder:
    """Count and measure, from any thread.

    Attributes:
        some: set while there is something to take.
    """

    def __init__(self) -> None:
        self.some = Event()
        self._lock = Lock()
        self._added: dict[Series, float] = {}

    def count(self, family: Family, *labels: str, by: float = 1) -> None:
        """Count something.

        Args:
            family: a counter.
            labels: values of its labels, in their order.
            by: how many.
        """
        assert family.kind == "counter"
        assert len(labels) == len(family.labels)
        with self._lock:
            self._add((family.name, labels, ""), by)
        self.some.set()

    def observe(self, family: Family, value: float, *labels: str) -> None:
        """Note a value.

        Args:
            family: a histogram.
            value: in the family's unit.
            labels: values of its labels, in their order.
        """
        assert family.kind == "histogram"
        assert len(labels) == len(family.labels)
        place = bisect_left(family.bounds, value)
        bound = repr(family.bounds[place]) if place < len(family.bounds) else INFINITE
        with self._lock:
            self._add((family.name, labels, bound), 1)
            self._add((family.name, labels, SUM), value)
        self.some.set()

    def take(self) -> Mapping[Series, float]:
        """Return what was added since it was last asked."""
        with self._lock:
            taken, self._added = self._added, {}
            self.some.clear()
        return taken

    def _add(self, series: Series, by: float) -> None:
        self._added[series] = self._added.get(series, 0) + by
