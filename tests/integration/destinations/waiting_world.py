"""The world with a waiting room: what is linked, how far that is, and the time are in the test's hands."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from random import Random
from typing import Any, cast

import orjson

from app.cohorts.changelog import ChangeLog
from app.cohorts.commit import NewEntry
from app.cohorts.membership import Membership
from app.cohorts.registry import Cohorts
from app.destinations.cursor import Cursor
from app.destinations.identity.caused import linking_ids
from app.destinations.outbox import Outboxes
from app.destinations.profiles.source import ProfilesSource
from app.destinations.profiles.submitted import ProfilesOutboxSource
from app.destinations.runner import Destination
from app.destinations.sending import RoundSender
from app.destinations.source import E, Source
from app.destinations.status import DestinationStatus, DestinationStatuses
from app.destinations.waiting.gate import Gate
from app.destinations.waiting.room import Room
from app.destinations.waiting.runner import WaitingDestination
from app.destinations.waiting.source import RoomSource
from app.lanes.work import IDENTITY, LANES, OUTBOX_LANES, PROFILES, LaneKind
from app.mixpanel.batches import BatchSender
from app.mixpanel.budget import IngestionBudget
from app.mixpanel.ingestion import Ingestion
from app.mixpanel.size_limit import SizeLimits
from app.store import keys
from config.links import LinkRule
from config.rules import Operation, Rule, RuleSet
from tests.integration.cohorts.faulty import FaultyRedis, Line
from tests.integration.destinations.world import TIMEOUT_S, Mixpanel, P, World

LINKS = (LinkRule("device", "{distinct_id}", "{member[device]}"),)
TRAIL = RuleSet(
    (
        Rule(
            enter=(
                Operation("$union", "Cohorts", ["{cohort_name}"]),
                Operation("$append", "trail", "+{session_id}"),
                Operation("$add", "entered", 1),
            ),
            exit=(
                Operation("$remove", "Cohorts", "{cohort_name}"),
                Operation("$append", "trail", "-{session_id}"),
            ),
            update=(
                Operation("$append", "trail", "={session_id}"),
                Operation("$set", "last", "{session_id}"),
            ),
            links=LINKS,
        ),
    )
)
"""Rules whose effects tell in which order they came, and how often."""


class Identity:
    """The identity outbox as a set of ids, and the lane that fills it as a number."""

    def __init__(self, world: "WaitingWorld") -> None:
        self._world = world
        self.ids: set[str] = set()
        self.asked = 0
        self.moved_to(0)

    def pending(self, project_id: str, ids: Sequence[str]) -> Collection[str]:
        assert project_id == P
        self.asked += 1
        return frozenset(self.ids.intersection(ids))

    def submit(self, *ids: str) -> None:
        """Put links of these ids into the outbox."""
        self.ids.update(ids)
        self._note()

    def settle(self, *ids: str) -> None:
        """Make the links of these ids, or of all."""
        self.ids -= set(ids) if ids else set(self.ids)
        self._note()

    def moved_to(self, sequence: int) -> None:
        """Move the lane `identity`, whose links are then in the outbox, or made."""
        self._world.redis.hset(keys.destination(P, "identity"), "cursor", sequence)

    def _note(self) -> None:
        self._world.redis.hset(keys.outbox_meta(P, "identity"), "records", len(self.ids))


class WaitingWorld(World):
    """A lane with a waiting room: `profiles`, or `profiles-outbox`."""

    redis: FaultyRedis

    def __init__(self, redis: FaultyRedis, mixpanel: Mixpanel, lane: str = PROFILES.name) -> None:
        self.lane = lane
        self.wait_s = 30.0
        self.identity = cast("Identity", None)
        self.readers: tuple[LaneKind, ...] = (PROFILES, IDENTITY)
        super().__init__(redis, mixpanel)
        self.identity = Identity(self)
        self.build()
        self.rules(TRAIL)

    def build(self, dead_letter_cap: int = 1000) -> None:
        self.changelog = ChangeLog(self.redis, self.lanes, keep_entries=1000, readers=lambda _: self.readers)
        ingestion = Ingestion(self._transport)
        batches = BatchSender(ingestion.update_profiles, IngestionBudget(self.redis), SizeLimits(self.redis))
        self.outboxes = Outboxes(self.redis, self.lanes, cap_bytes=1_000_000)
        self.room = Room(self.redis, self.lane)
        self.gate = Gate(self.redis, self.room, self.identity, self.wait_s)

        def destination(name: str, source: Source[E], letters_of: str | None = None) -> Destination[E]:
            cursor = Cursor(self.redis, name, dead_letter_cap, letters_of=letters_of)
            sender = RoundSender(batches, cursor, connections=1, timeout_s=TIMEOUT_S)
            self._senders.append(sender)
            return Destination(source, sender, cursor, random=Random(1))

        leaving = destination(self.room.name, RoomSource(self.gate), self.lane)
        if self.lane == PROFILES.name:
            source = ProfilesSource(
                self.changelog,
                cast("Cohorts", self.known),
                cast("Membership", self.known),
                self.gate,
                linking_ids,
            )
            self.main: Any = destination(self.lane, source)
        else:
            self.main = destination(self.lane, ProfilesOutboxSource(self.outboxes, self.gate))
        self.destination = cast("Any", WaitingDestination(self.main, leaving, self.gate))
        self.statuses = DestinationStatuses(self.redis, self.changelog, self.outboxes)

    # --- what happens --------------------------------------------------------------------------------------

    def log(
        self,
        entered: Iterable[str] = (),
        exited: Iterable[str] = (),
        updated: Iterable[str] = (),
        *,
        linked: Mapping[str, str] | None = None,
        cohort: str = "1",
    ) -> int:
        """Append one entry, and return its sequence, its session; `linked` gives members a device."""
        linked = linked or {}
        sequence = self.changelog.end(P) + 1

        def named(ids: Iterable[str]) -> list[Any]:
            return [[each, {"device": linked[each]}] if each in linked else each for each in ids]

        self._append_one(
            NewEntry(
                "changes",
                "sync",
                cohort,
                self.known.cohorts[cohort],
                str(sequence),
                int(self.now_s * 1000),
                entered=named(entered),
                exited=list(exited),
                updated=named(updated),
            )
        )
        return sequence

    def submit(self, *records: Mapping[str, Any]) -> None:
        self.outboxes.submit(P, "profiles", [orjson.dumps(record) for record in records])

    def pass_s(self, seconds: float) -> None:
        """Let time pass by Redis's clock, as the relay reads it."""
        self.redis.clock.now_s += seconds

    def run_broken(self, line: Line) -> None:
        """Run the lane once over a line that may break."""
        held = self.take()
        self.redis.line = line
        try:
            outcome = self.destination.run(held, self.project, until=float("inf"))
            self.lanes.finish(held, outcome)
        finally:
            self.redis.line = Line()

    # --- what there is then --------------------------------------------------------------------------------

    def trail(self, distinct_id: str) -> list[str]:
        found: list[str] = self.mixpanel.profiles.get(distinct_id, {}).get("trail", [])
        return found

    def cursor_at(self, name: str = "") -> int:
        return int(self.redis.hget(keys.destination(P, name or self.lane), "cursor") or 0)

    def status_now(self) -> DestinationStatus:
        return self.statuses.status(P, LANES[self.lane])


OUTBOX = OUTBOX_LANES["profiles"].name
