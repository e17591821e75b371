"""A resync of one cohort, as the apply lane keeps it with the cohort between its steps."""

from dataclasses import dataclass, field
from typing import Any, Final, Literal

import orjson

Mode = Literal["replay", "reconcile"]
Phase = Literal["replaying", "reading", "exits", "enters"]
Difference = Literal["entered", "exited", "updated"]

KEPT_S: Final = 30 * 86_400
"""How long is kept what a resync came to."""
ENDED: Final = frozenset({"completed", "cancelled", "failed"})
"""States of which nothing more will come."""
SAMPLED: Final = 10
"""How many ids of each kind a resync that only looks shows."""


@dataclass(slots=True)
class Resync:
    """What is under way for a cohort.

    Attributes:
        number: its number among the project's.
        mode: `replay`: log everybody again; `reconcile`: compare with what Mixpanel says.
        at_ms: when it was asked for.
        dry_run: only count.
        phase: what comes next. While it is `reading`, the work is the resync lane's.
        cursor: the next bucket: of the cohort, or of what was read (`enters`).
        since: the cohort's last epoch as the read began.
        named: epochs up to that one under which pages were applied since.
        buckets: over how many buckets is spread what is read.
        epoch: under which differences are applied; 0 before there are any.
        doubted: a page was set aside since it began, or a backup restored, so the cohort stays suspect.
        counts: what it has come to so far, by name.
        sample: some ids of each kind of difference, if it only looks.
        sampled: how many of each kind at the most.
    """

    number: int
    mode: Mode
    at_ms: int
    dry_run: bool = False
    phase: Phase = "replaying"
    cursor: int = 0
    since: int = 0
    named: list[int] = field(default_factory=list)
    buckets: int = 0
    epoch: int = 0
    doubted: bool = False
    counts: dict[str, int] = field(default_factory=dict)
    sample: dict[str, list[str]] = field(default_factory=dict)
    sampled: int = SAMPLED

    @property
    def compares(self) -> bool:
        """Whether it matters to it who is named meanwhile."""
        return self.mode == "reconcile"

    def count(self, name: str, more: int = 1) -> None:
        """Count something that it came to."""
        self.counts[name] = self.counts.get(name, 0) + more

    def found(self, difference: Difference, distinct_id: str) -> None:
        """Count a difference; one that only looks keeps some."""
        self.count(difference)
        if self.dry_run and len(self.sample.setdefault(difference, [])) < self.sampled:
            self.sample[difference].append(distinct_id)

    def progress(self) -> tuple[str | bytes, ...]:
        """Return what is shown of it meanwhile, as names and values of its hash."""
        return ("counts", orjson.dumps(self.counts), "sample", orjson.dumps(self.sample))

    def to_json(self) -> dict[str, Any]:
        """Return a JSON form; what is newer than the first format is there only where it says something."""
        newer = {"sampled"} if self.sampled == SAMPLED else set()
        return {name: getattr(self, name) for name in self.__slots__ if name not in newer}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Resync":
        """Read the JSON form."""
        return cls(**data)
