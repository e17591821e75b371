"""What waits in an outbox is delivered, dropped with the cursor's step, and given up record by record."""

import gzip
import time
from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any, cast

import orjson
import pytest
from redis import Redis

from app.cohorts.changelog import ChangeLog
from app.destinations.cursor import Cursor
from app.destinations.dead_letters import DeadLetters
from app.destinations.events_outbox import EventsOutboxSource
from app.destinations.outbox import Outboxes
from app.destinations.profiles.submitted import ProfilesOutboxSource
from app.destinations.runner import Destination
from app.destinations.sending import RoundSender
from app.destinations.source import OutboxSource
from app.destinations.status import DestinationStatuses
from app.destinations.waiting.gate import Gate
from app.destinations.waiting.room import Room
from app.lanes.lanes import HeldLane, Lanes
from app.lanes.outcome import Outcome
from app.lanes.queue import LaneQueue
from app.lanes.work import OUTBOX_LANES, OutboxName
from app.mixpanel.batches import BatchSender, Endpoint
from app.mixpanel.budget import IngestionBudget
from app.mixpanel.ingestion import Ingestion
from app.mixpanel.size_limit import SizeLimits
from app.mixpanel.transport import Transport
from app.store import keys
from config.projects import HOSTS, Project, ServiceAccount
from config.secret import Secret
from tests.integration.destinations.world import NoLinks, SilentQueue
from tests.integration.mixpanel.server import Reply, Request, Server

P = "2195193"


class Sink:
    """A Mixpanel that keeps what it takes, and answers as `replies` say before it does so by itself."""

    def __init__(self) -> None:
        self.taken: list[Any] = []
        self.requests: list[Request] = []
        self.replies: list[Reply] = []

    def answer(self, request: Request) -> Reply:
        if not request.body:
            return Reply()
        self.requests.append(request)
        if self.replies:
            return self.replies.pop(0)
        self.taken += records_of(request)
        return Reply(200, b'{"code":200,"status":"OK","num_records_imported":%d}' % len(records_of(request)))


def records_of(request: Request) -> list[Any]:
    zipped = request.headers.get("Content-Encoding") == "gzip"
    found: list[Any] = orjson.loads(gzip.decompress(request.body) if zipped else request.body)
    return found


class Box:
    """An outbox with its lane, and a small Mixpanel."""

    def __init__(self, redis: Redis, sink: Sink, url: str, name: OutboxName) -> None:
        self.redis, self.sink, self.name = redis, sink, name
        self.lane = OUTBOX_LANES[name]
        self.lanes = Lanes(redis, cast("LaneQueue", SilentQueue()), lease_s=15.0)
        self.outboxes = Outboxes(redis, self.lanes, cap_bytes=10_000_000)
        self.transport = Transport(timeout_s=5.0)
        ingestion = Ingestion(self.transport)
        if name == "events":
            self._build(EventsOutboxSource(self.outboxes, name), ingestion.import_events)
        else:
            gate = Gate(redis, Room(redis, self.lane.name), NoLinks(), wait_s=30.0)
            self._build(ProfilesOutboxSource(self.outboxes, gate), ingestion.update_profiles)
        self.project = Project(
            P, "Shop", "eu", Secret("token-1"), replace(HOSTS["eu"], ingestion=url), webhook_credentials=()
        )

    def _build(self, source: OutboxSource, endpoint: Endpoint) -> None:
        self.cursor = Cursor(self.redis, self.lane.name, dead_letter_cap=100)
        self.changelog = ChangeLog(self.redis, self.lanes, keep_entries=100)
        batches = BatchSender(endpoint, IngestionBudget(self.redis), SizeLimits(self.redis))
        self.sender = RoundSender(batches, self.cursor, connections=2, timeout_s=5.0)
        self.destination = Destination(source, self.sender, self.cursor, random=Random(1))

    def submit(self, *records: Any) -> None:
        self.outboxes.submit(P, self.name, [orjson.dumps(record) for record in records])

    def take(self) -> HeldLane:
        lane = keys.lane(P, self.lane.name)
        wake = self.redis.hincrby(lane, "wake", 1)
        self.redis.hset(lane, mapping={"state": "queued", "inflight": 0})
        held = self.lanes.start(P, self.lane.name, wake)
        assert held is not None
        return held

    def run(self) -> Outcome:
        held = self.take()
        outcome = self.destination.run(held, self.project, until=time.monotonic() + 60)
        self.lanes.finish(held, outcome)
        return outcome

    def letters(self) -> list[tuple[str, Any]]:
        found = DeadLetters(self.redis).read(P)
        return [(each.letter.code, orjson.loads(each.letter.record)) for each in found]

    def close(self) -> None:
        self.sender.close()
        self.transport.close()


@pytest.fixture
def sink() -> Sink:
    return Sink()


@pytest.fixture
def url(sink: Sink) -> Iterator[str]:
    with Server(sink.answer) as server:
        yield server.url


@pytest.fixture
def events(redis_client: Redis, sink: Sink, url: str) -> Iterator[Box]:
    box = Box(redis_client, sink, url, "events")
    yield box
    box.close()


