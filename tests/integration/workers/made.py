"""Services for jobs and the clock: real lanes, and runners that do as a test says."""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

from redis import Redis

from app.cohorts.quarantine import Quarantine
from app.destinations.dead_letters import DeadLetters
from app.destinations.dead_letters.ageing import Ageing
from app.lanes.lanes import HeldLane, Lanes
from app.lanes.outcome import Outcome
from app.lanes.queue import LaneQueue
from app.metrics.recorder import Recorder
from app.resync.audit.auditing import Auditing, AuditPlan
from app.resync.rule_changes import RuleChanges
from app.services import Services
from app.store.format import StoredFormat
from app.store.heartbeats import Heartbeats
from config.projects import HOSTS, Project
from config.secret import Secret

LEASE_S = 15.0


@dataclass
class Runner:
    """Runs a lane as `does` says, and keeps which projects' it ran."""

    does: Callable[[HeldLane], Outcome] = lambda _held: Outcome.drained()
    ran: list[str] = field(default_factory=list)

    def run(self, lane: HeldLane, _project: Project, _until: float) -> Outcome:
        self.ran.append(lane.project_id)
        return self.does(lane)


def make_services(redis: Redis, runner: Runner, *project_ids: str) -> Services:
    made = SimpleNamespace(
        redis=redis,
        stored_format=StoredFormat(project_ids, marks=True),
        queue=LaneQueue(redis),
        lanes=Lanes(redis, LaneQueue(redis), LEASE_S),
        heartbeats=Heartbeats(redis),
        recorder=Recorder(),
        ageing=Ageing(redis, DeadLetters(redis), Quarantine(redis), days=30, trim=lambda _: None),
        auditing=_auditing(redis),
        rule_changes=RuleChanges(redis, Lanes(redis, LaneQueue(redis), LEASE_S)),
        runners={"apply": runner, "profiles": runner},
        settings=SimpleNamespace(projects={each: _project(each) for each in project_ids}, slice_s=1.0),
    )
    return cast("Services", made)


def _auditing(redis: Redis) -> Auditing:
    nobody: Any = None
    plan = AuditPlan(interval_s=3600.0, tolerance=0.0, spare=30)
    return Auditing(
        redis, nobody, cohorts=nobody, membership=nobody, resyncs=nobody, findings=nobody, plan=plan
    )


def _project(project_id: str) -> Project:
    return Project(project_id, "Shop", "eu", Secret("token-1"), HOSTS["eu"], webhook_credentials=())
