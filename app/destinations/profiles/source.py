"""The profiles destination's windows of the change log, and their plans."""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Final

from structlog.stdlib import get_logger

from app.cohorts.changelog import ChangeLog, Entry
from app.cohorts.membership import Membership
from app.cohorts.registry import Cohorts
from app.destinations.plan import Plan
from app.destinations.profiles.claims import Claims
from app.destinations.profiles.known import Known
from app.destinations.profiles.plan import plan, questions
from app.destinations.profiles.window import Group, groups
from app.destinations.source import Delivery, Keep, LogSource, kept
from app.destinations.waiting.gate import Gate
from app.destinations.waiting.hold import Hold
from app.lanes.lanes import HeldLane
from app.store.slices import slices
from config.projects import Project
from config.rules import RuleSet

log = get_logger(__name__)

LinkingIds = Callable[[str, Sequence[Entry], RuleSet], Collection[str]]
"""Names the ids that entries of a project's log link by rules."""

_IDS_A_LOOKUP: Final = 1_000


class ProfilesSource(LogSource):
    """Turn windows of the log into profile updates.

    Args:
        changelog: the log.
        cohorts: who might claim the same value.
        membership: who is a member there.
        gate: who waits for a link.
        linking_ids: whom entries link.
        now: seconds since 1970, for how long a sync took.
    """

    def __init__(
        self,
        changelog: ChangeLog,
        cohorts: Cohorts,
        membership: Membership,
        gate: Gate,
        linking_ids: LinkingIds,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(changelog)
        self._cohorts = cohorts
        self._membership = membership
        self._gate = gate
        self._linking_ids = linking_ids
        self._now = now

    def plan(self, project: Project, delivery: Delivery[Entry], keep: Keep = kept) -> tuple[Plan, bytes]:
        """Plan a window; return also what the plan rests on."""
        found = groups(
            project.id, delivery.entries, delivery.rules, self._old_rules(project.id, delivery.entries)
        )
        if delivery.known is None:
            hold = self._hold(project.id, found, delivery)
            known = replace(self._look_up(project.id, found, delivery.rules, keep), hold=hold)
        else:
            known = Known.from_json(delivery.known)
        claims = self._claims(project.id, delivery.rules, known.cohorts, known.carried)
        token = project.token.reveal()
        planned = plan(found, token, claims, known.present, known.hold.ids, keep=keep)
        return planned, known.to_json()

    def begun(self, lane: HeldLane, delivery: Delivery[Entry], plan: Plan, known: bytes) -> None:
        """Put what waits for links aside."""
        del delivery
        if plan.held:
            self._gate.room.hold(lane, Known.from_json(known).hold, plan.held)

    def passed(self, project: Project, delivery: Delivery[Entry]) -> None:
        """Trim the log, and say of each sync that ended in the window that Mixpanel is up to date with it."""
        super().passed(project, delivery)
        for entry in delivery.entries:
            if entry.kind == "sync.completed":
                self._report_sync(project.id, entry)

    def _report_sync(self, project_id: str, entry: Entry) -> None:
        detail = entry.detail
        log.info(
            "sync_delivered",
            project_id=project_id,
            cohort_id=entry.cohort_id,
            cohort_name=entry.cohort_name,
            session_id=entry.session_id,
            entered=detail.get("entered", 0),
            exited=detail.get("exited", 0),
            updated=detail.get("updated", 0),
            members=detail.get("members", 0),
            seconds=round(self._now() - detail.get("began_ms", entry.time_ms) / 1000, 1),
        )

    def _old_rules(self, project_id: str, entries: Sequence[Entry]) -> dict[str, RuleSet]:
        """Return the rules that entries name as old ones; a digest means the same at every try."""
        digests = {digest for entry in entries for digest, _ in entry.old_rules}
        found = {digest: self._changelog.rule_sets.find(project_id, digest) for digest in sorted(digests)}
        if missing := [digest[:12] for digest, rules in found.items() if rules is None]:
            log.warning("rules_not_known", project_id=project_id, rules=missing)
        return {digest: rules for digest, rules in found.items() if rules is not None}

    def _hold(self, project_id: str, found: Sequence[Group], delivery: Delivery[Entry]) -> Hold:
        def linking(after: int) -> Collection[str]:
            entries = [entry for entry in delivery.entries if entry.sequence > after]
            return self._linking_ids(project_id, entries, delivery.rules)

        return self._gate.hold(
            project_id,
            lambda: list({distinct_id: None for group in found for distinct_id in group.ids}),
            end=delivery.end,
            linking=linking if delivery.rules.has_links else None,
        )

    def _look_up(self, project_id: str, found: Sequence[Group], rules: RuleSet, keep: Keep) -> Known:
        """Ask for names where anything is taken away, for members only where claims overlap."""
        if not any(act.leaving for group in found for act in group.acts):
            return Known()
        cohorts = tuple(self._cohorts.names(project_id))
        digest = rules.digest
        carried = tuple(
            (cohort_id, name, written)
            for cohort_id, name, written in self._changelog.rule_sets.carried(project_id, cohorts)
            if written != digest or (cohort_id, name) not in cohorts
        )
        asked = questions(found, self._claims(project_id, rules, cohorts, carried))
        present = {
            cohort_id: self._present(project_id, cohort_id, ids, keep) for cohort_id, ids in asked.items()
        }
        return Known(cohorts, carried, present)

    def _claims(
        self,
        project_id: str,
        rules: RuleSet,
        cohorts: Sequence[tuple[str, str]],
        carried: Sequence[tuple[str, str, str]],
    ) -> Claims:
        sets = self._changelog.rule_sets
        theirs = [
            (cohort_id, name, written)
            for cohort_id, name, digest in carried
            if (written := sets.find(project_id, digest))
        ]
        return Claims(project_id, rules, cohorts, theirs)

    def _present(self, project_id: str, cohort_id: str, ids: Sequence[str], keep: Keep) -> frozenset[str]:
        found = frozenset[str]()
        for some in slices(ids, _IDS_A_LOOKUP):
            keep()
            found |= self._membership.present(project_id, cohort_id, some)
        return found
