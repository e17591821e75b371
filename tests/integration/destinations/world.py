"""A project, its log and its lane in a real Redis, and a small Mixpanel behind a real socket."""

import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, cast

from redis import Redis

from app.cohorts.changelog import ChangeLog
from app.cohorts.commit import NewEntry
from app.cohorts.membership import Membership
from app.cohorts.registry import Cohorts
from app.destinations.cursor import Cursor
from app.destinations.dead_letters import DeadLetters
from app.destinations.identity.caused import linking_ids
from app.destinations.outbox import Outboxes
from app.destinations.profiles.source import ProfilesSource
from app.destinations.runner import Destination
from app.destinations.sending import RoundSender
from app.destinations.status import DestinationStatus, DestinationStatuses
from app.destinations.waiting.gate import Gate
from app.destinations.waiting.room import Room
from app.lanes.lanes import HeldLane, Lanes
from app.lanes.outcome import Outcome
from app.lanes.queue import LaneQueue
from app.lanes.work import PROFILES
from app.mixpanel.batches import BatchSender
from app.mixpanel.budget import IngestionBudget
from app.mixpanel.ingestion import Ingestion
from app.mixpanel.size_limit import SizeLimits
from app.mixpanel.transport import Transport
from app.store import keys, scripts
from config.projects import HOSTS, Project
from config.rules import DEFAULT_RULES, RuleSet
from config.secret import Secret
from tests.integration.mixpanel.server import Reply, Request
from tests.unit.destinations import profile_model

P = "2195193"
TIMEOUT_S = 20.0


class Mixpanel:
    """Applies what arrives, unless the test has something else in mind for a request.

    `script` is asked for each request's records; an answer of None is the ordinary one. `also_apply` says
    that a request that the script spoils has arrived all the same.
    """

    def __init__(self) -> None:
        self.url = ""
        self.profiles: profile_model.Profiles = {}
        self.batches: list[list[dict[str, Any]]] = []
        self.script: Callable[[list[dict[str, Any]]], Reply | None] = lambda _records: None
        self.also_apply = False
        self.most_at_once = 0
        self._at_once = 0
        self._lock = threading.Lock()

    def answer(self, request: Request) -> Reply:
        if not request.body:  # the server asks twice; the first time it has the head only
            return Reply()
        with self._lock:
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            self.batches.append(request.records)
        try:
            reply = self.script(request.records)
            if reply is None or self.also_apply:
                self._apply(request.records)
            return reply or ok(len(request.records))
        finally:
            with self._lock:
                self._at_once -= 1

    def _apply(self, records: Sequence[Mapping[str, Any]]) -> None:
        with self._lock:
            for record in records:
                profile_model.send(self.profiles, json.dumps(record).encode())

    @property
    def records(self) -> list[dict[str, Any]]:
        return [record for batch in self.batches for record in batch]

    def cohorts_of(self, distinct_id: str) -> list[str]:
        found: list[str] = self.profiles.get(distinct_id, {}).get("Cohorts", [])
        return found


def ok(records: int) -> Reply:
    body = {"code": 200, "num_records_imported": records, "status": "OK"}
    return Reply(200, json.dumps(body).encode())


def refused(records: int, *indices: int) -> Reply:
    failed = [{"index": index, "$insert_id": "", "field": "$set", "message": "no good"} for index in indices]
    body = {
        "code": 400,
        "num_records_imported": records - len(indices),
        "status": "Bad Request",
        "error": "some data points in the request failed validation",
        "failed_records": failed,
    }
    return Reply(400, json.dumps(body).encode())


@dataclass
class Known:
    """Cohorts and their members, with the signatures of the registry and the membership."""

    cohorts: dict[str, str] = field(default_factory=dict)
    members: dict[str, set[str]] = field(default_factory=dict)

    def names(self, _project_id: str) -> Sequence[tuple[str, str]]:
        return list(self.cohorts.items())

    def present(self, _project_id: str, cohort_id: str, distinct_ids: Sequence[str]) -> frozenset[str]:
        return frozenset(self.members.get(cohort_id, set()) & set(distinct_ids))


class SilentQueue:
    def enqueue(self, project_id: str, lane: str, wake: int) -> None:
        """Run nothing: the test itself takes the lane."""

    def holds(self, project_id: str, lane: str, wake: int) -> bool:
        """Keep nothing either."""
        return False


class NoLinks:
    """An identity outbox that nobody fills."""

    def pending(self, _project_id: str, _ids: Sequence[str]) -> frozenset[str]:
        return frozenset()


