"""The events destination of a project in a real Redis, and a Mixpanel that deduplicates what it imports."""

import gzip
import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, cast

from redis import Redis

from app.cohorts.changelog import ChangeLog
from app.cohorts.commit import NewEntry
from app.destinations.cursor import Cursor
from app.destinations.dead_letters import DeadLetters, StoredLetter
from app.destinations.events.source import EventsSource
from app.destinations.position import Position
from app.destinations.runner import Destination
from app.destinations.sending import RoundSender
from app.lanes.lanes import HeldLane, Lanes
from app.lanes.outcome import Outcome
from app.lanes.queue import LaneQueue
from app.lanes.work import readers_of
from app.mixpanel.batches import BatchSender
from app.mixpanel.budget import IngestionBudget
from app.mixpanel.ingestion import Ingestion
from app.mixpanel.size_limit import SizeLimits
from app.mixpanel.transport import Transport
from app.store import keys, scripts
from config.events import Event
from config.projects import HOSTS, Project
from config.rules import Rule, RuleSet
from config.secret import Secret
from tests.integration.destinations.world import SilentQueue
from tests.integration.mixpanel.server import Reply, Request

P = "2195193"
LANE = "events"
TIMEOUT_S = 20.0
RULES = RuleSet(
    (
        Rule(
            enter_event=Event("Entered {cohort_name}", {"Plan": "{member[plan]}"}),
            exit_event=Event("Left {cohort_name}"),
            update_event=Event("Changed", {"Plan": "{member[plan]}"}),
        ),
    )
)
Script = Callable[[list[dict[str, Any]]], Reply | None]


@dataclass
class Importer:
    """Imports what arrives, unless the test has something else in mind for a request.

    `script` is asked for each request's events; an answer of None is the ordinary one. `also_import` says
    that a request that the script spoils has arrived all the same.
    """

    url: str = ""
    script: Script = lambda _events: None
    also_import: bool = False
    requests: list[Request] = field(default_factory=list)
    arrived: list[dict[str, Any]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, request: Request) -> Reply:
        if not request.body:  # the server asks twice; the first time it has the head only
            return Reply()
        events = json.loads(gzip.decompress(request.body))
        with self._lock:
            self.requests.append(request)
        reply = self.script(events)
        if reply is None or self.also_import:
            with self._lock:
                self.arrived += events
        return reply or imported(len(events))

    @property
    def events(self) -> dict[tuple[Any, ...], dict[str, Any]]:
        """The events as Mixpanel shows them: equal (event, time, distinct_id, $insert_id) are one."""
        return {identity(event): event for event in self.arrived}

    @property
    def told(self) -> list[tuple[str, str]]:
        return sorted((event["event"], event["properties"]["distinct_id"]) for event in self.events.values())


def identity(event: Mapping[str, Any]) -> tuple[Any, ...]:
    inner = event["properties"]
    return event["event"], inner["time"], inner["distinct_id"], inner["$insert_id"]


def imported(events: int) -> Reply:
    return Reply(200, json.dumps({"code": 200, "num_records_imported": events, "status": "OK"}).encode())


def refused(events: Sequence[Mapping[str, Any]], *indices: int) -> Reply:
    failed = [
        {
            "index": index,
            "insert_id": events[index]["properties"]["$insert_id"],
            "field": "properties.time",
            "message": "no good",
        }
        for index in indices
    ]
    body = {
        "code": 400,
        "num_records_imported": len(events) - len(indices),
        "status": "Bad Request",
        "error": "some data points in the request failed validation",
        "failed_records": failed,
    }
    return Reply(400, json.dumps(body).encode())


class EventsWorld:
    def __init__(self, redis: Redis, url: str) -> None:
        self.redis = redis
        self.project = Project(
            id=P,
            name="Shop",
            region="eu",
            token=Secret("token-1"),
            hosts=replace(HOSTS["eu"], ingestion=url),
            webhook_credentials=(),
            rules=RULES,
        )
        self.lanes = Lanes(redis, cast("LaneQueue", SilentQueue()), lease_s=15.0)
        self.changelog = ChangeLog(redis, self.lanes, 1000, readers_of({P: self.project}))
        self.dead_letters = DeadLetters(redis)
        self.now_s = time.time()
        self._append = scripts.load(redis, "cohorts/scripts/append.lua")
        self._transport = Transport(timeout_s=TIMEOUT_S)
        self._senders: list[RoundSender] = []
        self.build()
        self.run()  # admits the reader, at the end of an empty log

    def build(self) -> None:
        """Make the destination, as a process does when it starts."""
        endpoint = Ingestion(self._transport).import_events
        batches = BatchSender(endpoint, IngestionBudget(self.redis), SizeLimits(self.redis))
        self.cursor = Cursor(self.redis, LANE, 1000)
        sender = RoundSender(batches, self.cursor, connections=4, timeout_s=TIMEOUT_S)
        self._senders.append(sender)
        source = EventsSource(self.changelog, now=lambda: self.now_s)
        self.destination = Destination(source, sender, self.cursor, random=Random(1))

    def close(self) -> None:
        for sender in self._senders:
            sender.close()
        self._transport.close()

    def change(
        self,
        entered: Sequence[str] | Mapping[str, Mapping[str, Any]] = (),
        exited: Sequence[str] = (),
        updated: Mapping[str, Mapping[str, Any]] | None = None,
        cause: str = "sync",
    ) -> None:
        """Append one entry to the log."""
        named = entered if isinstance(entered, Mapping) else {one: {"plan": "pro"} for one in entered}
        entry = NewEntry(
            "changes",
            cause,
            "1",
            "VIP",
            "s",
            int(self.now_s * 1000),
            entered=list(named.items()),
            exited=list(exited),
            updated=list((updated or {}).items()),
        )
        names = [keys.log(P), keys.log_meta(P), keys.lane(P, LANE)]
        self._append(keys=names, args=["g1", *entry.encoded()])

    def take(self) -> HeldLane:
        """Take the lane at once, whatever it waits for."""
        lane = keys.lane(P, LANE)
        wake = self.redis.hincrby(lane, "wake", 1)
        self.redis.hset(lane, mapping={"state": "queued", "inflight": 0})
        held = self.lanes.start(P, LANE, wake)
        assert held is not None
        return held

    def run(self) -> Outcome:
        """Run the lane once, as a worker does."""
        held = self.take()
        outcome = self.destination.run(held, self.project, until=time.monotonic() + 60.0)
        self.lanes.finish(held, outcome)
        return outcome

    @property
    def position(self) -> Position:
        return self.cursor.position(P)

    def letters(self) -> list[StoredLetter]:
        return self.dead_letters.read(P, limit=10_000)
