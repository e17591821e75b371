"""Which cohorts nothing is heard of any more. Pure.

Mixpanel calls every 30 minutes for each cohort that it syncs, even where nothing has changed. So silence
means that it does not: the sync is paused, or fails before it gets here, or the cohort is gone. A cohort that
was synced once only was perhaps meant to be, so it is expected to call again once it was synced twice.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.cohorts.registry import Cohort

RECURRING: Final = 2


@dataclass(frozen=True, slots=True)
class Silence:
    """A cohort that nothing is heard of.

    Attributes:
        cohort_id: which.
        heard_ms: when its last page was accepted.
        muted: somebody knows.
        unlisted: Mixpanel does not list the cohort: it was deleted there.
    """

    cohort_id: str
    heard_ms: int
    muted: bool = False
    unlisted: bool = False

    @property
    def alarming(self) -> bool:
        """Whether somebody should look."""
        return not self.muted and not self.unlisted


def silences(
    cohorts: Sequence[Cohort],
    *,
    now_ms: int,
    after_s: float,
    pages_wait: bool,
    muted: Mapping[str, int],
    unlisted: Collection[str],
) -> list[Silence]:
    """Return the silent cohorts, the longest silent first.

    Args:
        cohorts: of a project.
        now_ms: now.
        after_s: how long one has to be silent; 0: none ever is.
        pages_wait: pages wait to be applied, so that only the time up to the last applied one is known.
        muted: since when (ms) silences are muted; a page since then ends a mute.
        unlisted: cohorts that Mixpanel does not list.
    """
    if not after_s:
        return []
    known_ms = max((cohort.heard_ms for cohort in cohorts), default=0) if pages_wait else now_ms
    found = [
        Silence(
            cohort.id,
            cohort.heard_ms,
            muted=muted.get(cohort.id, 0) >= cohort.heard_ms,
            unlisted=cohort.id in unlisted,
        )
        for cohort in cohorts
        if cohort.syncs >= RECURRING and known_ms - cohort.heard_ms > after_s * 1000
    ]
    return sorted(found, key=lambda each: each.heard_ms)
