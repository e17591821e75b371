"""Consumers of the log that are far behind, or were left behind."""

from collections.abc import Iterable, Iterator
from typing import Final

from app.cohorts.consumers import GroupStatus
from app.status.checks import Check

FAR_BEHIND: Final = 0.5
"""Share of what a consumer may be behind, from which on a person should know."""
_CLEAN: Final = 40


def consumer_checks(project_id: str, groups: Iterable[GroupStatus]) -> Iterator[Check]:
    """Tell of each consumer group that lost entries and has not read on, or that soon will lose some."""
    for group in groups:
        advice = f"start what reads by it, or: flask consumers forget --project {project_id} NAME"
        name = "".join(each if each.isprintable() else "?" for each in group.name[:_CLEAN])
        if group.missing:
            first, last = group.missing
            found = f"{name} fell too far behind, and misses log entries {first}-{last}"
            yield Check("consumer", "warn", found, advice, project_id)
        elif group.share >= FAR_BEHIND:
            found = (
                f"{name} is {group.lag:,} log entries behind, the oldest {group.lag_s:,.0f} s old:"
                f" {group.share:.0%} of what is kept for it"
            )
            yield Check("consumer", "warn", found, advice, project_id)
