"""Events reach Mixpanel once each, whatever happens on the way."""

import base64
import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from redis import Redis

from config.projects import ServiceAccount
from config.secret import Secret
from tests.integration.destinations.events_world import (
    EventsWorld,
    Importer,
    P,
    identity,
    refused,
)
from tests.integration.mixpanel.server import Reply, Server

MANY = [f"u{number}" for number in range(250)]


@pytest.fixture
def mixpanel() -> Iterator[Importer]:
    mixpanel = Importer()
    with Server(mixpanel.answer) as server:
        mixpanel.url = server.url
        yield mixpanel


@pytest.fixture
def world(redis_client: Redis, mixpanel: Importer) -> Iterator[EventsWorld]:
    world = EventsWorld(redis_client, mixpanel.url)
    yield world
    world.close()


def test_changes_become_events_at_the_time_of_the_sync(world: EventsWorld, mixpanel: Importer) -> None:
    world.change({"u1": {"plan": "pro"}, "u2": {"plan": None}}, ["u3"], {"u4": {"plan": "basic"}})
    time_ms = int(world.now_s * 1000)
    world.now_s += 3600
    assert world.run().kind == "drained"
    assert mixpanel.told == [
        ("Changed", "u4"),
        ("Entered VIP", "u1"),
        ("Entered VIP", "u2"),
        ("Left VIP", "u3"),
    ]
    inner = {event["properties"]["distinct_id"]: event["properties"] for event in mixpanel.arrived}
    assert {each["time"] for each in inner.values()} == {time_ms}
    assert [inner[one].get("Plan") for one in ("u1", "u2", "u4")] == ["pro", None, "basic"]
    assert (world.position.cursor, world.position.delivered) == (1, 4)


def test_requests_are_strict_and_compressed_and_carry_the_projects_credential(
    world: EventsWorld, mixpanel: Importer
) -> None:
    world.change(["u1"])
    world.run()
    account = ServiceAccount("relay", Secret("secret-1"))
    world.project = replace(world.project, service_account=account, integration_id="my-company")
    world.change(["u2"])
    world.run()
    by_token, by_account = mixpanel.requests
    assert {request.path for request in mixpanel.requests} == {"/import"}
    assert {request.headers["Content-Encoding"] for request in mixpanel.requests} == {"gzip"}
    assert "strict=1" in by_token.query
    assert f"project_id={P}" in by_account.query
    assert by_token.headers["Authorization"] == basic("token-1:")
    assert by_account.headers["Authorization"] == basic("relay:secret-1")
    assert [event["properties"]["$source"] for event in mixpanel.arrived] == ["cohort-relay", "my-company"]


def basic(credential: str) -> str:
    return f"Basic {base64.b64encode(credential.encode()).decode()}"


def test_events_that_mixpanel_refuses_are_dead_letters_and_the_rest_counts(
    world: EventsWorld, mixpanel: Importer
) -> None:
    mixpanel.script = lambda events: refused(events, 1, 3)
    world.change(["a", "b", "c", "d"])
    assert world.run().kind == "drained"
    assert [(one.destination, one.letter.code) for one in world.letters()] == [("events", "refused")] * 2
    assert [who(one.letter.record) for one in world.letters()] == ["b", "d"]
    assert (world.position.delivered, world.position.dead_lettered) == (2, 2)
    assert len(mixpanel.requests) == 1


def who(record: bytes) -> str:
    return str(json.loads(record)["properties"]["distinct_id"])


def test_what_breaks_a_limit_is_never_sent_and_told_in_the_log(
    world: EventsWorld, mixpanel: Importer, redis_client: Redis
) -> None:
    world.change({"long": {"plan": [0] * 255}, "fine": {"plan": "pro"}, "anonymous": {"plan": "pro"}})
    assert world.run().kind == "drained"
    assert mixpanel.told == [("Entered VIP", "fine")]
    (invalid,) = [one.letter for one in world.letters() if one.letter.code == "invalid"]
    (unusable,) = [one.letter for one in world.letters() if one.letter.code == "unusable_id"]
    assert invalid.reason == (
        "rules[0].enter.event: properties.Plan has more than 254 elements (array_elements)"
    )
    assert (who(invalid.record), who(unusable.record)) == ("long", "anonymous")
    told = [entry for entry in world.changelog.read(P, 0, 1000) if entry.kind == "batch.dead_lettered"]
    assert [entry.detail["records"] for entry in told] == [{"invalid": 1, "unusable_id": 1}]


def test_a_window_with_nothing_but_violations_is_passed(world: EventsWorld, mixpanel: Importer) -> None:
    world.change({"long": {"plan": [0] * 255}})
    assert world.run().kind == "drained"
    assert (mixpanel.requests, len(world.letters()), world.position.cursor) == ([], 1, 2)


def test_a_request_whose_answer_was_lost_leaves_one_event_each(
    world: EventsWorld, mixpanel: Importer
) -> None:
    mixpanel.script, mixpanel.also_import = lambda _events: Reply(cut="before"), True
    world.change(MANY, ["x"])
    for _ in range(9):
        assert world.run().kind == "later"
        world.build()  # another process
        world.now_s += 60
    mixpanel.script = lambda _events: None
    assert world.run().kind == "drained"
    assert len(mixpanel.arrived) == 2510
    assert len(mixpanel.events) == 251
    assert world.position.delivered == 251


def test_only_what_was_not_settled_is_sent_again(world: EventsWorld, mixpanel: Importer) -> None:
    busy = {"left": 1}

    def script(events: list[dict[str, object]]) -> Reply | None:
        if len(events) < 2000 and busy["left"]:
            busy["left"] -= 1
            return Reply(503, b"")
        return None

    mixpanel.script = script
    for batch in range(9):
        world.change([f"u{batch}-{number}" for number in range(250)])
    assert world.run().kind == "later"
    assert len(mixpanel.arrived) == 2000
    assert world.run().kind == "drained"
    assert len(mixpanel.arrived) == len(mixpanel.events) == 2250
    assert world.position.delivered == 2250


def test_a_window_is_finished_under_the_rules_that_it_was_begun_with(
    world: EventsWorld, mixpanel: Importer
) -> None:
    mixpanel.script, mixpanel.also_import = lambda _events: Reply(503, b""), True
    world.change(["a", "b"])
    world.run()
    before = world.project
    world.project = replace(before, rules=replace(before.rules, rules=()))
    mixpanel.script = lambda _events: None
    world.run()
    assert len(mixpanel.arrived) == 4
    assert {identity(event) for event in mixpanel.arrived} == set(mixpanel.events)
    assert mixpanel.told == [("Entered VIP", "a"), ("Entered VIP", "b")]


@pytest.mark.parametrize("cause", ["reasserted", "rename"])
def test_what_did_not_happen_to_the_person_is_not_told(
    world: EventsWorld, mixpanel: Importer, cause: str
) -> None:
    world.change(["a"], ["b"], {"c": {}}, cause=cause)
    assert world.run().kind == "drained"
    assert (mixpanel.requests, world.position.cursor) == ([], 1)


def test_a_refused_credential_stops_the_destination_and_keeps_everything(
    world: EventsWorld, mixpanel: Importer
) -> None:
    mixpanel.script = lambda _events: Reply(401, b'{"error": "no", "status": "error"}')
    world.change(["a"])
    world.run()
    assert (world.position.state, world.letters()) == ("stopped", [])
    mixpanel.script = lambda _events: None
    world.project = replace(world.project, token=Secret("token-2"))
    assert world.run().kind == "drained"
    assert mixpanel.told == [("Entered VIP", "a")]
