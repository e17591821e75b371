"""What the audit makes of counts and of differences. Pure.

Counts are a hint: Mixpanel's may be late or estimated, and between two syncs every living cohort differs a
little. So a difference in them is a reason to look, never drift by itself.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from app.cohorts.registry import Cohort, Session
from app.mixpanel.query_answers import ListedCohort

SAME_FOR_MS: Final = 24 * 3_600_000
"""How long a difference in counts that came to nobody is not looked into again."""
WAITS_AT_MOST_MS: Final = 2 * 3_600_000
"""How long the next sync is waited for; then nothing will make the differences good."""

State = Literal["reading", "settling", "drift", "same"]


@dataclass(frozen=True, slots=True)
class Check:
    """What is known of a cohort whose counts differed; times in ms.

    Attributes:
        cohort_id: which.
        ours, theirs: members by the copy's and by Mixpanel's count, as they were compared.
        resync: number of the reconcile that looks, or looked last.
        state: `reading`; `settling`: somebody differs, and the next sync may explain it; `drift`: it did not;
            `same`: nobody differs, whatever the counts say.
        missing, surplus: people whom the copy lacks, and has too many, as last found.
        looked_ms: when that was read.
        since_ms: since when drift is raised; 0 if it is not.
    """

    cohort_id: str
    ours: int
    theirs: int
    resync: int
    state: State
    missing: int = 0
    surplus: int = 0
    looked_ms: int = 0
    since_ms: int = 0

    @property
    def raised(self) -> bool:
        """Whether it counts as drift now."""
        return self.since_ms > 0

    @property
    def open(self) -> bool:
        """Whether something is still to come of it."""
        return self.state != "same"


def to_look_at(
    cohorts: Iterable[Cohort],
    listed: Mapping[str, ListedCohort],
    checks: Mapping[str, Check],
    tolerance: float,
    now_ms: int,
) -> list[Cohort]:
    """Return the cohorts to read, small ones first: most are known soon, whatever the budget.

    Args:
        cohorts: of the relay.
        listed: of Mixpanel, by id.
        checks: what is known already, by cohort.
        tolerance: share of the members that counts may differ by.
        now_ms: now.
    """
    found = [
        cohort
        for cohort in cohorts
        if cohort.id in listed
        and _is_odd(cohort, listed[cohort.id].count, checks.get(cohort.id), tolerance, now_ms)
    ]
    return sorted(found, key=lambda cohort: (listed[cohort.id].count, cohort.id))


def _is_odd(cohort: Cohort, theirs: int, check: Check | None, tolerance: float, now_ms: int) -> bool:
    if cohort.held and not cohort.held.refused:
        return False  # it differs, and a person is asked already
    if check and check.state in {"reading", "settling"}:
        return False
    if check and check.raised:
        return True  # counts can agree again while other people differ
    difference = theirs - cohort.members
    if abs(difference) <= tolerance * max(theirs, cohort.members):
        return False
    known = check is not None and check.theirs - check.ours == difference
    return not (known and check and now_ms - check.looked_ms < SAME_FOR_MS)


def is_settled(check: Check, sessions: Iterable[Session], now_ms: int) -> bool:
    """Say whether the cohort's next sync is through, or will not come."""
    if now_ms - check.looked_ms >= WAITS_AT_MOST_MS:
        return True
    return any(each.state == "completed" and each.began_ms > check.looked_ms for each in sessions)


def remaining(found: int, sample: Sequence[str], explained: Collection[str]) -> int:
    """Return how many of those found still differ, by what became of the sample.

    Args:
        found: how many differed as the cohort was read.
        sample: ids of some of them; all, where they are few.
        explained: those of the sample whom a sync has made good since.
    """
    if not sample:
        return found
    left = sum(distinct_id not in explained for distinct_id in sample)
    return math.ceil(found * left / len(sample))
