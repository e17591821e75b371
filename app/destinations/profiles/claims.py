"""Which values of profiles are claimed by which cohorts.

Two cohorts can write the same value: two of one name, or a rule that gives a whole family of cohorts one list
value. Who leaves one of them keeps the value while in another. Only values that do not depend on the member,
the session or the time are compared, which is what an exit can take away.

Members of another cohort may carry what other rules than the window's wrote there, before they are migrated
or while processes with older rules are still at work. So an exit spares that, too: it goes when that cohort
is migrated. A migration itself spares only what its rules claim, and nobody spares what a migration under way
takes away, or two cohorts would spare it for each other.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final

from app.destinations.profiles.operations import Op, value_key
from config.rules import Operation, RuleSet
from config.templates import Context, names_used, render

_COMPARABLE: Final = frozenset({"project_id", "cohort_id", "cohort_name"})
_LISTED: Final = frozenset({"$union", "$append"})
_ASSIGNED: Final = frozenset({"$set", "$set_once"})


class Claims:
    """Look up who else writes what an exit takes away.

    Args:
        project_id: the project.
        rules: its rules.
        cohorts: (id, name) of every cohort.
        carried: (id, name, rules) of what cohorts' members may carry of other rules, or under another name.
    """

    def __init__(
        self,
        project_id: str,
        rules: RuleSet,
        cohorts: Iterable[tuple[str, str]],
        carried: Sequence[tuple[str, str, RuleSet]] = (),
    ) -> None:
        self._project_id = project_id
        self._values: dict[tuple[str, bytes], set[str]] = defaultdict(set)
        self._properties: dict[str, set[str]] = defaultdict(set)
        for cohort_id, name in cohorts:
            self._add_all(cohort_id, name, rules)
        self._carried = [Claims(project_id, theirs, [(each, name)]) for each, name, theirs in carried]

    def others(self, cohort_id: str, op: Op, *, carried: bool = False) -> frozenset[str]:
        """Name the cohorts, this one aside, whose members keep what `op` takes away.

        Args:
            cohort_id: this one.
            op: what is taken away.
            carried: whether also those keep it who may carry it by other rules.
        """
        if carried and self._carried:
            each = (claims.others(cohort_id, op) for claims in (self, *self._carried))
            return frozenset().union(*each)
        if op.kind == "$remove":
            claiming = self._values.get((op.property, op.key), frozenset[str]())
        elif op.kind == "$unset":
            claiming = self._properties.get(op.property, frozenset[str]())
        else:
            return frozenset()
        return frozenset(claiming) - {cohort_id}

    def _add_all(self, cohort_id: str, name: str, rules: RuleSet) -> None:
        context = Context(self._project_id, cohort_id, name, session_id="", time_ms=0, distinct_id="")
        for rule in rules.matching(cohort_id, name):
            for operation in rule.entering:
                self._add(cohort_id, operation, context)

    def _add(self, cohort_id: str, operation: Operation, context: Context) -> None:
        if operation.kind not in _LISTED | _ASSIGNED or not names_used(operation.property) <= _COMPARABLE:
            return
        name = render(operation.property, context)
        self._properties[name].add(cohort_id)
        if operation.kind == "$set_once" or not names_used(operation.value) <= _COMPARABLE:
            return
        for value in _listed(operation.kind, render(operation.value, context)):
            self._values[name, value_key(value)].add(cohort_id)


def _listed(kind: str, value: Any) -> list[Any]:
    """Give the values that an operation puts into a list."""
    if kind == "$append":
        return [value]
    return value if isinstance(value, list) else []
