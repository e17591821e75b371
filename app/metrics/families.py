"""Every counter and histogram that processes record. `docs/metrics.md` tells of each.

Labels come from short lists: projects that are configured, our own words, HTTP's statuses. Nothing of a
person or a cohort is ever one.
"""

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["counter", "gauge", "histogram"]

_FAST: Final = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_SLOW: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0)
_RUN: Final = (0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_COUNTS: Final = (1.0, 10.0, 50.0, 100.0, 250.0, 500.0, 1_000.0, 1_500.0, 2_000.0)
_SIZES: Final = (1e3, 1e4, 1e5, 2.5e5, 5e5, 1e6, 2.5e6, 5e6, 1e7)


@dataclass(frozen=True, slots=True)
class Family:
    """A metric with its labels.

    Attributes:
        name: as Prometheus shows it.
        kind: what it is.
        help: what it tells.
        labels: their names, in order.
        bounds: upper bounds of a histogram's buckets; the one without a bound is left out.
    """

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...]
    bounds: tuple[float, ...] = ()


def _counter(name: str, text: str, *labels: str) -> Family:
    return Family(f"cohort_relay_{name}_total", "counter", text, labels)


def _histogram(name: str, text: str, bounds: tuple[float, ...], *labels: str) -> Family:
    return Family(f"cohort_relay_{name}", "histogram", text, labels, bounds)


PAGES_REFUSED: Final = _counter(
    "pages_refused", "Pages that were not taken in, by cause (docs/http-answers.md).", "project", "cause"
)
WEBHOOK_SECONDS: Final = _histogram(
    "webhook_duration_seconds", "Time to answer a page, without deliberate delays.", _FAST, "status"
)

API_REQUESTS: Final = _counter(
    "api_requests", "Calls of the API, by route and status.", "method", "route", "status"
)
API_SECONDS: Final = _histogram(
    "api_duration_seconds", "Time to answer a call of the API.", _FAST, "method", "route"
)
API_RECORDS: Final = _counter(
    "api_records",
    "Records that were handed in: accepted, rejected, or replayed (of a repeated call, kept before).",
    *("project", "route", "outcome"),
)

MIXPANEL_REQUESTS: Final = _counter(
    "mixpanel_requests",
    "Requests to Mixpanel, by what came of each; status is none where no answer came.",
    *("project", "endpoint", "status", "outcome"),
)
MIXPANEL_SECONDS: Final = _histogram(
    "mixpanel_request_duration_seconds", "Time that requests to Mixpanel took.", _SLOW, "endpoint"
)
MIXPANEL_RECORDS: Final = _histogram(
    "mixpanel_request_records", "Records in a request to Mixpanel.", _COUNTS, "endpoint"
)
MIXPANEL_BYTES: Final = _histogram(
    "mixpanel_request_bytes", "Bodies of requests to Mixpanel, as sent.", _SIZES, "endpoint"
)

LANE_RUNS: Final = _counter("lane_runs", "Runs of lanes, by how they ended.", "project", "lane", "outcome")
LANE_SECONDS: Final = _histogram("lane_run_duration_seconds", "Time that runs of lanes took.", _RUN, "lane")
LANE_TAKEOVERS: Final = _counter(
    "lane_takeovers", "Runs that began because the holder before had vanished.", "project", "lane"
)

FAMILIES: Final[tuple[Family, ...]] = (
    *(PAGES_REFUSED, WEBHOOK_SECONDS),
    *(API_REQUESTS, API_SECONDS, API_RECORDS),
    *(MIXPANEL_REQUESTS, MIXPANEL_SECONDS, MIXPANEL_RECORDS, MIXPANEL_BYTES),
    *(LANE_RUNS, LANE_SECONDS, LANE_TAKEOVERS),
)
