"""Holding projects and destinations over the API, and moving cursors, with a look first."""

from typing import Any

import pytest
from redis import Redis

from app.cohorts.commit import NewEntry
from app.store import keys, scripts
from tests.integration.web.api.relay import Relay, fault, problem, services
from tests.integration.web.services import SHOP, settings

OF = f"/projects/{SHOP}"
CURSOR = f"{OF}/destinations/profiles/cursor"


@pytest.fixture
def held(redis_client: Redis, redis_url: str) -> Relay:
    relay = Relay(services(redis_client, settings(redis_url)))
    relay.authorization = relay.token("operate")
    return relay


def call(relay: Relay, method: str, path: str, body: Any = None) -> Any:
    headers = {"Authorization": relay.authorization}
    more = {"json": body} if body is not None else {}
    return relay.call(method, path, headers=headers, **more)


def changes(redis: Redis, entries: int) -> None:
    append = scripts.load(redis, "cohorts/scripts/append.lua")
    for number in range(entries):
        entry = NewEntry("changes", "sync", "7", "VIP", "s", 1, entered=[f"p{number}"], exited=["q"])
        append(keys=[keys.log(SHOP), keys.log_meta(SHOP)], args=["g1", *entry.encoded()])


def test_a_project_is_paused_and_resumed_and_says_by_whom(held: Relay) -> None:
    told = call(held, "PUT", f"{OF}/pause", {"why": "a\x00migration"}).get_json()
    assert told["paused"]["why"] == "a migration"
    assert told["paused"]["by"] == held.authorization.split("_")[1]
    (profiles, *_) = call(held, "GET", f"{OF}/destinations").get_json()["destinations"]
    assert (profiles["state"], profiles["with_project"]) == ("paused", True)
    assert call(held, "DELETE", f"{OF}/pause").get_json()["paused"] is None
    assert call(held, "GET", f"{OF}/operation").get_json()["paused"] is None


def test_what_is_closed_refuses_with_503_and_opens_again(held: Relay) -> None:
    told = call(held, "PUT", f"{OF}/stop-accepting", {}).get_json()
    assert (told["accepting"], told["drained"]) == (False, True)
    ingest = held.token("ingest", "operate")
    event = {"event": "e", "properties": {"distinct_id": "1"}}
    answer = held.post("events", [event], headers={"Authorization": ingest})
    problem(answer, 503, "not_accepting")
    assert answer.headers["Retry-After"] == "60"
    assert call(held, "DELETE", f"{OF}/stop-accepting").get_json()["accepting"]
    assert held.post("events", [event], headers={"Authorization": ingest}).status_code == 202


def test_a_repetition_of_what_was_taken_in_is_answered_although_nothing_is_accepted(held: Relay) -> None:
    headers = {"Authorization": held.token("ingest"), "Idempotency-Key": "one"}
    event = {"event": "e", "properties": {"distinct_id": "1"}}
    assert held.post("events", [event], headers=headers).status_code == 202
    call(held, "PUT", f"{OF}/stop-accepting")
    assert held.post("events", [event], headers=headers).get_json()["replayed"]


def test_a_cursor_moves_only_when_paused_and_only_as_it_was_looked_at(
    held: Relay, redis_client: Redis
) -> None:
    changes(redis_client, 5)
    bounds = call(held, "GET", CURSOR).get_json()
    assert (bounds["cursor"], bounds["earliest"], bounds["latest"], bounds["meaning"]) == (0, 0, 5, None)
    look = call(held, "GET", f"{CURSOR}?to=3").get_json()["meaning"]
    assert (look["action"], look["entries"], look["changes"]["entered"]) == ("skip", 3, 3)
    assert look["operations"] == {"$union": 3, "$remove": 3}
    body = {"to": 3, "confirmation": look["confirmation"]}
    problem(call(held, "PUT", CURSOR, body), 409, "not_paused")
    call(held, "PUT", f"{OF}/destinations/profiles/pause", {"why": "one bad page"})
    problem(call(held, "PUT", CURSOR, {**body, "to": 4}), 409, "confirmation_outdated")
    assert call(held, "GET", CURSOR).get_json()["cursor"] == 0
    assert call(held, "PUT", CURSOR, body).get_json() == {"destination": "profiles", "before": 0, "cursor": 3}
    problem(call(held, "PUT", CURSOR, body), 422, "cursor_out_of_range")
    assert call(held, "GET", CURSOR).get_json()["cursor"] == 3


@pytest.mark.parametrize("to", [0, 6])
def test_where_a_cursor_cannot_be_put_says_where_it_can(held: Relay, redis_client: Redis, to: int) -> None:
    changes(redis_client, 5)
    found = fault(call(held, "GET", f"{CURSOR}?to={to}"), 422, "cursor_out_of_range")
    assert found["field"] == "to"
    assert "between 0 and 5" in found["detail"]


@pytest.mark.parametrize(
    ("body", "field"),
    [({}, "to"), ({"to": 1}, "confirmation"), ({"to": "1", "confirmation": "a"}, "to")],
)
def test_nothing_moves_by_accident(held: Relay, body: Any, field: str) -> None:
    told = problem(call(held, "PUT", CURSOR, body), 400, "invalid_body")
    assert field in {each["field"] for each in told["errors"]}


@pytest.mark.parametrize("name", ["apply", "resync", "nothing", "events"])
def test_what_is_no_destination_of_the_project_is_not_found(held: Relay, name: str) -> None:
    for method, path in (("GET", "cursor"), ("PUT", "cursor"), ("PUT", "pause"), ("DELETE", "pause")):
        problem(call(held, method, f"{OF}/destinations/{name}/{path}", None), 404, "unknown_destination")


def test_who_may_only_look_holds_nothing(held: Relay) -> None:
    held.authorization = held.token("read")
    for method, path in (("PUT", "/pause"), ("DELETE", "/pause"), ("PUT", "/stop-accepting")):
        problem(call(held, method, f"{OF}{path}", {}), 403, "scope_missing")
    problem(call(held, "PUT", CURSOR, {}), 403, "scope_missing")
    assert call(held, "GET", f"{OF}/operation").status_code == 200
