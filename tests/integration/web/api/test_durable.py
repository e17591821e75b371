"""Kept before it is answered; and what is answered while Redis, or the relay, cannot."""

from typing import Any, NoReturn

import pytest
import redis

from app.destinations.outbox import OutboxFull
from app.lanes.work import OUTBOX_LANES, OutboxName
from app.store import keys
from app.store.connection import connect
from tests.conftest import StartRedis
from tests.integration.web.api.records import VALID, event
from tests.integration.web.api.relay import Relay, problem, services
from tests.integration.web.services import SHOP, FakeOutboxes, settings

ENDPOINTS: tuple[OutboxName, ...] = ("events", "profiles", "groups")
every_endpoint = pytest.mark.parametrize("name", ENDPOINTS)


def start(url: str, **changes: Any) -> Relay:
    """A relay that gives Redis up after half a second of silence."""
    return Relay(services(connect(url, timeout_s=0.5), settings(url, **changes)))


@every_endpoint
def test_what_is_accepted_is_in_redis_and_its_lane_is_woken(
    relay: Relay, redis_client: redis.Redis, name: OutboxName
) -> None:
    record = event(time=1_700_000_000, __insert_id="one") if name == "events" else VALID[name]
    assert relay.post(name, [record]).status_code == 202
    if name == "events":
        record["properties"]["$source"] = "cohort-relay"
    assert relay.kept(name) == [[record]]
    assert redis_client.xlen(keys.outbox(SHOP, name)) == 1
    assert redis_client.hget(keys.lane(SHOP, OUTBOX_LANES[name].name), "state") == b"queued"


def test_what_was_accepted_outlives_a_kill(start_redis: StartRedis) -> None:
    server = start_redis(appendonly=True)
    relay = start(server.url)
    assert relay.post("events", [event(n=1)], key="k").status_code == 202
    server.kill()
    problem(relay.post("events", [event(n=2)], key="l"), 503, "store_unavailable")
    server.start()
    again = relay.post("events", [event(n=1)], key="k")
    assert again.get_json()["replayed"] is True
    assert len(relay.kept("events")) == 1


@every_endpoint
def test_without_redis_it_is_503_with_a_time_to_come_back(
    start_redis: StartRedis, lines: list[Any], name: OutboxName
) -> None:
    server = start_redis()
    relay = start(server.url)
    server.kill()
    answer = relay.post(name, [VALID[name]], key="k")
    told = problem(answer, 503, "store_unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    (line,) = lines
    assert (line["outcome"], line["error"], line["instance"]) == (
        "store_unavailable",
        "ConnectionError",
        told["instance"],
    )
    assert str(server.port) not in answer.text


def test_a_redis_that_takes_no_writes_is_503_and_keeps_nothing(start_redis: StartRedis) -> None:
    server = start_redis()
    relay = start(server.url)
    with server.client() as client:
        client.config_set("maxmemory", 1)
        for name in ENDPOINTS:
            problem(relay.post(name, [VALID[name]], key="k"), 503, "store_unavailable")
        client.config_set("maxmemory", 0)
    for name in ENDPOINTS:
        assert relay.kept(name) == []
        assert relay.post(name, [VALID[name]], key="k").get_json()["replayed"] is False


def test_a_full_outbox_is_429_with_a_time_to_come_back_and_repetitions_still_are_answered(
    redis_url: str, redis_client: redis.Redis
) -> None:
    relay = Relay(services(redis_client, settings(redis_url, outbox_cap_bytes=1_500)))
    assert relay.post("events", [event(n="x" * 1_000)], key="k").status_code == 202
    answer = relay.post("events", [event(n="x" * 1_000)], key="l")
    told = problem(answer, 429, "outbox_full")["detail"]
    assert "outbox events" in told
    assert "OUTBOX_CAP_BYTES" in told
    assert int(answer.headers["Retry-After"]) > 0
    assert relay.post("events", [event(n="x" * 1_000)], key="k").get_json()["replayed"] is True
    assert relay.post("profiles", [VALID["profiles"]]).status_code == 202


@pytest.mark.parametrize(("retry_after_s", "told"), [(0.1, "1"), (2.2, "3")])
def test_the_time_to_come_back_is_the_outboxs_own_rounded_up(
    redis_url: str, redis_client: redis.Redis, retry_after_s: float, told: str
) -> None:
    made = services(redis_client, settings(redis_url))
    made.outboxes = FakeOutboxes(error=OutboxFull("events", 1_000, retry_after_s))
    answer = Relay(made).post("events", [event()])
    assert problem(answer, 429, "outbox_full")
    assert answer.headers["Retry-After"] == told


class Broken(FakeOutboxes):
    """Makes a mistake, in whose text stands what nobody may read."""

    def submit(self, *_: Any, **__: Any) -> NoReturn:
        raise KeyError("somebody@example.com")


def test_a_mistake_of_ours_is_500_that_can_be_found_in_the_log_and_leaks_nothing(
    redis_url: str, redis_client: redis.Redis, lines: list[Any]
) -> None:
    made = services(redis_client, settings(redis_url))
    made.outboxes = Broken()
    answer = Relay(made).post("events", [event()])
    told = problem(answer, 500, "internal_error")
    assert int(answer.headers["Retry-After"]) > 0
    assert "somebody" not in answer.text + str(lines)
    (line,) = lines
    assert (line["log_level"], line["error"], line["instance"]) == ("error", "KeyError", told["instance"])
    assert any("test_durable.py" in place for place in line["places"])
