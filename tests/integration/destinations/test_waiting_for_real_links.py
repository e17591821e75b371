"""The lanes that move and make links, and those that wait for them, as a worker has them."""

import gzip
import time
from collections.abc import Iterator
from dataclasses import replace

import orjson
import pytest
from redis import Redis

from app.cohorts.commit import NewEntry
from app.destinations.identity.links import Link
from app.lanes.outcome import Outcome
from app.lanes.work import IDENTITY, OUTBOX_LANES, PROFILES
from app.services import Services, build_services
from app.store import keys, scripts
from config.projects import HOSTS, Project, Projects
from config.rules import DEFAULT_RULES, RuleSet
from config.secret import Secret
from config.settings import Settings
from tests.integration.destinations.waiting_world import LINKS
from tests.integration.mixpanel.server import Reply, Request, Server

P = "2195193"
SUBMITTED, LINKING = OUTBOX_LANES["profiles"].name, OUTBOX_LANES["identity"].name
RULES = RuleSet((replace(DEFAULT_RULES.rules[0], links=LINKS),))


class Relay:
    """All lanes of a project, run by hand; what reaches Mixpanel is kept in order."""

    def __init__(self, redis: Redis, url: str) -> None:
        self.arrived: list[str] = []
        with_rules = Project(P, "Shop", "eu", Secret("t"), HOSTS["eu"], webhook_credentials=(), rules=RULES)
        self.redis, self._project = redis, with_rules
        self._url = url

    def begin(self, server: Server) -> None:
        self._project = replace(self._project, hosts=replace(HOSTS["eu"], ingestion=server.url))
        settings = Settings(
            secret_key=Secret("0123456789abcdef"),
            projects=Projects([self._project]),
            redis_url=self._url,
            rq_redis_url=self._url,
        )
        self.services: Services = build_services(settings)
        self._append = scripts.load(self.redis, "cohorts/scripts/append.lua")

    def answer(self, request: Request) -> Reply:
        if not request.body:
            return Reply()
        zipped = request.headers.get("Content-Encoding") == "gzip"
        records = orjson.loads(gzip.decompress(request.body) if zipped else request.body)
        for record in records:
            told = "update " + record["$distinct_id"] if "$distinct_id" in record else "link"
            self.arrived.append(told)
        return Reply(200, b'{"code":200,"status":"OK","num_records_imported":%d}' % len(records))

    def log(self, **members: str) -> None:
        """Let members enter, each with a device."""
        entered = [[who, {"device": device}] if device else who for who, device in members.items()]
        entry = NewEntry("changes", "sync", "1", "VIP", "s", 1_767_225_600_000, entered=entered)
        self._append(keys=[keys.log(P), keys.log_meta(P)], args=["g1", *entry.encoded()])

    def run(self, lane: str) -> Outcome:
        key = keys.lane(P, lane)
        wake = self.redis.hincrby(key, "wake", 1)
        self.redis.hset(key, mapping={"state": "queued", "inflight": 0})
        held = self.services.lanes.start(P, lane, wake)
        assert held is not None
        outcome = self.services.runners[lane].run(held, self._project, time.monotonic() + 60)
        self.services.lanes.finish(held, outcome)
        return outcome


@pytest.fixture
def relay(redis_client: Redis, redis_url: str) -> Iterator[Relay]:
    relay = Relay(redis_client, redis_url)
    with Server(relay.answer) as server:
        relay.begin(server)
        relay.run(PROFILES.name)  # admits the lane that moves links, at the log's end
        yield relay
        relay.services.redis.close()


def test_a_link_of_a_rule_is_made_before_the_members_update_is_sent(relay: Relay) -> None:
    relay.log(ann="phone", bob="")
    for lane in (PROFILES.name, IDENTITY.name, PROFILES.name):
        relay.run(lane)
        assert relay.arrived == ["update bob"]
        assert relay.services.destinations.status(P, PROFILES).waiting == 2
    assert relay.run(LINKING).kind == "drained"
    assert relay.run(PROFILES.name).kind == "drained"
    assert relay.arrived == ["update bob", "link", "update ann"]


def test_a_link_that_a_service_submitted_is_made_before_updates_that_came_after_it(relay: Relay) -> None:
    link = Link("device", "ann", "phone", allow_merge=False, time_ms=1_767_225_600_000, why={"api": "t1"})
    relay.services.outboxes.submit(P, "identity", [link.to_json()])
    update = b'{"$distinct_id":"%b","$set":{"a":1}}'
    relay.services.outboxes.submit(
        P, "profiles", [update % who for who in (b"ann", b"$device:phone", b"bob")]
    )
    assert relay.run(SUBMITTED).kind == "later"
    assert relay.arrived == ["update bob"]
    assert relay.run(LINKING).kind == "drained"
    assert relay.run(SUBMITTED).kind == "drained"
    assert relay.arrived[:2] == ["update bob", "link"]
    assert sorted(relay.arrived[2:]) == ["update $device:phone", "update ann"]


def test_a_link_that_was_made_before_is_not_waited_for_again(relay: Relay) -> None:
    relay.log(ann="phone")
    for lane in (IDENTITY.name, LINKING, PROFILES.name):
        assert relay.run(lane).kind == "drained"
    relay.log(ann="phone")
    assert relay.run(IDENTITY.name).kind == "drained"
    assert relay.run(PROFILES.name).kind == "drained"
    assert relay.arrived == ["link", "update ann", "update ann"]
