"""Give numbers the form that Prometheus reads."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from app.metrics.families import FAMILIES, Family
from app.metrics.recorder import INFINITE, SUM, Series

Sample = tuple[Family, tuple[str, ...], float]
"""A counter or a gauge, its labels' values, and its value."""


def render(recorded: Mapping[Series, float], standing: Iterable[Sample], accept: str) -> tuple[bytes, str]:
    """Return the page that Prometheus reads, and its media type.

    Args:
        recorded: what processes have recorded.
        standing: what was read where it stands.
        accept: which forms the reader takes: the header of that name.
    """
    registry = CollectorRegistry()
    registry.register(_Found([*_recorded(recorded), *_standing(standing)]))
    encoder, media_type = choose_encoder(accept)
    return encoder(registry), media_type


class _Found(Collector):
    def __init__(self, metrics: Sequence[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def _standing(samples: Iterable[Sample]) -> Iterator[Metric]:
    by_family: dict[Family, list[tuple[tuple[str, ...], float]]] = defaultdict(list)
    for family, labels, value in samples:
        by_family[family].append((labels, value))
    for family, found in by_family.items():
        yield _plain(family, found)


def _recorded(numbers: Mapping[Series, float]) -> Iterator[Metric]:
    """Give every family, those without a number, too: an alert then knows that it is there."""
    by_family: dict[str, dict[tuple[str, ...], dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    for (name, labels, slot), number in numbers.items():
        by_family[name][labels][slot] = number
    for family in FAMILIES:
        found = by_family[family.name]
        if family.kind == "histogram":
            yield _histogram(family, found)
        else:
            yield _plain(family, [(labels, slots[""]) for labels, slots in sorted(found.items())])


def _plain(family: Family, found: Iterable[tuple[tuple[str, ...], float]]) -> Metric:
    metric = (CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily)(
        family.name, family.help, labels=family.labels
    )
    for labels, value in found:
        metric.add_metric(labels, value)
    return metric


def _histogram(family: Family, found: Mapping[tuple[str, ...], Mapping[str, float]]) -> Metric:
    metric = HistogramMetricFamily(family.name, family.help, labels=family.labels)
    for labels, slots in sorted(found.items()):
        buckets, total = [], 0.0
        for bound in (*map(repr, family.bounds), INFINITE):
            total += slots.get(bound, 0)
            buckets.append((bound, total))
        metric.add_metric(labels, buckets, slots.get(SUM, 0.0))
    return metric
