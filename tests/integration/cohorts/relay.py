"""The store half of the relay over a real Redis, with a clock and a queue in the test's hands.

Pages go in by `Inbox.accept` and are applied by `ApplyLane.run` under a lane that `Lanes` gave: nothing here
stands in for the product but the time it reads and the queue that would call a worker.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self, TypeVar, cast

import orjson
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from app.cohorts.applying.run import ApplyLane
from app.cohorts.changelog import ChangeLog, Entry
from app.cohorts.inbox import READ_AT_ONCE, Accepted, Inbox, Waiting, digest_of
from app.cohorts.membership import Membership
from app.cohorts.page_schema import PageHead
from app.cohorts.pages import parse
from app.cohorts.registry import Cohorts
from app.lanes.lanes import HeldLane, Lanes
from app.lanes.outcome import Outcome
from app.lanes.queue import LaneQueue
from app.lanes.work import APPLY
from app.mixpanel.refused_ids import REFUSED_IDS
from app.store import keys
from app.store.format import StoredFormat
from config.projects import HOSTS, Project
from config.rules import DEFAULT_RULES, RuleSet
from config.secret import Secret
from tests.model.wire import COHORT, SentPage
from tests.redis_server import RedisServer

P = "2195193"
BEGIN_S = 4_000_000_000.0
"""Long after now, so that nothing falls due by the server's own clock."""
SESSION_DAYS = 7
FOREVER = float("inf")

RULES = RuleSet(tuple(replace(rule, copy={"plan": "plan"}) for rule in DEFAULT_RULES.rules))
"""The default rule, and one property of members that the log has to carry."""

PROJECT = Project(
    id=P,
    name="Shop",
    region="eu",
    token=Secret("token"),
    hosts=HOSTS["eu"],
    webhook_credentials=(),
    rules=RULES,
)


@dataclass
class Clock:
    """Seconds since the epoch; set by the test."""

    now_s: float = BEGIN_S

    @property
    def now_ms(self) -> int:
        return int(self.now_s * 1000)


class ClockedRedis(Redis):
    """A client that tells the test's time; scripts keep the server's."""

    clock: Clock

    def time(self, **_: Any) -> tuple[int, int]:
        return self.clock.now_ms // 1000, self.clock.now_ms % 1000 * 1000


R = TypeVar("R", bound="ClockedRedis")


def connect(server: RedisServer, kind: type[R], clock: Clock) -> R:
    """Return a client of the server, of the kind asked for, that goes by the clock."""
    client = kind(host="127.0.0.1", port=server.port, socket_timeout=10.0, retry=Retry(NoBackoff(), 0))
    client.clock = clock
    return client


class Turns(float):
    """An end of a run's time that is reached after so many looks at the clock, whatever the clock says."""

    left: int

    def __new__(cls, left: int) -> Self:
        turns = super().__new__(cls, FOREVER)
        turns.left = left
        return turns

    def __le__(self, _now: object) -> bool:
        self.left -= 1
        return self.left < 0


class Jobs:
    """A queue that keeps the apply lane's jobs for the test to run; nobody runs the destinations'."""

    def __init__(self) -> None:
        self.waiting: list[tuple[str, str, int]] = []

    def enqueue(self, project_id: str, lane: str, wake: int) -> None:
        if lane == APPLY.name:
            self.waiting.append((project_id, lane, wake))

    def holds(self, project_id: str, lane: str, wake: int) -> bool:
        return (project_id, lane, wake) in self.waiting


class TimedInbox(Inbox):
    """Says that a page was accepted when the test's clock said so."""

    clock: Clock
    times_ms: dict[bytes, int]
    plain: Redis

    def accept(self, head: PageHead, body: bytes) -> Accepted:
        digest = digest_of(head, body)
        if not self.plain.hexists(keys.inbox_waiting(head.project_id), digest):
            self.times_ms[digest] = self.clock.now_ms
        return super().accept(head, body)

    def waiting(self, project_id: str, count: int = READ_AT_ONCE) -> list[Waiting]:
        found = super().waiting(project_id, count)
        return [replace(each, at_ms=self.times_ms[each.digest]) for each in found]


