"""Audit a project, step by step, in its resync lane.

Everything is in Redis: when counts are compared next, what is being read, what was found. So it does not
matter which clock or worker dies when; the same step is taken again, at the cost of one query at the most.
It asks only while more than a share of the hour's queries is left, and each of its steps comes behind
whatever operators have asked for.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from random import Random
from typing import Final

import orjson
from redis import Redis
from structlog.stdlib import get_logger

from app.cohorts.commit import NewEntry
from app.cohorts.membership import Membership
from app.cohorts.registry import Cohort, Cohorts
from app.lanes.lanes import HeldLane
from app.mixpanel.errors import MixpanelError, Retryable, Throttled
from app.mixpanel.query_answers import ListedCohort
from app.mixpanel.retry import delay_s
from app.resync.asking import Asking, Query
from app.resync.audit.findings import AuditState, Findings
from app.resync.audit.judging import Check, is_settled, remaining, to_look_at
from app.resync.resyncs import Resyncs, UnderWay, UnknownCohort
from app.resync.state import AUDITOR, ResyncState, Wanted, id_of, parse_id
from app.store import keys
from config.projects import Project

log = get_logger(__name__)

AUDIT: Final = 0
"""Stands for the audit among the numbers of what the resync lane has to do with; resyncs begin with 1."""
FIRST_MS: Final = 600_000
"""After which time a project that is new has its first audit."""
LOOK_MS: Final = {"reading": 60_000, "settling": 60_000, "drift": 600_000}
"""How often it is looked at what has come of a check, by its state."""
_SESSIONS: Final = 8


@dataclass(frozen=True, slots=True)
class AuditPlan:
    """How audits go.

    Attributes:
        interval_s: between two comparisons of counts; 0: there are none.
        tolerance: share of a cohort's members that its counts may differ by.
        spare: queries of an hour that are left to operators.
    """

    interval_s: float
    tolerance: float
    spare: int


class Auditing:
    """Takes the audit's steps under the held resync lane.

    Args:
        redis: where everything is.
        query: asks Mixpanel.
        cohorts, membership, resyncs: what it works with.
        findings: where what was found is kept, for others to read.
        plan: how often, and how much.
        random: for the jitter of waits.
    """

    def __init__(
        self,
        redis: Redis,
        query: Query,
        *,
        cohorts: Cohorts,
        membership: Membership,
        resyncs: Resyncs,
        findings: Findings,
        plan: AuditPlan,
        random: Random | None = None,
    ) -> None:
        self._redis = redis
        self._query = query
        self._cohorts = cohorts
        self._membership = membership
        self._resyncs = resyncs
        self.findings = findings
        self._plan = plan
        self._asking = Asking()
        self._random = random or Random()  # noqa: S311 - a jitter, no secret

    @property
    def spare(self) -> int:
        """Queries of an hour that audits leave alone."""
        return self._plan.spare

    def schedule(self, projects: list[Project]) -> None:
        """Make sure that the projects which can be audited are; the clock says so every minute."""
        if not self._plan.interval_s:
            return
        now_ms = self._now_ms()
        pipeline = self._redis.pipeline(transaction=False)
        for project in projects:
            if project.service_account:
                pipeline.zadd(keys.resyncs_due(project.id), {str(AUDIT): now_ms}, nx=True)
        pipeline.execute()

    def go_on(self, lane: HeldLane, project: Project) -> None:
        """Do what is due, and say when to be called again."""
        if not self._plan.interval_s:
            lane.write(keys.resyncs_due(project.id), "ZREM", AUDIT)
            return
        now_ms = self._now_ms()
        state = self.findings.read(project.id)
        if not state.next_ms:
            state = replace(state, next_ms=now_ms + FIRST_MS)
            self.findings.note(lane, next_ms=state.next_ms)
        next_ms = state.next_ms if now_ms < state.next_ms else self._compare(lane, project, state, now_ms)
        waits_ms = self._settle(lane, project, now_ms)
        due_ms = min([next_ms, *(now_ms + wait_ms for wait_ms in waits_ms)])
        lane.write(keys.resyncs_due(project.id), "ZADD", due_ms, AUDIT)

    def _compare(self, lane: HeldLane, project: Project, state: AuditState, now_ms: int) -> int:
        """Compare the counts of all cohorts, and have those read that differ; return when to go on."""
        later_ms = now_ms + int(self._plan.interval_s * 1000)
        try:
            answer = self._asking.ask(lane, partial(self._query.cohorts, project, spare=self._plan.spare))
        except (Retryable, Throttled) as error:
            self.findings.note(lane, reason=str(error))
            return now_ms + int(delay_s(error, 1, self._random) * 1000) + 1
        except MixpanelError as error:
            log.warning("audit_failed", project_id=project.id, reason=str(error))
            self.findings.note(lane, reason=str(error), next_ms=later_ms)
            return later_ms
        listed = {each.id: each for each in answer}
        cohorts = self._cohorts.list(project.id)
        odd = to_look_at(cohorts, listed, state.checks, self._plan.tolerance, now_ms)
        for cohort in odd:
            self._look_into(lane, project, cohort, listed[cohort.id], state.checks.get(cohort.id))
            lane.keep()
        unlisted = sorted(cohort.id for cohort in cohorts if cohort.id not in listed)
        self._forget(lane, state, {cohort.id for cohort in cohorts} & set(listed))
        self.findings.note(
            lane, next_ms=later_ms, listed_ms=now_ms, reason="", unlisted=orjson.dumps(unlisted)
        )
        log.info("audit_compared", project_id=project.id, cohorts=len(cohorts), differ=len(odd))
        return later_ms

    def _look_into(
        self, lane: HeldLane, project: Project, cohort: Cohort, listed: ListedCohort, known: Check | None
    ) -> None:
        """Have a cohort read, unless somebody else's resync of it is under way."""
        wanted = Wanted(
            "reconcile", dry_run=True, asked_by=AUDITOR, expected=listed.count, members=cohort.members
        )
        try:
            asked = self._resyncs.ask(project, cohort.id, wanted).id
        except UnknownCohort:
            return
        except UnderWay as under_way:  # ours, where a worker died right after asking
            other = self._resyncs.get(under_way.resync_id)
            if other is None or other.asked_by != AUDITOR:
                return
            asked = other.id
        place = parse_id(asked)
        assert place is not None
        fresh = known or Check(cohort.id, 0, 0, 0, "reading")
        check = replace(fresh, ours=cohort.members, theirs=listed.count, resync=place[1], state="reading")
        self.findings.put(lane, known, check)

    def _forget(self, lane: HeldLane, state: AuditState, there: set[str]) -> None:
        """Drop what is known of cohorts that are not there any more."""
        for check in state.checks.values():
            if check.cohort_id not in there:
                self._change(lane, check, None)

    def _settle(self, lane: HeldLane, project: Project, now_ms: int) -> list[int]:
        """See what has come of each check; return when (ms from now) to look again."""
        checks = self.findings.read(project.id).checks.values()
        waits_ms = []
        for check in checks:
            after = self._judged(project.id, check, now_ms) if check.open else check
            if after != check:
                self._change(lane, check, after, now_ms)
                lane.keep()
            if after and after.open:
                waits_ms.append(LOOK_MS[after.state])
        return waits_ms

    def _judged(self, project_id: str, check: Check, now_ms: int) -> Check | None:
        """Return what is known of a cohort now; None for nothing."""
        cohort = self._cohorts.get(project_id, check.cohort_id)
        if cohort is None:
            return None
        if check.state == "reading":
            read = self._read(check, self._resyncs.get(id_of(project_id, check.resync)))
            if read is None or read.state == "reading":
                return read
            check = read
        if cohort.assured_ms > check.looked_ms > 0:
            return None  # a full list or a reconcile has made it right
        return self._explained(project_id, check, now_ms) if check.state == "settling" else check

    def _read(self, check: Check, resync: ResyncState | None) -> Check | None:
        """Look at what the reconcile has found that only looked."""
        if resync is not None and not resync.ended:
            return check
        if resync is None or resync.state != "completed":
            return replace(check, state="drift") if check.raised else None
        missing, surplus = resync.counts.get("entered", 0), resync.counts.get("exited", 0)
        state: Callable[..., Check] = partial(
            replace, check, missing=missing, surplus=surplus, looked_ms=resync.ended_ms
        )
        return state(state="settling") if missing or surplus else state(state="same", since_ms=0)

    def _explained(self, project_id: str, check: Check, now_ms: int) -> Check:
        """Leave out whom the cohort's next sync has made good; what remains is drift."""
        sessions = self._cohorts.sessions(project_id, check.cohort_id, _SESSIONS)
        if not is_settled(check, sessions, now_ms):
            return check
        resync = self._resyncs.get(id_of(project_id, check.resync))
        sample = resync.sample if resync else {}
        lacked, had = list(sample.get("entered", ())), list(sample.get("exited", ()))
        present = self._membership.present(project_id, check.cohort_id, [*lacked, *had])
        missing = remaining(check.missing, lacked, present)
        surplus = remaining(check.surplus, had, set(had) - present)
        if not missing and not surplus:
            return replace(check, missing=0, surplus=0, state="same", since_ms=0)
        since_ms = check.since_ms or now_ms
        return replace(check, missing=missing, surplus=surplus, state="drift", since_ms=since_ms)

    def _change(self, lane: HeldLane, before: Check, after: Check | None, now_ms: int = 0) -> None:
        """Keep what has changed, and raise drift, or tell that it is gone, once."""
        was, is_ = before.raised, bool(after and after.raised)
        kind = "drift.detected" if is_ and not was else "drift.cleared" if was and not is_ else ""
        if not kind:
            self.findings.put(lane, before, after)
            return
        about = after if is_ and after else before
        detail = {"missing": about.missing, "surplus": about.surplus, "resync": about.resync}
        cohort = self._cohorts.get(lane.project_id, before.cohort_id)
        name = cohort.name if cohort else ""
        at_ms = now_ms or self._now_ms()
        self.findings.put(
            lane, before, after, NewEntry(kind, "", before.cohort_id, name, "", at_ms, detail=detail)
        )
        tell = log.warning if is_ else log.info
        tell(kind.replace(".", "_"), project_id=lane.project_id, cohort_id=before.cohort_id, **detail)

    def _now_ms(self) -> int:
        now_s, now_us = self._redis.time()
        return now_s * 1000 + now_us // 1000
