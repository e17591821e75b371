"""A repeated call adds nothing: with a key, by its body, and by what its events are derived from."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis
from werkzeug.test import TestResponse

from app.lanes.work import OutboxName
from app.store import keys
from tests.integration.web.api.records import VALID, event, profile
from tests.integration.web.api.relay import NOW_MS, Relay, fault, problem
from tests.integration.web.services import BLOG, SHOP

DAY_S, HOUR_S = 24 * 3600, 3600
ENDPOINTS: tuple[OutboxName, ...] = ("events", "profiles", "groups")
every_endpoint = pytest.mark.parametrize("name", ENDPOINTS)


def replayed(first: TestResponse, second: TestResponse) -> bool:
    """Say whether the second answer is the first one again, and says so."""
    assert first.status_code == second.status_code == 202
    was = second.headers.get("Idempotency-Replayed") == "true"
    assert second.get_json()["replayed"] == was
    assert first.get_json()["replayed"] is False
    if was:
        assert {**second.get_json(), "replayed": False} == first.get_json()
    return was


def lifetimes(client: redis.Redis) -> list[int]:
    return [int(client.ttl(key)) for key in client.scan_iter() if b":request:" in key]


@every_endpoint
def test_the_same_key_and_body_get_the_first_answer_and_add_nothing(
    relay: Relay, redis_client: redis.Redis, name: OutboxName
) -> None:
    body = [VALID[name], {}, VALID[name]]
    first, second = relay.post(name, body, key="k 1"), relay.post(name, body, key="k 1")
    assert replayed(first, second)
    assert len(second.get_json()["rejected"]) == 1
    assert [len(submission) for submission in relay.kept(name)] == [2]
    (lifetime_s,) = lifetimes(redis_client)
    assert DAY_S - 10 < lifetime_s <= DAY_S


@every_endpoint
def test_the_same_key_with_another_body_is_a_problem_and_adds_nothing(relay: Relay, name: OutboxName) -> None:
    relay.post(name, [VALID[name]], key="k")
    answer = relay.post(name, [VALID[name], VALID[name]], key="k")
    assert fault(answer, 422, "idempotency_key_reused")["field"] == "Idempotency-Key"
    assert len(relay.kept(name)) == 1


@every_endpoint
def test_another_key_is_another_call(relay: Relay, name: OutboxName) -> None:
    assert not replayed(relay.post(name, [VALID[name]], key="k"), relay.post(name, [VALID[name]], key="K"))
    assert len(relay.kept(name)) == 2


def test_a_key_belongs_to_one_project_and_one_endpoint(relay: Relay) -> None:
    relay.post("profiles", [VALID["profiles"]], key="k")
    assert relay.post("groups", [VALID["groups"]], key="k").status_code == 202
    assert relay.post("profiles", [VALID["profiles"]] * 2, key="k", project_id=BLOG).status_code == 202


def test_a_key_outlives_the_token_it_was_used_with(relay: Relay) -> None:
    first = relay.post("profiles", [profile(__add={"n": 1})], key="k")
    relay.authorization = relay.token("ingest")
    assert replayed(first, relay.post("profiles", [profile(__add={"n": 1})], key="k"))


def test_the_key_itself_stands_in_no_name(relay: Relay, redis_client: redis.Redis) -> None:
    relay.post("profiles", [VALID["profiles"]], key="somebody@example.com")
    assert not [key for key in redis_client.scan_iter() if b"somebody" in key]


@every_endpoint
def test_two_calls_with_one_key_at_once_are_one_entry(relay: Relay, name: OutboxName) -> None:
    def send(_: int) -> TestResponse:
        return relay.post(name, [VALID[name]] * 200, key="k")

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(send, range(24)))
    assert {answer.status_code for answer in answers} == {202}
    assert [answer.get_json()["replayed"] for answer in answers].count(False) == 1
    assert [len(submission) for submission in relay.kept(name)] == [200]


@every_endpoint
def test_a_call_of_which_nothing_was_kept_is_not_remembered(relay: Relay, name: OutboxName) -> None:
    problem(relay.post(name, [{}], key="k"), 422, "invalid_records")
    assert relay.post(name, [VALID[name]], key="k").get_json()["replayed"] is False


# --- $add and $append


@pytest.mark.parametrize("operation", [{"__add": {"n": 1}}, {"__append": {"a": 1}}])
def test_counting_without_a_key_is_refused_whole(relay: Relay, operation: dict[str, Any]) -> None:
    counting = profile(**operation)
    told = fault(relay.post("profiles", [VALID["profiles"], counting]), 400, "idempotency_key_required")
    assert (told["index"], told["field"]) == (1, next(name for name in counting if name != "$distinct_id"))
    assert relay.kept("profiles") == []
    assert relay.post("profiles", [VALID["profiles"], counting], key="k").get_json()["accepted"] == 2


def test_setting_needs_no_key(relay: Relay, redis_client: redis.Redis) -> None:
    assert relay.post("profiles", [VALID["profiles"]]).status_code == 202
    assert relay.post("groups", [VALID["groups"]]).status_code == 202
    assert lifetimes(redis_client) == []


# --- events without a key


def ids(relay: Relay) -> list[tuple[Any, Any]]:
    """Return time and $insert_id of every event that is kept."""
    return [
        (each["properties"]["time"], each["properties"]["$insert_id"])
        for submission in relay.kept("events")
        for each in submission
    ]


def test_a_call_with_an_event_without_a_time_is_remembered_by_its_body_for_an_hour(
    relay: Relay, redis_client: redis.Redis
) -> None:
    body = [event(time=1_700_000_000), event()]
    assert replayed(relay.post("events", body), relay.post("events", body))
    assert len(relay.kept("events")) == 1
    (lifetime_s,) = lifetimes(redis_client)
    assert HOUR_S - 10 < lifetime_s <= HOUR_S


def test_a_time_ahead_that_has_passed_meanwhile_makes_no_second_event(
    relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = [event(time=NOW_MS + 5_000), event(time=1_700_000_000)]
    monkeypatch.setattr("time.time_ns", lambda: NOW_MS * 1_000_000)
    first = relay.post("events", body)
    monkeypatch.setattr("time.time_ns", lambda: (NOW_MS + 10_000) * 1_000_000)
    assert replayed(first, relay.post("events", body))
    assert len(ids(relay)) == 2


def test_once_it_is_forgotten_it_is_another_call_with_other_events(
    relay: Relay, redis_client: redis.Redis
) -> None:
    relay.post("events", [event()])
    redis_client.delete(*(key for key in redis_client.scan_iter() if b":request:" in key))
    relay.post("events", [event()])
    assert len(set(ids(relay))) == 2


def test_two_calls_whose_bodies_differ_are_two_events_though_their_times_may_be_equal(relay: Relay) -> None:
    relay.post("events", [event()])
    relay.post("events", [event(), event(n=1)])
    assert len(set(ids(relay))) == 3


def test_events_with_a_time_are_the_same_events_when_they_are_sent_again_in_whatever_calls(
    relay: Relay, redis_client: redis.Redis
) -> None:
    one, two = event(time=1_700_000_000, n=1), event(time=1_700_000_000, n=2)
    relay.post("events", [one, two])
    relay.post("events", [two])
    relay.post("events", [one], headers={"Content-Type": "application/json; charset=utf-8"})
    found = ids(relay)
    assert (len(found), len(set(found))) == (4, 2)
    assert lifetimes(redis_client) == []


def test_equal_events_of_one_call_are_several_and_remain_so_when_repeated(relay: Relay) -> None:
    for _ in range(2):
        relay.post("events", [event(time=1_700_000_000)] * 3)
    found = ids(relay)
    assert (len(found), len(set(found))) == (6, 3)


def test_with_different_keys_equal_events_are_different_events(relay: Relay) -> None:
    for key in ("a", "b"):
        relay.post("events", [event(time=1_700_000_000)], key=key)
    assert len(set(ids(relay))) == 2


def test_an_insert_id_that_was_given_stays(relay: Relay) -> None:
    relay.post("events", [event(time=1_700_000_000, __insert_id="mine-1")], key="a")
    assert ids(relay) == [(1_700_000_000, "mine-1")]


def test_nothing_of_it_reaches_another_project(relay: Relay, redis_client: redis.Redis) -> None:
    relay.post("events", [event()], key="k")
    assert relay.kept("events", BLOG) == []
    assert redis_client.exists(keys.outbox(SHOP, "events"))