class Relay:
    """One project's inbox, lane, membership and log.

    Args:
        server: where all of it is.
        kind: of client that the product uses; what the test looks at goes by a plain one.
        project: whose rules apply.
    """

    def __init__(
        self, server: RedisServer, kind: type[ClockedRedis] = ClockedRedis, project: Project = PROJECT
    ) -> None:
        self.clock = Clock()
        self.project = project
        self.plain = connect(server, ClockedRedis, self.clock)
        self.redis = connect(server, kind, self.clock)
        self.jobs = Jobs()
        self._times_ms: dict[bytes, int] = {}
        self.build()
        watched = connect(server, ClockedRedis, self.clock)
        self.membership, self.cohorts = Membership(watched), Cohorts(watched)
        self.changelog = ChangeLog(watched, self.lanes, keep_entries=1_000_000)

    def build(self) -> None:
        """Make what a worker makes when it starts."""
        self.lanes = Lanes(self.redis, cast("LaneQueue", self.jobs), lease_s=15.0)
        self.inbox = TimedInbox(self.redis, self.lanes, soft_cap_bytes=1 << 24, hard_cap_bytes=1 << 26)
        self.inbox.clock, self.inbox.times_ms, self.inbox.plain = self.clock, self._times_ms, self.plain
        log = ChangeLog(self.redis, self.lanes, keep_entries=1_000_000)
        self.apply = ApplyLane(
            self.redis,
            self.lanes,
            self.inbox,
            log,
            StoredFormat([P], marks=False),
            session_days=SESSION_DAYS,
            refused_ids=REFUSED_IDS,
        )

    def close(self) -> None:
        for client in (self.plain, self.redis):
            client.close()

    # --- what happens --------------------------------------------------------------------------------------

    def accept(
        self, page: SentPage, *, name: str = "VIP", broken: Sequence[Any] = (), plan: str = ""
    ) -> bool:
        """Take a page in at the clock's time; False if it is a copy of one that waits."""
        return not self._accept(body_of(page, name=name, broken=broken, plan=plan)).duplicate

    def accept_body(self, body: bytes) -> Accepted:
        return self._accept(body)

    def _accept(self, body: bytes) -> Accepted:
        return self.inbox.accept(parse(body).head, body)

    def hold(self) -> HeldLane:
        """Take the apply lane as a worker does, once nobody else can hold it any more.

        Jobs that wait for it are dropped: the sweeper has to find out by itself.
        """
        self.jobs.waiting.clear()
        lane = keys.lane(P, APPLY.name)
        if self.plain.exists(lane):
            self.plain.hset(lane, mapping={"due": 0, "lease": 0, "inflight": 0})
        if not self.lanes.sweep(P, APPLY):  # idle without work: look all the same
            wake = self.plain.hincrby(lane, "wake", 1)
            self.plain.hset(lane, mapping={"state": "queued", "due": 0})
            self.jobs.enqueue(P, APPLY.name, wake)
        held = self.lanes.start(*self.jobs.waiting.pop())
        assert held is not None
        return held

    def run(self, turns: float = FOREVER) -> Outcome:
        """Run the lane once, for so many turns at most."""
        held = self.hold()
        until = FOREVER if turns == FOREVER else Turns(int(turns))
        outcome = self.apply.run(held, self.project, until)
        self.lanes.finish(held, outcome)
        return outcome

    def drain(self, runs: int = 50) -> None:
        """Run the lane until nothing is left."""
        for _ in range(runs):
            if self.run().kind == "drained" and not self.jobs.waiting:
                return
        raise AssertionError("the lane does not drain")

    def send(self, *pages: SentPage, name: str = "VIP") -> None:
        """Take pages in at their own times, and apply each before the next."""
        for page in pages:
            self.clock.now_s = max(self.clock.now_s, BEGIN_S + page.at)
            self.accept(page, name=name)
            self.drain()

    # --- what there is then --------------------------------------------------------------------------------

    def log(self) -> list[Entry]:
        return self.changelog.read(P, 0, 10**9)

    def members(self, cohort_id: str = COHORT) -> frozenset[str]:
        return frozenset(self.membership.members(P, cohort_id))


def replayed(log: Iterable[Entry], cohort_id: str = COHORT) -> frozenset[str]:
    """Return who is in the cohort by what the log says: all that a destination knows."""
    present: set[str] = set()
    for entry in log:
        if entry.cohort_id == cohort_id:
            present |= {distinct_id for distinct_id, _ in entry.entered}
            present -= set(entry.exited)
    return frozenset(present)


def body_of(page: SentPage, *, name: str = "VIP", broken: Sequence[Any] = (), plan: str = "") -> bytes:
    """Write a page as Mixpanel sends it, with members that nobody can use where asked."""
    properties: Mapping[str, str] = {"plan": plan} if plan else {}
    members = [{"mixpanel_distinct_id": each, **properties} for each in page.members]
    parameters = {
        "mixpanel_project_id": P,
        "mixpanel_cohort_id": page.cohort,
        "mixpanel_cohort_name": name,
        "mixpanel_session_id": page.session,
        "page_info": {"total_pages": page.total, "page_count": page.number},
        "members": [*members, *broken],
    }
    return orjson.dumps({"action": page.action, "parameters": parameters})
