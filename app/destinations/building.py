"""Make the runners of all lanes that read the change log or an outbox."""

from collections.abc import Callable
from random import SystemRandom

from redis import Redis

from app.cohorts.changelog import ChangeLog
from app.cohorts.membership import Membership
from app.cohorts.registry import Cohorts
from app.destinations.cursor import Cursor
from app.destinations.events.source import EventsSource
from app.destinations.events_outbox import EventsOutboxSource
from app.destinations.identity.caused import linking_ids
from app.destinations.identity.ledger import Ledger
from app.destinations.identity.mover import LinkMover
from app.destinations.identity.pending import PendingLinks
from app.destinations.identity.sending import LinkSender
from app.destinations.identity.source import LinksSource
from app.destinations.outbox import Outboxes
from app.destinations.profiles.source import ProfilesSource
from app.destinations.profiles.submitted import GroupsOutboxSource, ProfilesOutboxSource
from app.destinations.runner import Destination
from app.destinations.sending import RoundSender
from app.destinations.source import E, Source
from app.destinations.waiting.gate import Gate
from app.destinations.waiting.room import Room
from app.destinations.waiting.runner import WaitingDestination
from app.destinations.waiting.source import RoomSource
from app.lanes.lanes import Lanes
from app.lanes.runner import LaneRunner
from app.lanes.work import EVENTS, IDENTITY, OUTBOX_LANES, PROFILES, LaneKind
from app.mixpanel.batches import BatchSender, Endpoint
from app.mixpanel.budget import IngestionBudget
from app.mixpanel.ingestion import Ingestion
from app.mixpanel.size_limit import SizeLimits
from app.mixpanel.transport import Exchange, Transport
from config.settings import Settings


class Destinations:
    """Makes the runners; they share one pool of connections, and each project's budget.

    Args:
        settings: of the process.
        redis: where everything stands.
        lanes: wakes lanes.
        changelog: the log.
        outboxes: what services submitted.
        observe: is told of each request to Mixpanel.
    """

    def __init__(
        self,
        settings: Settings,
        redis: Redis,
        lanes: Lanes,
        changelog: ChangeLog,
        outboxes: Outboxes,
        *,
        observe: Callable[[Exchange], None],
    ) -> None:
        self.ledger = Ledger(redis)
        self.pending = PendingLinks(redis, outboxes)
        self._settings = settings
        self._redis = redis
        self._lanes = lanes
        self._changelog = changelog
        self._outboxes = outboxes
        self._budget, self._limits = IngestionBudget(redis), SizeLimits(redis)
        self._ingestion = Ingestion(
            Transport(
                timeout_s=settings.mixpanel_timeout_s,
                connections=settings.mixpanel_connections,
                observe=observe,
            )
        )

    def runners(self, cohorts: Cohorts, membership: Membership) -> dict[str, LaneRunner]:
        """Make the runner of every lane, by the lane's name.

        Args:
            cohorts: who might claim the same value of a profile.
            membership: who is a member there.
        """
        log, outboxes, to = self._changelog, self._outboxes, self._ingestion
        gate, submitted_gate = self._gate(PROFILES), self._gate(OUTBOX_LANES["profiles"])
        profiles = ProfilesSource(log, cohorts, membership, gate, linking_ids)
        submitted = ProfilesOutboxSource(outboxes, submitted_gate)
        groups = GroupsOutboxSource(outboxes, "groups")
        return {
            PROFILES.name: self._with_room(PROFILES, gate, profiles, to.update_profiles),
            EVENTS.name: self._plain(EVENTS, EventsSource(log), to.import_events),
            IDENTITY.name: self._mover(),
            OUTBOX_LANES["profiles"].name: self._with_room(
                OUTBOX_LANES["profiles"], submitted_gate, submitted, to.update_profiles
            ),
            OUTBOX_LANES["groups"].name: self._plain(OUTBOX_LANES["groups"], groups, to.update_groups),
            OUTBOX_LANES["events"].name: self._plain(
                OUTBOX_LANES["events"], EventsOutboxSource(outboxes, "events"), to.import_events
            ),
            OUTBOX_LANES["identity"].name: self._links(),
        }

    def _plain(self, lane: LaneKind, source: Source[E], endpoint: Endpoint) -> Destination[E]:
        """Make the runner of a lane that sends what a source gives to one endpoint."""
        return self._destination(source, endpoint, self._cursor(lane.name))

    def _with_room(
        self, lane: LaneKind, gate: Gate, source: Source[E], endpoint: Endpoint
    ) -> WaitingDestination[E]:
        """Make the runner of a lane some of whose updates wait for links."""
        main = self._destination(source, endpoint, self._cursor(lane.name))
        room = self._cursor(gate.room.name, letters_of=lane.name)
        return WaitingDestination(main, self._destination(RoomSource(gate), endpoint, room), gate)

    def _links(self) -> LaneRunner:
        """Make the runner of the lane that links identities."""
        cursor = self._cursor(OUTBOX_LANES["identity"].name)
        sender = LinkSender(
            self._batches(self._ingestion.import_events),
            cursor,
            self.ledger,
            self.pending,
            connections=self._settings.mixpanel_connections,
            timeout_s=self._settings.mixpanel_timeout_s,
        )
        source = LinksSource(self._outboxes, self.ledger, self.pending)
        return Destination(source, sender, cursor, random=SystemRandom())

    def _mover(self) -> LinkMover:
        """Make the runner of the lane that moves the links of rules into the identity outbox."""
        return LinkMover(
            self._redis,
            self._lanes,
            self._changelog,
            self.ledger,
            self._cursor(IDENTITY.name),
            cap_bytes=self._settings.outbox_cap_bytes,
        )

    def _destination(self, source: Source[E], endpoint: Endpoint, cursor: Cursor) -> Destination[E]:
        sender = RoundSender(
            self._batches(endpoint),
            cursor,
            connections=self._settings.mixpanel_connections,
            timeout_s=self._settings.mixpanel_timeout_s,
        )
        return Destination(source, sender, cursor, random=SystemRandom())

    def _batches(self, endpoint: Endpoint) -> BatchSender:
        return BatchSender(endpoint, self._budget, self._limits)

    def _cursor(self, name: str, letters_of: str | None = None) -> Cursor:
        return Cursor(self._redis, name, self._settings.dead_letter_cap, letters_of=letters_of)

    def _gate(self, lane: LaneKind) -> Gate:
        return Gate(self._redis, Room(self._redis, lane.name), self.pending, self._settings.link_wait_s)
