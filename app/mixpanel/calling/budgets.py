"""What Mixpanel allows a project, by family, counted in Redis by all processes and machines."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Literal, cast

from redis import Redis

from app.mixpanel import budget as ingestion_budget
from app.mixpanel.budget import IngestionBudget
from app.mixpanel.calling.building import Built
from app.mixpanel.catalog.row import Budget
from app.mixpanel.gdpr_budget import gdpr_budget
from app.mixpanel.request_budget import Rates, RequestBudget, Slot, Window
from app.store import keys

STREAM_LEASE_S: Final = 600.0
RENEW_S: Final = 120.0
_SPARE_S: Final = 30.0
_WINDOWS: Final = {3600: "1h", 60: "1m", 1: "1s"}


def export_rates() -> Rates:
    """Give the raw export's limits; an export's lease is renewed as long as it takes.

    Source: https://docs.mixpanel.com/reference/raw-event-export
    """
    return Rates("export", (Window(60, 3600), Window(3, 1)), 100, STREAM_LEASE_S)


def lexicon_rates(timeout_s: float) -> Rates:
    """Give the limits of lexicon schemas. How many at once is not documented, so no more than a minute's.

    Source: https://docs.mixpanel.com/reference/lexicon-schemas-api
    """
    return Rates("lexicon", (Window(5, 60),), 5, timeout_s + _SPARE_S)


@dataclass(frozen=True, slots=True)
class WindowLeft:
    """What a rolling window has room for.

    Attributes:
        unit: What it counts.
        most: In any span of its length.
        length_s: Seconds.
        left: Now.
    """

    unit: Literal["requests", "records", "bytes"]
    most: int
    length_s: float
    left: int


@dataclass(frozen=True, slots=True)
class FamilyLeft:
    """What a family's budget has room for.

    Attributes:
        windows: All count.
        at_once: Further requests that may be under way; None: that is not limited.
        most_at_once: Requests that may be under way; None: that is not limited.
        next_slot_s: Seconds until the windows have room for a request, if nobody else takes it.
    """

    windows: tuple[WindowLeft, ...]
    at_once: int | None
    most_at_once: int | None
    next_slot_s: float


@dataclass(frozen=True, slots=True)
class Hold:
    """A slot that is held: `renew` keeps it while an answer takes long."""

    project_id: str
    budget: RequestBudget | None = None
    slot: Slot | None = None

    def renew(self) -> None:
        """Lengthen the slot's lease."""
        if self.budget and self.slot:
            self.budget.renew(self.project_id, self.slot)


class Budgets:
    """The budgets of all families.

    Args:
        redis: Where they are counted.
        query: The query API's, which reconciles use as well.
        ingestion: Ingestion's, which the destinations use as well.
        timeout_s: Most seconds that a request of any other family takes.
    """

    def __init__(
        self, redis: Redis, query: RequestBudget, ingestion: IngestionBudget, *, timeout_s: float
    ) -> None:
        self._redis = redis
        self._ingestion = ingestion
        self._requests: dict[str, RequestBudget] = {
            "query": query,
            "export": RequestBudget(redis, export_rates()),
            "lexicon": RequestBudget(redis, lexicon_rates(timeout_s)),
            "gdpr": gdpr_budget(redis, timeout_s=timeout_s),
        }

    @contextmanager
    def slot(self, name: Budget | None, project_id: str, built: Built) -> Iterator[Hold]:
        """Hold a slot of a budget while a request is made; None: the family has no limits.

        Raises:
            OverBudget: There is none; nothing was counted.
        """
        if name == "ingestion":
            self._ingestion.take(project_id, built.call.records or 0, built.size_bytes)
        budget = self._requests.get(name or "")
        if budget is None:
            yield Hold(project_id)
            return
        with budget.slot(project_id, follow_up=built.follow_up) as slot:
            yield Hold(project_id, budget, slot)

    def left(self, project_id: str) -> Mapping[str, FamilyLeft]:
        """Say what every family's budget has room for now."""
        found = {name: _left(budget, project_id) for name, budget in self._requests.items()}
        return {**found, "ingestion": self._ingestion_left(project_id)}

    def requests_left(self, project_id: str) -> Iterator[tuple[str, str, int]]:
        """Yield family, window and the requests that fit into it; ingestion is counted in records."""
        for name, budget in self._requests.items():
            left = budget.left(project_id).windows
            for window, room in zip(budget.rates.windows, left, strict=True):
                yield name, _WINDOWS[round(window.length_s)], room

    def _ingestion_left(self, project_id: str) -> FamilyLeft:
        stored = cast("dict[bytes, bytes]", self._redis.hgetall(keys.ingestion_budget(project_id)))
        seconds, _ = self._redis.time()
        records, size_bytes = ingestion_budget.left(stored, seconds)
        windows = (
            WindowLeft("records", ingestion_budget.MAX_RECORDS, 60, records),
            WindowLeft("bytes", ingestion_budget.MAX_BYTES, 60, size_bytes),
        )
        return FamilyLeft(windows, None, None, 0.0 if records and size_bytes else 1.0)


def _left(budget: RequestBudget, project_id: str) -> FamilyLeft:
    left, rates = budget.left(project_id), budget.rates
    windows = tuple(
        WindowLeft("requests", window.most, window.length_s, room)
        for window, room in zip(rates.windows, left.windows, strict=True)
    )
    return FamilyLeft(windows, left.at_once, rates.at_once, budget.estimate(project_id, 1))
