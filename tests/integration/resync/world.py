"""A relay with its resync lane, and a Mixpanel that says who is in a cohort."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from app.cohorts.applying.changes import Step
from app.cohorts.applying.work import Work
from app.cohorts.commit import Committer
from app.cohorts.epochs.correcting import Correcting
from app.cohorts.membership import Membership
from app.cohorts.packing import pack_id
from app.cohorts.registry import Cohorts
from app.lanes.lanes import HeldLane
from app.lanes.outcome import Outcome
from app.lanes.work import PROFILES, RESYNC
from app.mixpanel.errors import OverBudget, SessionExpired
from app.mixpanel.query_answers import ListedCohort, MembersPage
from app.resync.progress import Progress
from app.resync.reading import ReadingLane
from app.resync.resyncs import Resyncs
from app.resync.state import ResyncState, Wanted
from app.store import keys
from config.projects import Project, ServiceAccount
from config.secret import Secret
from tests.integration.cohorts.relay import FOREVER, PROJECT, ClockedRedis, P, Relay
from tests.model.wire import COHORT, SentPage
from tests.redis_server import RedisServer

ACCOUNT = replace(PROJECT, service_account=ServiceAccount("account", Secret("secret")))
RECONCILE = Wanted("reconcile")


@dataclass
class FakeQuery:
    """Answers from sets, within a budget.

    Attributes:
        present: who is in the cohort as a query is made, with the properties that a profile has.
        slots: queries that are left; None for any number.
        page_size: small, for the test.
        asked: (page, session) of each request for members.
    """

    present: dict[str, dict[str, Any]] = field(default_factory=dict)
    slots: int | None = None
    page_size: int = 3
    listed: bool = True
    asked: list[tuple[int, str]] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    sessions: dict[str, list[tuple[str, dict[str, Any]]]] = field(default_factory=dict)

    def cohorts(self, project: Project, *, spare: int = 0) -> list[ListedCohort]:
        self._take()
        return [ListedCohort(COHORT, "VIP", len(self.present))] if self.listed else []

    def page(
        self,
        project: Project,
        cohort_id: str,
        page: int,
        session_id: str | None = None,
        output_properties: Sequence[str] = (),
        *,
        page_size: int | None = None,
        spare: int = 0,
    ) -> MembersPage:
        self._take()
        if self.errors:
            raise self.errors.pop(0)
        if session_id is None:
            session_id = f"session-{len(self.sessions)}"
            self.sessions[session_id] = sorted(self.present.items())
        elif session_id not in self.sessions:
            raise SessionExpired("forgotten")
        self.asked.append((page, session_id))
        found = self.sessions[session_id]
        some = found[page * self.page_size : (page + 1) * self.page_size]
        members = [
            (distinct_id, {name: had[name] for name in output_properties if name in had})
            for distinct_id, had in some
        ]
        return MembersPage(page, self.page_size, session_id, len(found), members, len(some))

    def estimate(self, project_id: str, members: int) -> float:
        return 60.0 * members

    def _take(self) -> None:
        if self.slots is not None:
            if not self.slots:
                raise OverBudget(1234.5)
            self.slots -= 1


class World(Relay):
    """The relay of the store's tests, with the lane that reads."""

    def __init__(
        self, server: RedisServer, kind: type[ClockedRedis] = ClockedRedis, project: Project = ACCOUNT
    ) -> None:
        self.query = FakeQuery()
        super().__init__(server, kind, project)
        self.resyncs = Resyncs(self.plain, self.lanes, self.cohorts)

    def build(self) -> None:
        super().build()
        self.reading = ReadingLane(
            self.redis,
            self.query,
            Cohorts(self.redis),
            Membership(self.redis),
            Progress(self.redis, self.lanes),
            refused_ids=("null",),
            random=Random(1),
        )

    def mixpanel_has(self, members: Iterable[str], **properties: Any) -> None:
        self.query.present = {each: dict(properties) for each in members}

    def hold_reading(self) -> HeldLane:
        """Take the resync lane as a worker does, once nobody else can hold it any more."""
        lane = keys.lane(P, RESYNC.name)
        wake = self.plain.hincrby(lane, "wake", 1)
        self.plain.hset(lane, mapping={"state": "queued", "due": 0, "lease": 0, "inflight": 0})
        held = self.lanes.start(P, RESYNC.name, wake)
        assert held is not None
        return held

    def read(self, until: float = FOREVER) -> Outcome:
        """Run the resync lane once."""
        held = self.hold_reading()
        outcome = self.reading.run(held, self.project, until)
        self.lanes.finish(held, outcome)
        return outcome

    def deliver(self) -> None:
        """Let the profiles destination have read all that there is."""
        self.plain.hset(keys.destination(P, PROFILES.name), "cursor", self.changelog.end(P))

    def turn(self) -> None:
        """Let both lanes do what there is to do."""
        self.deliver()
        self.clock.now_s += 1.0
        self.drain()
        self.read()
        self.drain()

    def through(self, resync_id: str, turns: int = 50) -> ResyncState:
        """Run the lanes until the resync has ended, and is tidied up behind."""
        for _ in range(turns):
            self.turn()
            found = self.resyncs.get(resync_id)
            assert found is not None
            if found.ended:
                self.read()
                return found
        raise AssertionError(f"it does not end: {found}")

    def ask(self, wanted: Wanted = RECONCILE) -> ResyncState:
        return self.resyncs.ask(self.project, COHORT, wanted)

    def full(self, members: Iterable[str], session: str = "s", plan: str = "") -> None:
        """Have a full list applied."""
        self.clock.now_s += 1800.0
        self.accept(SentPage(session, "members", 1, 1, tuple(members), self.clock.now_s), plan=plan)
        self.drain()

    def diff(self, added: Iterable[str], removed: Iterable[str], session: str) -> None:
        """Have a sync of differences applied."""
        self.clock.now_s += 1800.0
        for action, members in (("add_members", added), ("remove_members", removed)):
            self.accept(SentPage(session, action, 1, 1, tuple(members), self.clock.now_s))  # type: ignore[arg-type]  # two of the actions
            self.drain()

    def spoil(self, missing: Iterable[str] = (), extra: Iterable[str] = ()) -> None:
        """Plant differences that no page brought: the copy has drifted."""
        held = self.hold()
        work = Work(
            redis=self.plain,
            committer=Committer(self.plain, self.lanes),
            is_ahead=lambda: False,
            is_busy=lambda: False,
            lane=held,
            project=self.project,
            until=FOREVER,
            session_s=1,
        )
        record = work.record(COHORT)
        machine = record.machine
        for present, names in ((False, missing), (True, extra)):
            for name in names:
                packed_id = pack_id(name)
                (entry,) = self.membership.entries(P, COHORT, record.buckets, [packed_id]).values()
                existed = not entry.gone
                step = Step(work, record, None, "sync", self.clock.now_ms)
                machine.begin_correcting()
                step.change(packed_id, Correcting(machine, 0, ()).correct(entry, present=present))
                step.store(packed_id, entry, existed=existed)
                machine.reconciled, machine.excused = [], 0
                work.commit(step.sealed())
        self.lanes.finish(held, Outcome.drained())

    def repairs(self) -> tuple[set[str], set[str]]:
        """Return who entered and who exited by reconciles, by what the log says."""
        of = [entry for entry in self.log() if entry.kind == "changes" and entry.cause == "reconcile"]
        entered = {distinct_id for entry in of for distinct_id, _ in entry.entered}
        return entered, {distinct_id for entry in of for distinct_id in entry.exited}
