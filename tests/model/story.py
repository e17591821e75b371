"""What happens to a sender, as data: who is in the cohort at each sync and how that sync fares.

A story is made by chance (`chance.py`), by enumeration (`worlds.py`) or by cutting down another
(`shrink.py`); the sender (`sender.py`) only tells what goes over the wire in it.
"""

from __future__ import annotations

from dataclasses import dataclass

SYNC_EVERY_S = 1800.0
SNAPSHOT_LIVES_S = 3 * 86_400.0
"""Mixpanel keeps the snapshot of the last successful export for three days of failure."""


@dataclass(frozen=True, slots=True)
class Step:
    """One sync.

    Positions count the pages of this sync in the order in which they are sent, from 0; one that is too large
    means the last page.

    Attributes:
        cohort: Who is in the cohort when the export is computed.
        fails_at: Position of the page that kept failing (all later ones are not sent); None: the sync
            succeeds.
        lost: Of that page only the answers were lost: it did arrive.
        copies: Positions of pages whose first answer was lost: retried, they arrive twice.
        late: Positions of failed pages which arrive after all, each with the seconds after the NEXT sync's
            beginning.
        order: Seed of the order in which pages arrive when the sender sends in parallel.
        gap_s: Seconds since the previous sync's beginning.
        pace_s: Seconds between two pages.
        refresh: Send the whole cohort although the snapshot is there.
    """

    cohort: frozenset[str]
    fails_at: int | None = None
    lost: bool = False
    copies: tuple[int, ...] = ()
    late: tuple[tuple[int, float], ...] = ()
    order: int = 0
    gap_s: float = SYNC_EVERY_S
    pace_s: float = 1.0
    refresh: bool = False


@dataclass(frozen=True, slots=True)
class Habits:
    """How this sender does what the documentation leaves open; the defaults are what it says or suggests.

    Attributes:
        empty_calls: A call without members is still made (documented).
        across: Page numbers run on from the first call to the second, both name one common total.
        two_ids: Each call of a sync has a session id of its own.
        reuses_id: An export that follows a failed one goes under the failed one's id.
        constant_id: Every export goes under the one session id.
        remove_first: `remove_members` is called before `add_members`.
        parallel: Pages travel in parallel: they arrive in any order, also between the calls.
        zero_total: A call without members says page 0 of 0.
        first_as_add: The first sync is the whole cohort as `add_members`.
        expired_as_add: The sync after the snapshot's end is the whole cohort as `add_members`.
    """

    empty_calls: bool = True
    across: bool = False
    two_ids: bool = False
    reuses_id: bool = False
    constant_id: bool = False
    remove_first: bool = False
    parallel: bool = False
    zero_total: bool = False
    first_as_add: bool = False
    expired_as_add: bool = False


@dataclass(frozen=True, slots=True)
class Story:
    """A sender's life: its habits, the size of its pages, and its syncs in order."""

    steps: tuple[Step, ...]
    habits: Habits = Habits()
    page_size: int = 2