class World:
    lane = PROFILES.name

    def __init__(self, redis: Redis, mixpanel: Mixpanel) -> None:
        self.redis = redis
        self.mixpanel = mixpanel
        self.known = Known({"1": "VIP", "2": "Gold"})
        self.lanes = Lanes(redis, cast("LaneQueue", SilentQueue()), lease_s=15.0)
        self.changelog = ChangeLog(redis, self.lanes, keep_entries=1000)
        self.dead_letters = DeadLetters(redis)
        self.project = Project(
            id=P,
            name="Shop",
            region="eu",
            token=Secret("token-1"),
            hosts=replace(HOSTS["eu"], ingestion=mixpanel.url),
            webhook_credentials=(),
        )
        self._append = scripts.load(redis, "cohorts/scripts/append.lua")
        self._transport = Transport(timeout_s=TIMEOUT_S)
        self._senders: list[RoundSender] = []
        self.now_s = 1_767_225_600.0
        self.build()

    def build(self, dead_letter_cap: int = 1000) -> None:
        """Make the destination, as a process does when it starts."""
        ingestion = Ingestion(self._transport)
        batches = BatchSender(ingestion.update_profiles, IngestionBudget(self.redis), SizeLimits(self.redis))
        self.cursor = Cursor(self.redis, "profiles", dead_letter_cap)
        self.sender = RoundSender(batches, self.cursor, connections=4, timeout_s=TIMEOUT_S)
        self._senders.append(self.sender)
        gate = Gate(self.redis, Room(self.redis, PROFILES.name), NoLinks(), wait_s=30.0)
        source = ProfilesSource(
            self.changelog,
            cast("Cohorts", self.known),
            cast("Membership", self.known),
            gate,
            linking_ids,
            now=lambda: self.now_s,
        )
        self.destination = Destination(source, self.sender, self.cursor, random=Random(1))
        outboxes = Outboxes(self.redis, self.lanes, cap_bytes=1_000_000)
        self._statuses = DestinationStatuses(self.redis, self.changelog, outboxes, lambda: self.now_s)

    def status(self) -> DestinationStatus:
        return self._statuses.status(P, PROFILES)

    def close(self) -> None:
        for sender in self._senders:
            sender.close()
        self._transport.close()

    def rules(self, rules: RuleSet = DEFAULT_RULES) -> None:
        self.project = replace(self.project, rules=rules)

    def token(self, token: str) -> None:
        self.project = replace(self.project, token=Secret(token))

    def change(
        self,
        entered: Iterable[str] = (),
        exited: Iterable[str] = (),
        *,
        cohort: str = "1",
        kind: str = "changes",
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """Append entries to the log, at most 250 members each."""
        entered, exited = list(entered), list(exited)
        while True:
            self._append_one(
                NewEntry(
                    kind,
                    "sync",
                    cohort,
                    self.known.cohorts[cohort],
                    "s",
                    int(self.now_s * 1000),
                    entered=entered[:250],
                    exited=exited[:250],
                    detail=detail or {},
                )
            )
            entered, exited = entered[250:], exited[250:]
            if not entered and not exited:
                return

    def _append_one(self, entry: NewEntry) -> None:
        lanes = [keys.lane(P, "profiles")]
        self._append(keys=[keys.log(P), keys.log_meta(P), *lanes], args=["g1", *entry.encoded()])

    def take(self) -> HeldLane:
        """Take the lane at once, whatever it waits for."""
        lane = keys.lane(P, self.lane)
        wake = self.redis.hincrby(lane, "wake", 1)
        self.redis.hset(lane, mapping={"state": "queued", "inflight": 0})
        held = self.lanes.start(P, self.lane, wake)
        assert held is not None
        return held

    def run(self, slice_s: float = 60.0) -> Outcome:
        """Run the lane once, as a worker does."""
        held = self.take()
        outcome = self.destination.run(held, self.project, until=time.monotonic() + slice_s)
        self.lanes.finish(held, outcome)
        return outcome

    def hash(self) -> dict[str, str]:
        stored = cast("dict[bytes, bytes]", self.redis.hgetall(keys.destination(P, "profiles")))
        return {name.decode(): value.decode() for name, value in stored.items()}

    def letters(self) -> list[tuple[str, Any]]:
        return [
            (stored.letter.code, json.loads(stored.letter.record))
            for stored in self.dead_letters.read(P, limit=10_000)
        ]
