"""How long a reconcile takes: nearly all of it is waiting for the query budget."""

from collections.abc import Iterable
from typing import Final, Protocol

from app.resync.state import ResyncState

PAGE: Final = 1_000
"""Members a page, usually."""
_BEFORE: Final = frozenset({"asked", "counted", "reading"})


class Estimates(Protocol):
    """Knows the query budget; `app.mixpanel.query.Query` does."""

    def estimate(self, project_id: str, members: int) -> float:
        """Say how many seconds reading so many members takes at least."""
        ...


def pages_of(members: int) -> int:
    """Return how many pages so many members are: the last one shows by being short."""
    return members // PAGE + 1


def beforehand_s(query: Estimates, project_id: str, members: Iterable[int]) -> float:
    """Say how many seconds reading cohorts of so many members takes at least, before it begins.

    Each costs a query that counts it, and its pages.
    """
    requests = sum(1 + pages_of(each) for each in members)
    return query.estimate(project_id, max(0, requests - 1) * PAGE)


def remaining_s(query: Estimates, state: ResyncState) -> float:
    """Say how many seconds are left at least, as the budget stands now; 0 where nothing is to be read."""
    if state.mode != "reconcile" or state.state not in _BEFORE:
        return 0.0
    left = max(state.expected, state.members) - state.read
    return query.estimate(state.project_id, max(0, left))
