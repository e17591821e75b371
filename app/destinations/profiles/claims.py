"""Which values of profiles are claimed by which cohorts.

Two cohorts can write the same value: two of one name, or a rule that gives a whole family of cohorts one list
value. Who leaves one of them keeps the value while in another. Only values that do not depend on the member,
the session or the time are compared, which is what an exit can take away.
"""

from collections import defaultdict
from collections.abc import Iterable
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
    """

    def __init__(self, project_id: str, rules: RuleSet, cohorts: Iterable[tuple[str, str]]) -> None:
        self._values: dict[tuple[str, bytes], set[str]] = defaultdict(set)
        self._properties: dict[str, set[str]] = defaultdict(set)
        for cohort_id, name in cohorts:
            context = Context(project_id, cohort_id, name, session_id="", time_ms=0, distinct_id="")
            for rule in rules.matching(cohort_id, name):
                for operation in rule.entering:
                    self._add(cohort_id, operation, context)

    def others(self, cohort_id: str, op: Op) -> frozenset[str]:
        """Name the cohorts, this one aside, whose members keep what `op` takes away."""
        if op.kind == "$remove":
            claiming = self._values.get((op.property, op.key), frozenset[str]())
        elif op.kind == "$unset":
            claiming = self._properties.get(op.property, frozenset[str]())
        else:
            return frozenset()
        return frozenset(claiming) - {cohort_id}

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
