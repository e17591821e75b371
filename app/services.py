"""Make every service once a process."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import SystemRandom
from typing import Protocol

from redis import Redis

from app.access.tokens import Tokens
from app.cohorts.applying.run import ApplyLane
from app.cohorts.changelog import ChangeLog
from app.cohorts.inbox import Inbox
from app.cohorts.membership import Membership
from app.cohorts.registry import Cohorts
from app.destinations.cursor import Cursor
from app.destinations.dead_letters import DeadLetters
from app.destinations.events_outbox import EventsOutboxSource
from app.destinations.outbox import Outboxes
from app.destinations.profiles.source import ProfilesSource
from app.destinations.profiles.submitted import GroupsOutboxSource, ProfilesOutboxSource
from app.destinations.runner import Destination
from app.destinations.sending import RoundSender
from app.destinations.source import E, Source
from app.destinations.status import DestinationStatuses
from app.destinations.waiting.gate import Gate
from app.destinations.waiting.links import NoLinks, linking_ids
from app.destinations.waiting.room import Room
from app.destinations.waiting.runner import WaitingDestination
from app.destinations.waiting.source import RoomSource
from app.lanes.lanes import HeldLane, Lanes
from app.lanes.outcome import Outcome
from app.lanes.queue import LaneQueue
from app.lanes.work import APPLY, OUTBOX_LANES, PROFILES, LaneKind, readers_of
from app.mixpanel.batches import BatchSender, Endpoint
from app.mixpanel.budget import IngestionBudget
from app.mixpanel.ingestion import Ingestion
from app.mixpanel.refused_ids import REFUSED_IDS
from app.mixpanel.size_limit import SizeLimits
from app.mixpanel.transport import Transport
from app.store.connection import connect
from app.store.format import StoredFormat
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
    stored_format: StoredFormat
    queue: LaneQueue
    lanes: Lanes
    inbox: Inbox
    changelog: ChangeLog
    cohorts: Cohorts
    membership: Membership
    dead_letters: DeadLetters
    outboxes: Outboxes
    tokens: Tokens
    destinations: DestinationStatuses
    heartbeats: Heartbeats
    runners: Mapping[str, LaneRunner]


def build_services(settings: Settings, *, looks_only: bool = False) -> Services:
    """Put the services together; nothing connects before it is used.

    Args:
        settings: of the process.
        looks_only: for commands that change nothing, not even the mark of a Redis without state.
    """
    stored_format = StoredFormat(settings.projects, marks=not looks_only)
    redis = connect(settings.redis_url, greet=stored_format.on_connect)
    queue = LaneQueue(connect(settings.rq_redis_url))
    lanes = Lanes(redis, queue, settings.lease_s)
    inbox = Inbox(
        redis,
        lanes,
        soft_cap_bytes=settings.inbox_soft_cap_bytes,
        hard_cap_bytes=settings.inbox_hard_cap_bytes,
        wait_replicas=settings.wait_replicas,
    )
    changelog = ChangeLog(redis, lanes, settings.log_keep_entries, readers_of(settings.projects))
    outboxes = Outboxes(redis, lanes, settings.outbox_cap_bytes, settings.wait_replicas)
    cohorts, membership = Cohorts(redis), Membership(redis)
    apply = ApplyLane(
        redis,
        lanes,
        inbox,
        changelog,
        stored_format,
        session_days=settings.session_days,
        refused_ids=REFUSED_IDS,
    )
    destinations = _Destinations(settings, redis, changelog)
    ingestion = destinations.ingestion
    links = NoLinks()
    gate = Gate(redis, Room(redis, PROFILES.name), links, settings.link_wait_s)
    outbox_gate = Gate(redis, Room(redis, OUTBOX_LANES["profiles"].name), links, settings.link_wait_s)
    profiles = ProfilesSource(changelog, cohorts, membership, gate, linking_ids)
    runners: dict[str, LaneRunner] = {
        APPLY.name: apply,
        **destinations.with_room(PROFILES, gate, profiles, ingestion.update_profiles),
        **destinations.with_room(
            OUTBOX_LANES["profiles"],
            outbox_gate,
            ProfilesOutboxSource(outboxes, outbox_gate),
            ingestion.update_profiles,
        ),
        **destinations.made(
            OUTBOX_LANES["groups"], GroupsOutboxSource(outboxes, "groups"), ingestion.update_groups
        ),
        **destinations.made(
            OUTBOX_LANES["events"], EventsOutboxSource(outboxes, "events"), ingestion.import_events
        ),
    }
    return Services(
        settings=settings,
        redis=redis,
        stored_format=stored_format,
        queue=queue,
        lanes=lanes,
        inbox=inbox,
        changelog=changelog,
        cohorts=cohorts,
        membership=membership,
        dead_letters=DeadLetters(redis),
        outboxes=outboxes,
        tokens=Tokens(redis),
        destinations=DestinationStatuses(redis, changelog, outboxes),
        heartbeats=Heartbeats(redis),
        runners=runners,
    )


class _Destinations:
    """Make the runners of lanes that send; they share one pool of connections."""

    def __init__(self, settings: Settings, redis: Redis, changelog: ChangeLog) -> None:
        self._settings = settings
        self._redis = redis
        self._changelog = changelog
        transport = Transport(
            timeout_s=settings.mixpanel_timeout_s, connections=settings.mixpanel_connections
        )
        self.ingestion = Ingestion(transport)
        self._budget, self._limits = IngestionBudget(redis), SizeLimits(redis)

    def made(self, lane: LaneKind, source: Source[E], endpoint: Endpoint) -> dict[str, LaneRunner]:
        """Make the runner of a lane that sends what a source gives to one endpoint; by the lane's name."""
        return {lane.name: self._destination(lane.name, source, endpoint)}

    def with_room(
        self, lane: LaneKind, gate: Gate, source: Source[E], endpoint: Endpoint
    ) -> dict[str, LaneRunner]:
        """Make the runner of a lane some of whose updates wait for links; by the lane's name."""
        main = self._destination(lane.name, source, endpoint)
        leaving = self._destination(gate.room.name, RoomSource(gate), endpoint, letters_of=lane.name)
        return {lane.name: WaitingDestination(main, leaving, gate)}

    def _destination(
        self, name: str, source: Source[E], endpoint: Endpoint, letters_of: str | None = None
    ) -> Destination[E]:
        settings = self._settings
        cursor = Cursor(self._redis, name, settings.dead_letter_cap, letters_of=letters_of)
        sender = RoundSender(
            BatchSender(endpoint, self._budget, self._limits),
            cursor,
            connections=settings.mixpanel_connections,
            timeout_s=settings.mixpanel_timeout_s,
        )
        return Destination(source, sender, cursor, self._changelog, random=SystemRandom())