@pytest.fixture
def profiles(redis_client: Redis, sink: Sink, url: str) -> Iterator[Box]:
    box = Box(redis_client, sink, url, "profiles")
    yield box
    box.close()


def event(number: int) -> dict[str, Any]:
    properties = {"distinct_id": "ann", "time": 1_767_225_600, "$insert_id": f"id-{number}"}
    return {"event": "Message sent", "properties": properties}


def test_events_are_imported_compressed_with_the_credential_that_there_is(events: Box, sink: Sink) -> None:
    events.submit(event(1), event(2))
    assert events.run().kind == "drained"
    assert sink.taken == [event(1), event(2)]
    (request,) = sink.requests
    assert (request.path, request.query) == ("/import", "strict=1")
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["Authorization"] == "Basic dG9rZW4tMTo="  # the token as username, no password
    account = ServiceAccount("relay.1.mp-service-account", Secret("s3cret"))
    events.project = replace(events.project, service_account=account)
    events.submit(event(3))
    events.run()
    assert set(sink.requests[1].query.split("&")) == {"strict=1", f"project_id={P}"}
    assert sink.requests[1].headers["Authorization"].startswith("Basic cmVsYXku")


def test_what_is_delivered_is_dropped_and_what_comes_meanwhile_is_not(
    events: Box, redis_client: Redis
) -> None:
    for number in range(5):
        events.submit(event(number))
    events.run()
    depth = events.outboxes.depth(P, "events")
    assert (depth.records, depth.bytes, depth.oldest_ms) == (0, 0, None)
    assert redis_client.xlen(keys.outbox(P, "events")) == 0
    assert not redis_client.exists(keys.destination_accepted(P, "events-outbox"))
    events.submit(event(6))
    assert events.outboxes.depth(P, "events").records == 1
    events.run()
    assert len(events.sink.taken) == 6


def test_records_that_mixpanel_names_are_dead_letters_and_the_others_count_as_delivered(
    events: Box, sink: Sink
) -> None:
    events.submit(event(1), event(2), event(3))
    failed = {"index": 1, "$insert_id": "id-2", "field": "properties.time", "message": "too old"}
    body = {"code": 400, "status": "Bad Request", "num_records_imported": 2, "failed_records": [failed]}
    sink.replies = [Reply(400, orjson.dumps(body))]
    assert events.run().kind == "drained"
    assert events.letters() == [("refused", event(2))]
    assert len(sink.requests) == 1  # nothing that was imported is sent again
    position = events.cursor.position(P)
    assert (position.delivered, position.dead_lettered) == (2, 1)
    (entry,) = events.changelog.read(P, 0, 10)
    assert entry.kind == "batch.dead_lettered"
    assert entry.detail == {"destination": "events-outbox", "from": 1, "to": 1, "records": {"refused": 1}}


def test_a_failed_window_is_kept_and_sent_again_byte_for_byte(events: Box, sink: Sink) -> None:
    events.submit(event(1), event(2))
    sink.replies = [Reply(503)]
    assert events.run().kind == "later"
    events.submit(event(3))  # after the window was begun: it belongs to the next
    assert events.outboxes.depth(P, "events").records == 3
    assert events.run().kind == "drained"
    first, second, third = sink.requests
    assert records_of(first) == records_of(second)
    assert records_of(third) == [event(3)]


def test_a_refused_credential_stops_the_lane_and_keeps_everything(events: Box, sink: Sink) -> None:
    events.submit(event(1))
    sink.replies = [Reply(401)]
    assert events.run().delay_s > 0
    assert events.cursor.position(P).state == "stopped"
    assert events.outboxes.depth(P, "events").records == 1
    account = ServiceAccount("relay.1.mp-service-account", Secret("right"))
    events.project = replace(events.project, service_account=account)  # another credential: it goes on
    assert events.run().kind == "drained"
    assert sink.taken == [event(1)]


def test_counting_operations_are_never_sent_twice_when_their_outcome_is_unknown(
    profiles: Box, sink: Sink
) -> None:
    add = {"$distinct_id": "ann", "$add": {"visits": 1}}
    profiles.submit(add, {"$distinct_id": "ann", "$set": {"plan": "pro"}})
    sink.replies = [Reply(cut="before"), Reply(cut="before")]
    assert profiles.run().kind == "later"
    assert profiles.run().kind == "drained"
    assert [code for code, _ in profiles.letters()] == ["outcome_unknown"]
    assert [
        record["$add"] for request in sink.requests for record in records_of(request) if "$add" in record
    ] == [{"visits": 1}]
    assert sink.taken == [{"$token": "token-1", "$distinct_id": "ann", "$set": {"plan": "pro"}}]


def test_the_status_counts_records_and_the_age_of_the_oldest(events: Box, redis_client: Redis) -> None:
    events.submit(event(1), event(2))
    later = lambda: redis_client.time()[0] + 90.0  # noqa: E731 - a clock of its own
    statuses = DestinationStatuses(redis_client, events.changelog, events.outboxes, later)
    before = statuses.status(P, events.lane)
    assert (before.behind, before.unit) == (2, "records")
    assert 88 <= before.lag_s <= 92
    events.run()
    after = statuses.status(P, events.lane)
    assert (after.behind, after.lag_s, after.delivered) == (0, 0.0, 2)
