"""What could be known from the pages: the ends that are possible, and the likeliest.

For the documented sender with lost answers: exports one after another, a call of adds and one of removes
each, the first a whole list. An export of which a page is missing failed; one that is whole succeeded or lost
its last answer. A diff must fit the snapshot that it was computed from: nobody is added who is in it, or
removed who is not. The likeliest end knows all the rates of the world, as no receiver does: it is the floor
for any receiver's error rate.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from math import log, prod

from tests.model.chance import WARM_UP_SYNCS, World
from tests.model.sender import Sent
from tests.model.wire import Action, SentPage

_AT_MOST = 300
"""Explanations kept from export to export, the likeliest."""


@dataclass(frozen=True, slots=True)
class _Belief:
    """One explanation: the sender's snapshot, and the cohort as last known, some syncs ago."""

    snapshot: frozenset[str]
    cohort: frozenset[str]
    syncs_ago: int


@dataclass(frozen=True, slots=True)
class _Export:
    added: frozenset[str]
    removed: frozenset[str]
    listed: frozenset[str] | None
    whole: bool
    pages: int

    def fits(self, snapshot: frozenset[str]) -> bool:
        return self.listed is not None or not (self.added & snapshot or self.removed - snapshot)

    def cohort(self, snapshot: frozenset[str]) -> frozenset[str]:
        return (snapshot | self.added) - self.removed if self.listed is None else self.listed


def possible_ends(sent: Sent) -> set[frozenset[str]]:
    """Return every snapshot the sender can have at the end, the last export having succeeded."""
    exports = _exports(sent)
    snapshots = {frozenset[str]()}
    for index, export in enumerate(exports):
        fitting = {snapshot for snapshot in snapshots if export.fits(snapshot)}
        snapshots = set() if index == len(exports) - 1 else set(fitting)
        if export.whole:
            snapshots |= {export.cohort(before) for before in fitting}
    return snapshots


def likeliest_end(sent: Sent, world: World) -> frozenset[str]:
    """Return the end of the likeliest explanation of what arrived, in a world whose rates are known."""
    exports = _exports(sent)
    beliefs = {_Belief(frozenset(), frozenset(), 0): 0.0}
    for index, export in enumerate(exports):
        warm = WARM_UP_SYNCS if world.warm else 0
        may_fail = warm <= index < len(exports) - 1
        after: dict[_Belief, float] = {}
        for belief, weight in beliefs.items():
            if export.fits(belief.snapshot):
                changed = weight + (_change(world, belief, export) if index else 0.0)
                for follows, likely in _outcomes(world, belief, export, may_fail=may_fail):
                    after[follows] = max(after.get(follows, -1e9), changed + log(likely))
        beliefs = dict(sorted(after.items(), key=lambda item: -item[1])[:_AT_MOST])
    return max(beliefs, key=lambda belief: beliefs[belief]).snapshot


def _change(world: World, belief: _Belief, export: _Export) -> float:
    """Return the log-likelihood of the cohort's change since it was known; a torn export does not tell."""
    if not export.whole:
        return 0.0
    flips = len(export.cohort(belief.snapshot) ^ belief.cohort)
    flipped = (1 - (1 - 2 * world.churn) ** (belief.syncs_ago + 1)) / 2
    return flips * log(flipped) + (world.users - flips) * log(1 - flipped)


def _outcomes(
    world: World, belief: _Belief, export: _Export, *, may_fail: bool
) -> list[tuple[_Belief, float]]:
    if not export.whole:
        return [(_Belief(belief.snapshot, belief.cohort, belief.syncs_ago + 1), 1.0)]
    cohort = export.cohort(belief.snapshot)
    succeeded = _Belief(cohort, cohort, 0)
    if not may_fail or world.lost == "none":
        return [(succeeded, 1.0)]
    lost = prod((world.failing, world.lost_share, 1.0 if world.lost == "last" else 1 / export.pages))
    return [(succeeded, 1 - world.failing), (_Belief(belief.snapshot, cohort, 0), lost)]


def _exports(sent: Sent) -> list[_Export]:
    return [_export(list(pages)) for _, pages in groupby(sent.pages, key=lambda page: page.session)]


def _export(pages: list[SentPage]) -> _Export:
    numbers: dict[Action, set[int]] = {}
    named: dict[Action, set[str]] = {}
    for page in pages:
        numbers.setdefault(page.action, set()).add(page.number)
        named.setdefault(page.action, set()).update(page.members)
    totals = {page.action: max(page.total, 1) for page in pages}
    whole = all(len(seen) == totals[action] for action, seen in numbers.items())
    listed = frozenset(named["members"]) if "members" in named else None
    return _Export(
        frozenset(named.get("add_members", ())),
        frozenset(named.get("remove_members", ())),
        listed,
        whole and (listed is not None or len(numbers) == 2),
        sum(len(seen) for seen in numbers.values()),
    )
