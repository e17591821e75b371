"""Entries of a log, as a test likes them."""

from collections.abc import Sequence

from app.cohorts.changelog import Entry
from app.feed.types import CHANGES


def entry_of(
    sequence: int, *, entered: Sequence[str] = (), exited: Sequence[str] = (), cohort_id: str = "1"
) -> Entry:
    return Entry(
        sequence=sequence,
        generation="g1",
        kind=CHANGES,
        cause="sync",
        cohort_id=cohort_id,
        cohort_name="VIP",
        session_id="s1",
        time_ms=1_767_225_600_000 + sequence,
        entered=tuple((each, {}) for each in entered),
        exited=tuple(exited),
    )
