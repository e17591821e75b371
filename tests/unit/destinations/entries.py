"""Build entries of the change log."""

from collections.abc import Iterable, Mapping
from typing import Any

from app.cohorts.changelog import Entry


def entry(
    sequence: int = 1,
    *,
    kind: str = "changes",
    cause: str = "sync",
    cohort: tuple[str, str] = ("1", "VIP"),
    entered: Iterable[str] | Mapping[str, Mapping[str, Any]] = (),
    exited: Iterable[str] = (),
    updated: Mapping[str, Mapping[str, Any]] | None = None,
    old_names: tuple[str, ...] = (),
    detail: Mapping[str, Any] | None = None,
) -> Entry:
    named = entered if isinstance(entered, Mapping) else {distinct_id: {} for distinct_id in entered}
    return Entry(
        sequence=sequence,
        generation="g1",
        kind=kind,
        cause=cause,
        cohort_id=cohort[0],
        cohort_name=cohort[1],
        session_id="s",
        time_ms=1_767_225_600_000,
        entered=tuple(named.items()),
        exited=tuple(exited),
        updated=tuple((updated or {}).items()),
        old_names=old_names,
        detail=detail or {},
    )
