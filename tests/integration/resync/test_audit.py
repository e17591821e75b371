"""The scheduled audit: drift is found, raised once, cleared; within the budget, whoever dies."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from structlog import wrap_logger
from structlog.stdlib import BoundLogger
from structlog.testing import LogCapture

from app.cohorts.membership import Membership
from app.cohorts.registry import Cohorts
from app.lanes.lanes import LaneLost
from app.lanes.work import RESYNC, profiles_only
from app.mixpanel.errors import CredentialRefused, MixpanelError, Retryable
from app.mixpanel.query_answers import ListedCohort, MembersPage
from app.mixpanel.query_budget import query_rates
from app.mixpanel.request_budget import RequestBudget
from app.resync.audit.auditing import FIRST_MS, Auditing, AuditPlan
from app.resync.audit.findings import AuditState, Findings
from app.resync.audit.judging import Check
from app.resync.resyncs import Resyncs, UnderWay
from app.resync.state import AUDITOR, ResyncState, Wanted
from app.store import keys
from config.projects import Project
from tests.integration.cohorts.relay import P
from tests.integration.resync.world import RECONCILE, World
from tests.model.wire import COHORT, SentPage
from tests.redis_server import RedisServer

PEOPLE = tuple(f"u{number:02}" for number in range(20))
HOUR_S = 3600.0
DAY_S = 24 * HOUR_S
PLAN = AuditPlan(interval_s=6 * HOUR_S, tolerance=0.0, spare=30)


@dataclass
class Mixpanel:
    """Answers from sets, of any number of cohorts, and counts every query against the real budget.

    Attributes:
        cohorts_: who is in each.
        late: what is added to the counts that it lists.
        asked: what was asked for, in order: a cohort's id, or "list".
    """

    budget: RequestBudget
    cohorts_: dict[str, set[str]] = field(default_factory=dict)
    late: int = 0
    page_size: int = 50
    asked: list[str] = field(default_factory=list)
    errors: list[MixpanelError] = field(default_factory=list)

    def cohorts(self, project: Project, *, spare: int = 0) -> list[ListedCohort]:
        if self.errors:
            raise self.errors.pop(0)
        with self.budget.slot(project.id, spare=spare):
            self.asked.append("list")
        return [ListedCohort(id_, "VIP", len(who) + self.late) for id_, who in self.cohorts_.items()]

    def page(self, project: Project, cohort_id: str, page: int, *_: Any, **more: Any) -> MembersPage:
        with self.budget.slot(project.id, follow_up=page > 0, spare=more["spare"]):
            self.asked.append(cohort_id)
        found = sorted(self.cohorts_[cohort_id])[page * self.page_size : (page + 1) * self.page_size]
        members: list[tuple[str, dict[str, Any]]] = [(each, {}) for each in found]
        return MembersPage(page, self.page_size, "s", None, members, len(found))

    def estimate(self, project_id: str, members: int) -> float:
        return 0.0


class Audited(World):
    """A relay whose resync lane audits."""

    plan = PLAN

    def build(self) -> None:
        super().build()
        if not hasattr(self, "mixpanel"):
            now_us = lambda: int(self.clock.now_s * 1_000_000)  # noqa: E731
            rates = query_rates(timeout_s=60.0)
            self.mixpanel = Mixpanel(RequestBudget(self.redis, rates, now_us=now_us))
        self.findings = Findings(self.redis, self.lanes, profiles_only)
        self.auditing = Auditing(
            self.redis,
            self.mixpanel,
            cohorts=Cohorts(self.redis),
            membership=Membership(self.redis),
            resyncs=Resyncs(self.redis, self.lanes, Cohorts(self.redis)),
            findings=self.findings,
            plan=self.plan,
        )
        self.reading._query = self.mixpanel
        self.reading._auditing = self.auditing

    @property
    def state(self) -> AuditState:
        return self.findings.read(P)

    def pass_time(self, seconds: float, step_s: float = 1.0) -> None:
        """Let the clock and both lanes do what falls due meanwhile, by its own scores, in steps at least."""
        ends_s = self.clock.now_s + seconds
        while True:
            self.auditing.schedule([self.project])
            self.deliver()
            self.drain()
            self.read()
            self.drain()
            due = self.plain.zrange(keys.resyncs_due(P), 0, 0, withscores=True)
            next_s = max(self.clock.now_s + step_s, float(due[0][1]) / 1000 if due else ends_s)
            if next_s >= ends_s:
                break
            self.clock.now_s = next_s
        self.clock.now_s = ends_s

    def audit(self) -> None:
        """Let one audit compare and read, whatever time it is."""
        self.auditing.schedule([self.project])
        self.read()
        self.plain.hset(keys.audit_of(P), "next_ms", self.clock.now_ms)
        self.plain.zadd(keys.resyncs_due(P), {"0": self.clock.now_ms})
        self.pass_time(300.0)

    def told(self) -> list[tuple[str, Any]]:
        return [(e.kind, dict(e.detail)) for e in self.log() if e.kind.startswith("drift.")]


@pytest.fixture
def world(redis_server: RedisServer) -> Iterator[Audited]:
    redis_server.flush()
    made = Audited(redis_server)
    made.resyncs = Resyncs(made.plain, made.lanes, Cohorts(made.plain), pause=lambda _: made.drain())
    made.full(PEOPLE, "s0")
    made.mixpanel.cohorts_ = {COHORT: set(PEOPLE)}
    yield made
    made.close()


def test_a_drift_is_found_raised_once_and_cleared_when_a_reconcile_has_made_it_good(
    world: Audited, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = LogCapture()
    monkeypatch.setattr("app.resync.audit.auditing.log", wrap_logger(None, [lines], BoundLogger))
    world.spoil(missing=("u01", "u02"), extra=("x",))
    world.audit()
    assert world.state.drifts == [], "the next sync may still explain it"
    world.diff((), (), "s1")
    for _ in range(3):
        world.pass_time(6 * HOUR_S, step_s=1_800.0)
    (drift,) = world.state.drifts
    assert (drift.cohort_id, drift.missing, drift.surplus) == (COHORT, 2, 1)
    assert world.told() == [("drift.detected", {"missing": 2, "surplus": 1, "resync": 1})]
    raised = [line for line in lines.entries if line["event"] == "drift_detected"]
    assert [(line["log_level"], line["missing"]) for line in raised] == [("warning", 2)]
    assert not any(name in str(lines.entries) for name in (*PEOPLE, "'x'")), "personal data in a log line"
    assert world.members() == (set(PEOPLE) | {"x"}) - {"u01", "u02"}, "it only looks"

    world.through(world.ask().id)
    world.pass_time(700.0)
    assert world.state.drifts == []
    assert [kind for kind, _ in world.told()] == ["drift.detected", "drift.cleared"]
    assert world.members() == set(PEOPLE)


def test_a_drift_that_nobody_repairs_here_clears_when_mixpanel_comes_to_agree(world: Audited) -> None:
    world.spoil(extra=("x",))
    world.audit()
    world.pass_time(3 * HOUR_S)
    assert len(world.state.drifts) == 1
    world.mixpanel.cohorts_[COHORT] = {*PEOPLE, "x"}
    world.audit()
    assert [kind for kind, _ in world.told()] == ["drift.detected", "drift.cleared"]


def test_who_came_and_went_since_the_last_sync_is_no_drift(world: Audited) -> None:
    world.mixpanel.cohorts_[COHORT] = {*PEOPLE[3:], "new"}
    world.audit()
    assert world.state.checks[COHORT].state == "settling"
    world.diff(("new",), PEOPLE[:3], "s1")
    world.pass_time(120.0)
    assert (world.state.checks[COHORT].state, world.told()) == ("same", [])


def test_only_what_the_next_sync_leaves_unexplained_is_raised(world: Audited) -> None:
    world.spoil(missing=("u10",))
    world.mixpanel.cohorts_[COHORT] = {*PEOPLE[3:], "new"}
    world.audit()
    world.diff(("new",), PEOPLE[:3], "s1")
    world.pass_time(120.0)
    assert [detail for _, detail in world.told()] == [{"missing": 1, "surplus": 0, "resync": 1}]


def test_without_another_sync_a_difference_is_raised_after_two_hours(world: Audited) -> None:
    world.spoil(missing=("u10",))
    world.audit()
    world.pass_time(HOUR_S)
    assert world.told() == []
    world.pass_time(1.2 * HOUR_S)
    assert len(world.told()) == 1


def test_counts_that_are_estimates_are_looked_into_once_a_day(world: Audited) -> None:
    world.mixpanel.late = 2
    world.audit()
    world.pass_time(17 * HOUR_S)
    assert world.mixpanel.asked.count(COHORT) == 1
    assert world.mixpanel.asked.count("list") == 3
    world.pass_time(DAY_S)
    assert world.mixpanel.asked.count(COHORT) == 2
    assert world.told() == []


def test_equal_counts_cost_one_query_an_audit(world: Audited) -> None:
    world.pass_time(FIRST_MS / 1000 + DAY_S)
    assert world.mixpanel.asked == ["list"] * 4


def test_a_tolerance_lets_a_small_difference_be(world: Audited) -> None:
    world.plan = replace(PLAN, tolerance=0.1)
    world.build()
    world.spoil(missing=("u01", "u02"))
    world.audit()
    assert world.mixpanel.asked == ["list"]


def test_without_a_service_account_or_with_an_interval_of_0_there_is_no_audit(world: Audited) -> None:
    world.auditing.schedule([replace(world.project, service_account=None)])
    assert not world.plain.exists(keys.resyncs_due(P))
    world.auditing.schedule([world.project])
    world.plan = replace(PLAN, interval_s=0.0)
    world.build()
    world.auditing.schedule([world.project])
    world.pass_time(2 * DAY_S)
    assert not world.plain.exists(keys.resyncs_due(P))
    assert world.mixpanel.asked == []


def test_a_refused_credential_is_said_and_the_audit_tries_again_at_the_next_interval(world: Audited) -> None:
    world.mixpanel.errors = [CredentialRefused(401, "the service account was refused")]
    world.audit()
    assert (world.state.reason, world.mixpanel.asked) == ("the service account was refused", [])
    world.pass_time(7 * HOUR_S)
    assert (world.state.reason, world.mixpanel.asked) == ("", ["list"])


def test_an_unanswered_listing_is_tried_again_soon(world: Audited) -> None:
    world.mixpanel.errors = [Retryable("timed out")]
    world.audit()
    assert world.mixpanel.asked == ["list"]


def test_a_cohort_that_mixpanel_does_not_list_is_noted(world: Audited) -> None:
    world.mixpanel.cohorts_ = {}
    world.audit()
    assert world.state.unlisted == (COHORT,)


def test_an_operators_resync_takes_a_cohort_from_the_audit(world: Audited) -> None:
    world.spoil(missing=("u01",))
    world.auditing._resyncs.ask(
        world.project, COHORT, Wanted("reconcile", dry_run=True, asked_by=AUDITOR, expected=20, members=19)
    )
    world.drain()
    with pytest.raises(UnderWay):
        world.auditing._resyncs.ask(world.project, COHORT, Wanted("reconcile", asked_by=AUDITOR))
    ended = world.through(world.ask().id)
    assert (ended.state, ended.counts["entered"]) == ("completed", 1)


def test_even_the_listing_leaves_operators_their_queries(world: Audited) -> None:
    for _ in range(30):
        world.clock.now_s += 1.0
        world.mixpanel.budget.end(P, world.mixpanel.budget.begin(P))
    world.audit()
    assert world.mixpanel.asked == []
    world.pass_time(HOUR_S)
    assert world.mixpanel.asked == ["list"]


def test_what_the_audit_reads_comes_behind_what_operators_have_read(world: Audited) -> None:
    asked = Wanted("reconcile", dry_run=True, asked_by=AUDITOR, expected=20, members=20)
    world.auditing._resyncs.ask(world.project, COHORT, asked)
    world.drain()
    due = world.plain.zrange(keys.resyncs_due(P), 0, -1, withscores=True)
    assert due == [(b"1", float(world.clock.now_ms))]
    (other,) = many(world, 1)
    world.resyncs.ask(world.project, other, RECONCILE)
    assert world.plain.zrange(keys.resyncs_due(P), 0, 0) == [b"2"]


def test_what_is_known_is_replaced_only_by_who_knew_it(world: Audited) -> None:
    held, one = world.hold_reading(), Check(COHORT, 1, 2, 3, "reading")
    world.findings.put(held, None, one)
    with pytest.raises(LaneLost):
        world.findings.put(held, None, replace(one, theirs=9))
    assert world.state.checks == {COHORT: one}


def many(world: Audited, number: int) -> list[str]:
    """Have so many cohorts, each of which differs in one."""
    ids = [str(5000 + place) for place in range(number)]
    for cohort_id in ids:
        world.accept(SentPage(f"s{cohort_id}", "members", 1, 1, PEOPLE, 0.0, cohort_id))
        world.mixpanel.cohorts_[cohort_id] = {*PEOPLE, "new"}
    world.drain()
    return ids


def test_sixty_cohorts_are_read_within_half_of_sixty_queries_an_hour(world: Audited) -> None:
    ids = many(world, 60)
    world.pass_time(FIRST_MS / 1000)
    asked = len(world.mixpanel.asked)
    for _ in range(5):
        world.pass_time(HOUR_S, step_s=300.0)
        asked_now = len(world.mixpanel.asked)
        assert asked_now - asked <= 31
        assert world.mixpanel.budget.left(P).windows[0] >= 30, "what operators can ask at once"
        asked = asked_now
    assert sorted(set(world.mixpanel.asked) - {"list"}) == ids
    assert world.mixpanel.asked.count("list") == 1
    assert {check.cohort_id for check in world.state.drifts} == set(ids)
    assert len(world.told()) == 60


def test_an_operator_comes_first_while_the_audit_waits_for_its_share(world: Audited) -> None:
    many(world, 60)
    world.pass_time(FIRST_MS / 1000 + 120.0)
    assert world.mixpanel.budget.left(P).windows[0] == 30
    assert world.plain.hget(keys.lane(P, RESYNC.name), "state") != b"waiting", "it must wake for others"
    before = len(world.mixpanel.asked)
    world.mixpanel.cohorts_[COHORT] = {*PEOPLE, "z"}
    ended = world.through(world.ask(RECONCILE).id)
    assert ended.state == "completed"
    assert world.mixpanel.asked[before:] == ["list", COHORT], "and at once"


def test_whoever_dies_in_the_middle_drift_is_raised_once_and_costs_a_query_at_the_most(
    world: Audited, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every step of the resync lane dies once behind each of its writes."""
    ids = many(world, 5)
    world.auditing.schedule([world.project])
    world.read()
    world.clock.now_s += FIRST_MS / 1000 + 1.0
    deaths = 0
    for turn in range(90):
        _die_after(world, monkeypatch, turn % 9)
        try:
            world.read()
        except (LaneLost, Died):
            deaths += 1
        monkeypatch.undo()
        world.build()
        world.drain()
        world.clock.now_s += 61.0
        world.auditing.schedule([world.project])
    world.pass_time(3 * HOUR_S)
    assert {check.cohort_id for check in world.state.drifts} == set(ids)
    assert len(world.told()) == 5
    assert deaths > 20
    assert len(world.mixpanel.asked) <= 1 + 5 + deaths
    assert not [each for each in resyncs(world) if not each.ended]


class Died(Exception):  # noqa: N818 - what happens to a worker
    """The process is gone."""


def _die_after(world: Audited, monkeypatch: pytest.MonkeyPatch, writes: int) -> None:
    """Let the lane's process die before its next write but so many."""
    left = [writes]
    execute: Callable[..., Any] = world.redis.execute_command

    def dying(*args: Any, **options: Any) -> Any:
        if args[0] == "EVALSHA":
            if not left[0]:
                raise Died
            left[0] -= 1
        return execute(*args, **options)

    monkeypatch.setattr(world.redis, "execute_command", dying)


def resyncs(world: Audited) -> list[ResyncState]:
    return world.resyncs.list(P, limit=1000)[0]


def test_it_changes_nothing_whatever_it_finds(world: Audited) -> None:
    world.spoil(missing=("u01",), extra=("x",))
    before = world.members()
    world.audit()
    world.pass_time(DAY_S)
    assert world.members() == before
    assert world.repairs() == (set(), set())
