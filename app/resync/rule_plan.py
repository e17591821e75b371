"""What migrating a project's members to other rules would do: cohorts, members, operations."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from config.rule_changes import Done, Effect, left, redone, settled, uncounted, undone, unknown


@dataclass(frozen=True, slots=True)
class CohortPlan:
    """What happens to each member of one cohort.

    Attributes:
        cohort_id, cohort_name: which.
        members: how many there are.
        undone: operations that take away what old rules wrote, as /engage knows them.
        redone: operations that write what the new rules write.
        needs_values: profile properties that get values of members, which the relay does not keep.
        reads: the members' properties that these come from, for a reconcile.
        not_repeated: operations that are for whoever enters from now on: done again, they would count twice.
        left: profile properties that stay as the old rules left them, as no exit of theirs takes them away.
    """

    cohort_id: str
    cohort_name: str
    members: int
    undone: Sequence[Mapping[str, Any]]
    redone: Sequence[Mapping[str, Any]]
    needs_values: Sequence[str]
    reads: Sequence[str]
    not_repeated: Sequence[Mapping[str, Any]]
    left: Sequence[str]

    @property
    def operations(self) -> Mapping[str, int]:
        """Return how many operations there are at most, by kind."""
        kinds = Counter(kind for each in (*self.undone, *self.redone) for kind in each)
        return {kind: number * self.members for kind, number in sorted(kinds.items())}


@dataclass(frozen=True, slots=True)
class RulePlan:
    """What a migration comes to.

    Attributes:
        project_id: whose.
        rules: digest of the rules that are configured here.
        used: digest of those that the workers used last; empty while they used none.
        known: how many cohorts there are.
        cohorts: those with something to do.
    """

    project_id: str
    rules: str
    used: str
    known: int
    cohorts: Sequence[CohortPlan]

    @property
    def members(self) -> int:
        """Return how many members are concerned, once a cohort that they are in."""
        return sum(each.members for each in self.cohorts)

    @property
    def operations(self) -> Mapping[str, int]:
        """Return how many operations there are at most, by kind."""
        total = Counter[str]()
        for each in self.cohorts:
            total.update(each.operations)
        return dict(sorted(total.items()))

    def told(self) -> dict[str, Any]:
        """Return it for programs."""
        cohorts = [{**asdict(each), "operations": each.operations} for each in self.cohorts]
        return {**asdict(self), "members": self.members, "operations": self.operations, "cohorts": cohorts}


def plan_cohort(
    cohort_id: str, cohort_name: str, members: int, olds: Sequence[Effect], new: Effect
) -> CohortPlan | None:
    """Plan one cohort's migration; None if there is nothing to do.

    Args:
        cohort_id: which cohort.
        cohort_name: its name now.
        members: how many it has.
        olds: what rules did that members may carry.
        new: what the new ones do.
    """
    unsettled = [old for old in olds if not settled(old, new)]
    if not unsettled:
        return None
    gone = {done.made: done for old in unsettled for done in undone(old, new)}
    values = unknown(unsettled, new)
    return CohortPlan(
        cohort_id=cohort_id,
        cohort_name=cohort_name,
        members=members,
        undone=[_told(each) for each in gone.values()],
        redone=[_told(each) for each in redone(unsettled, new)],
        needs_values=sorted({each.made.property for each in values}),
        reads=sorted({name for each in values for name in each.operation.members_used()}),
        not_repeated=[_told(each) for each in uncounted(unsettled, new)],
        left=sorted(frozenset().union(*(left(old, new) for old in unsettled))),
    )


def _told(done: Done) -> Mapping[str, Any]:
    """Write an operation as /engage knows it, with placeholders where members differ."""
    kind, name, value, _ = done.made
    if kind == "$unset":
        return {kind: [name]}
    return {kind: {name: orjson.loads(value)}} if name else {kind: ""}
