"""What is delivered at a time: a window of the log, with the rules it was begun with."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from app.cohorts.changelog import ChangeLog, Entry
from app.cohorts.membership import Membership
from app.cohorts.registry import Cohorts
from app.destinations.position import Position
from app.destinations.profiles.claims import Claims
from app.destinations.profiles.known import Known
from app.destinations.profiles.plan import Plan, plan, questions
from app.destinations.profiles.window import Group, groups
from config.projects import Project
from config.rules import RuleSet

WINDOW_CHANGES: Final = 20_000
_IDS_A_LOOKUP: Final = 1_000


@dataclass(frozen=True, slots=True)
class Delivery:
    """A window and how it is delivered.

    Attributes:
        after: the sequence before it.
        entries: its entries, one or more.
        rules: the rules that turn them into operations.
        known: what an earlier try knew; None if this is the first.
    """

    after: int
    entries: Sequence[Entry]
    rules: RuleSet
    known: Known | None

    @property
    def end(self) -> int:
        """Its last sequence."""
        return self.entries[-1].sequence


class Planner:
    """Read windows and plan them."""

    def __init__(self, changelog: ChangeLog, cohorts: Cohorts, membership: Membership) -> None:
        self._changelog = changelog
        self._cohorts = cohorts
        self._membership = membership

    def next(self, project: Project, position: Position) -> Delivery | None:
        """Give the window after the cursor: the one that was begun, or a new one; None at the log's end."""
        window = position.window
        last = window.end if window else None
        entries = self._changelog.read(project.id, position.cursor, WINDOW_CHANGES, last)
        if not entries:
            return None
        if window is None:
            return Delivery(position.cursor, entries, project.rules, known=None)
        rules, known = RuleSet.from_json(window.rules), Known.from_json(window.known)
        return Delivery(position.cursor, entries, rules, known)

    def plan(self, project: Project, delivery: Delivery) -> tuple[Plan, Known]:
        """Plan a window; return also what the plan rests on."""
        found = groups(project.id, delivery.entries, delivery.rules)
        known = delivery.known or self._look_up(project.id, found, delivery.rules)
        claims = Claims(project.id, delivery.rules, known.cohorts)
        return plan(found, project.token.reveal(), claims, known.present), known

    def _look_up(self, project_id: str, found: Sequence[Group], rules: RuleSet) -> Known:
        """Ask for names where anything is taken away, for members only where claims overlap."""
        if not any(act.leaving for group in found for act in group.acts):
            return Known()
        cohorts = tuple((cohort.id, cohort.name) for cohort in self._cohorts.list(project_id))
        asked = questions(found, Claims(project_id, rules, cohorts))
        present = {cohort_id: self._present(project_id, cohort_id, ids) for cohort_id, ids in asked.items()}
        return Known(cohorts, present)

    def _present(self, project_id: str, cohort_id: str, ids: Sequence[str]) -> frozenset[str]:
        found = frozenset[str]()
        for start in range(0, len(ids), _IDS_A_LOOKUP):
            found |= self._membership.present(project_id, cohort_id, ids[start : start + _IDS_A_LOOKUP])
        return found
