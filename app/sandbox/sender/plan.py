"""What one sync sends: which calls, cut into which pages. Pure.

Source: https://docs.mixpanel.com/docs/cohort-sync/webhooks. `config.Habits` says what is documented and what
is not.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from app.sandbox.config import Habits

MEMBERS, ADD, REMOVE = "members", "add_members", "remove_members"


@dataclass(frozen=True)
class Page:
    """One request to the webhook; `number` counts from 1."""

    action: str
    session_id: str
    number: int
    total: int
    distinct_ids: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """A sync: calls in their order, each a sequence of pages; and what it changes, as counts."""

    kind: str
    calls: tuple[tuple[Page, ...], ...]
    entered: int
    exited: int


def plan_full(members: AbstractSet[str], action: str, habits: Habits, session: Callable[[], str]) -> Plan:
    """Plan the export of a whole cohort by one call."""
    chunks = _chunks(members, habits.page_size)
    total = len(chunks) if members else habits.empty_total
    return Plan("full", (_pages(action, session(), chunks, total),), len(members), 0)


def plan_diff(
    snapshot: AbstractSet[str], members: AbstractSet[str], habits: Habits, session: Callable[[], str]
) -> Plan:
    """Plan the export of what changed since the snapshot."""
    entered, exited = members - snapshot, snapshot - members
    calls = [(ADD, entered), (REMOVE, exited)]
    if habits.order == "remove_first":
        calls.reverse()
    if not habits.empty_calls:
        calls = [(action, who) for action, who in calls if who]
    return Plan("diff", tuple(_diff_calls(calls, habits, session)), len(entered), len(exited))


def _diff_calls(
    calls: Sequence[tuple[str, Collection[str]]], habits: Habits, session: Callable[[], str]
) -> Iterator[tuple[Page, ...]]:
    chunked = [(action, _chunks(who, habits.page_size)) for action, who in calls]
    across = sum(len(chunks) for _, chunks in chunked)
    session_id = session() if calls else ""
    sent = 0
    for position, (action, chunks) in enumerate(chunked):
        if habits.sessions == "call" and position:
            session_id = session()
        if habits.totals == "across":
            yield _pages(action, session_id, chunks, across, sent)
        else:
            yield _pages(action, session_id, chunks, len(chunks) if chunks[0] else habits.empty_total)
        sent += len(chunks)


def _pages(
    action: str, session_id: str, chunks: Sequence[tuple[str, ...]], total: int, offset: int = 0
) -> tuple[Page, ...]:
    return tuple(
        Page(action, session_id, offset + number, total, chunk)
        for number, chunk in enumerate(chunks, start=1)
    )


def _chunks(members: Collection[str], size: int) -> list[tuple[str, ...]]:
    """Cut members into pages; nobody makes one empty page."""
    ordered = sorted(members)
    return [tuple(ordered[start : start + size]) for start in range(0, len(ordered), size)] or [()]
