"""Injected faults: what goes wrong, for the next N requests or with a probability, at either half.

API half (`side: api`), kinds:
    status    answer `status` instead (with `when: after`, the batch is applied all the same)
    delay     answer `delay_s` late
    timeout   never answer; `when` says whether the batch is applied
    cut       close the connection without an answer; `when` likewise
    partial   refuse `records` records of the batch, chosen by chance
    poison    refuse the whole batch with 400 and no reasons if it names one of `distinct_ids`
With a `path` (such as `/import`), an API fault strikes there only; what takes no batches knows neither
`partial` nor `poison`.
Sender half (`side: sender`), kinds:
    drop_answer   a page arrives, its answer is lost
    duplicate     a page is sent twice
    reorder       the pages of a call are sent in another order
    abort         the sync ends after `records` pages of a call (0: before its first)
    late          a page is sent once more, after the next sync of its cohort
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from random import Random
from typing import Any

API_KINDS = ("status", "delay", "timeout", "cut", "partial", "poison")
SENDER_KINDS = ("drop_answer", "duplicate", "reorder", "abort", "late")
KINDS = {"api": API_KINDS, "sender": SENDER_KINDS}
QUERY_PATHS = (
    *("engage", "cohorts/list", "insights", "funnels", "funnels/list", "retention", "retention/addiction"),
    *("segmentation", "segmentation/numeric", "segmentation/sum", "segmentation/average", "stream/query"),
    *("events", "events/top", "events/names", "events/properties", "events/properties/top"),
    *("events/properties/values", "jql"),
)
API_PATHS = (
    *("/engage", "/import", "/track", "/groups", "/export"),
    *(f"/query/{path}" for path in QUERY_PATHS),
    *("/pipelines", "/lexicon", "/annotations", "/data-retrievals", "/api/app/data-deletions/v3.0"),
    *(
        "/warehouse-imports",
        "/service-accounts",
        "/experiments",
        "/feature-flags",
        "/flags",
        "/lookup-tables",
    ),
    "/legacy",
)
HTTP_STATUSES = range(400, 600)


class InvalidFaultError(ValueError):
    """A fault that cannot be injected, with the reason."""


@dataclass(frozen=True)
class Fault:
    """One fault. `count` None means until it is deleted."""

    side: str
    kind: str
    fault_id: int = 0
    count: int | None = 1
    probability: float = 1.0
    status: int = 503
    message: str = "injected by the sandbox"
    delay_s: float = 1.0
    retry_after_s: float | None = None
    records: int = 1
    when: str = "before"
    distinct_ids: tuple[str, ...] = ()
    path: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS.get(self.side, ()):
            raise InvalidFaultError(
                "side and kind: api with " + ", ".join(API_KINDS) + "; sender with " + ", ".join(SENDER_KINDS)
            )
        if not 0 <= self.probability <= 1:
            raise InvalidFaultError("probability: from 0 to 1")
        if self.count is not None and self.count < 1:
            raise InvalidFaultError("count: at least 1, or null for no end")
        if self.status not in HTTP_STATUSES:
            raise InvalidFaultError("status: from 400 to 599")
        if self.delay_s < 0 or self.records < 0:
            raise InvalidFaultError("delay_s, records: not below 0")
        if self.when not in {"before", "after"}:
            raise InvalidFaultError("when: before or after (the batch is applied)")
        if self.path and (self.side != "api" or self.path not in API_PATHS):
            raise InvalidFaultError("path: of the api side, one of " + ", ".join(API_PATHS))

    def concerns(self, path: str) -> bool:
        """Tell whether the fault can strike at a path."""
        return self.path in {"", path}

    @classmethod
    def from_json(cls, item: Mapping[str, Any]) -> "Fault":
        """Read a fault from its JSON form.

        Raises:
            InvalidFaultError: Something in it is unknown or of the wrong type.
        """
        try:
            fields = {"side": "api"} | dict(item)
            fields["distinct_ids"] = tuple(str(one) for one in fields.get("distinct_ids", ()))
            fields.pop("fault_id", None)
            return cls(**fields)
        except TypeError as err:
            raise InvalidFaultError(f"unknown field, missing kind or wrong type ({err})") from err

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        return asdict(self)


class Faults:
    """The faults in force; thread-safe. The first that strikes wins."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._next_id = 1

    def add(self, fault: Fault) -> Fault:
        """Put a fault in force; return it with its id."""
        with self._lock:
            added = replace(fault, fault_id=self._next_id)
            self._next_id += 1
            self._faults.append(added)
            return added

    def active(self) -> list[Fault]:
        """Return the faults in force."""
        with self._lock:
            return list(self._faults)

    def clear(self, fault_id: int | None = None) -> int:
        """Take one fault back, or all; return how many were."""
        with self._lock:
            kept = [] if fault_id is None else [fault for fault in self._faults if fault.fault_id != fault_id]
            cleared = len(self._faults) - len(kept)
            self._faults = kept
            return cleared

    def draw(
        self, side: str, *kinds: str, applies: Callable[[Fault], bool] = lambda _fault: True
    ) -> Fault | None:
        """Return the fault that strikes now, if any, and count it.

        Args:
            side: "api" or "sender".
            kinds: Which kinds can strike here; none given means all of that side.
            applies: Whether a fault can strike this request at all.
        """
        with self._lock:
            for position, fault in enumerate(self._faults):
                if fault.side != side or (kinds and fault.kind not in kinds) or not applies(fault):
                    continue
                if self._chance.random() < fault.probability:
                    self._use_up(position, fault)
                    return fault
            return None

    def pick(self, count: int, size: int) -> list[int]:
        """Choose `count` of `size` positions by chance."""
        with self._lock:
            return sorted(self._chance.sample(range(size), min(count, size)))

    def shuffled(self, size: int) -> list[int]:
        """Return the positions 0 to size - 1 in an order chosen by chance."""
        with self._lock:
            return self._chance.sample(range(size), size)

    def _use_up(self, position: int, fault: Fault) -> None:
        if fault.count is None:
            return
        if fault.count == 1:
            del self._faults[position]
        else:
            self._faults[position] = replace(fault, count=fault.count - 1)
