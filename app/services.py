"""Make every service once a process."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import SystemRandom
from typing import Protocol

from redis import Redis

from app.cohorts.applying.run import ApplyLane
from app.cohorts.changelog import ChangeLog
from app.cohorts.inbox import Inbox
from app.cohorts.membership import Membership
from app.cohorts.registry import Cohorts
from app.destinations.cursor import Cursor
from app.destinations.dead_letters import DeadLetters
from app.destinations.profiles.delivery import Planner
from app.destinations.profiles.destination import NAME, ProfilesDestination
from app.destinations.profiles.sending import RoundSender
from app.destinations.profiles.status import ProfilesStatus
from app.lanes.lanes import HeldLane, Lanes
from app.lanes.outcome import Outcome
from app.lanes.queue import LaneQueue
from app.lanes.work import APPLY, PROFILES
from app.mixpanel.batches import BatchSender
from app.mixpanel.budget import IngestionBudget
from app.mixpanel.ingestion import Ingestion
from app.mixpanel.size_limit import SizeLimits
from app.mixpanel.transport import Transport
from app.store.connection import connect
from app.store.heartbeats import Heartbeats
from config.projects import Project
from config.settings import Settings


class LaneRunner(Protocol):
    """Does a lane's work while it is held."""

    def run(self, lane: HeldLane, project: Project, until: float) -> Outcome:
        """Work until nothing is left, the time (monotonic seconds) is up, or something is in the way."""
        ...


@dataclass(frozen=True)
class Services:
    """Everything that requests, jobs and commands use."""

    settings: Settings
    redis: Redis
    queue: LaneQueue
    lanes: Lanes
    inbox: Inbox
    changelog: ChangeLog
    cohorts: Cohorts
    membership: Membership
    dead_letters: DeadLetters
    profiles: ProfilesStatus
    heartbeats: Heartbeats
    runners: Mapping[str, LaneRunner]


def build_services(settings: Settings) -> Services:
    """Put the services together; nothing connects before it is used."""
    redis = connect(settings.redis_url)
    queue = LaneQueue(connect(settings.rq_redis_url))
    lanes = Lanes(redis, queue, settings.lease_s)
    inbox = Inbox(
        redis,
        lanes,
        soft_cap_bytes=settings.inbox_soft_cap_bytes,
        hard_cap_bytes=settings.inbox_hard_cap_bytes,
        wait_replicas=settings.wait_replicas,
    )
    changelog = ChangeLog(redis, lanes, settings.log_keep_entries)
    cohorts, membership, dead_letters = Cohorts(redis), Membership(redis), DeadLetters(redis)
    cursor = Cursor(redis, NAME, settings.dead_letter_cap)
    profiles = ProfilesDestination(
        changelog,
        Planner(changelog, cohorts, membership),
        _round_sender(settings, redis, cursor),
        cursor,
        random=SystemRandom(),
    )
    apply = ApplyLane(redis, lanes, inbox, changelog, settings.session_days)
    return Services(
        settings=settings,
        redis=redis,
        queue=queue,
        lanes=lanes,
        inbox=inbox,
        changelog=changelog,
        cohorts=cohorts,
        membership=membership,
        dead_letters=dead_letters,
        profiles=ProfilesStatus(changelog, cursor, dead_letters),
        heartbeats=Heartbeats(redis),
        runners={APPLY.name: apply, PROFILES.name: profiles},
    )


def _round_sender(settings: Settings, redis: Redis, cursor: Cursor) -> RoundSender:
    transport = Transport(timeout_s=settings.mixpanel_timeout_s, connections=settings.mixpanel_connections)
    batches = BatchSender(Ingestion(transport), IngestionBudget(redis), SizeLimits(redis))
    return RoundSender(
        batches, cursor, connections=settings.mixpanel_connections, timeout_s=settings.mixpanel_timeout_s
    )
