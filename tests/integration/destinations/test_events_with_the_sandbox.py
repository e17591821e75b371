"""The sandbox takes what Mixpanel takes and shows each event once; it shares no code with us."""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from flask import Flask
from hypothesis import example, given, settings
from hypothesis import strategies as st
from redis import Redis
from werkzeug.serving import make_server

from app.mixpanel.event_limits import violations
from app.mixpanel.refused_ids import REFUSED_IDS
from app.sandbox.api.event_records import EventRules, check_event
from app.sandbox.api.records import RefusedRecordError
from app.sandbox.application import create_sandbox
from app.sandbox.config import Limits, SandboxConfig
from app.sandbox.faults import Fault
from app.sandbox.machine import Machine, machine_of
from app.sandbox.store.events import Selection, StoredEvent
from config.events import Event
from config.projects import ServiceAccount
from config.rules import Rule, RuleSet
from config.secret import Secret
from tests.integration.destinations.events_world import EventsWorld, P


@pytest.fixture
def sandbox() -> Iterator[Flask]:
    app = create_sandbox(SandboxConfig(project_id=P, token="token-1", profiles=0, cohorts=0))
    yield app
    machine_of(app).close()


@pytest.fixture
def machine(sandbox: Flask) -> Machine:
    return machine_of(sandbox)


@pytest.fixture
def world(redis_client: Redis, sandbox: Flask) -> Iterator[EventsWorld]:
    server = make_server("127.0.0.1", 0, sandbox, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    world = EventsWorld(redis_client, f"http://127.0.0.1:{server.server_port}")
    yield world
    world.close()
    server.shutdown()
    thread.join()
    server.server_close()


def shown(machine: Machine) -> list[StoredEvent]:
    return machine.events.read(Selection(), "arrival", 100_000)


def told(machine: Machine) -> list[tuple[str, str]]:
    return sorted((event.event, event.distinct_id) for event in shown(machine))


def test_what_a_rule_says_is_what_mixpanel_shows(world: EventsWorld, machine: Machine) -> None:
    world.change({"u1": {"plan": "pro"}}, ["u2"], {"$device:D1": {"plan": ["a", "b"]}})
    assert world.run().kind == "drained"
    assert world.letters() == []
    by_id = {event.distinct_id: event for event in shown(machine)}
    assert {one: (event.event, event.properties) for one, event in by_id.items()} == {
        "u1": ("Entered VIP", {"Plan": "pro", "$source": "cohort-relay"}),
        "u2": ("Left VIP", {"$source": "cohort-relay"}),
        "$device:D1": ("Changed", {"Plan": ["a", "b"], "$source": "cohort-relay", "$device_id": "D1"}),
    }
    assert {event.time_ms for event in shown(machine)} == {int(world.now_s * 1000)}


def test_the_raw_export_gives_back_what_was_told(world: EventsWorld, sandbox: Flask) -> None:
    account = ServiceAccount("sandbox-account", Secret("sandbox-secret"))
    world.project = replace(world.project, service_account=account)
    world.change({"u1": {"plan": "pro"}})
    assert world.run().kind == "drained"
    day = time.strftime("%Y-%m-%d", time.gmtime(world.now_s))
    answer = sandbox.test_client().get(
        f"/api/2.0/export?project_id={P}&from_date={day}&to_date={day}",
        auth=("sandbox-account", "sandbox-secret"),
    )
    (event,) = [json.loads(line) for line in answer.text.splitlines()]
    assert event["event"] == "Entered VIP"
    assert event["properties"]["distinct_id"] == "u1"
    assert event["properties"]["Plan"] == "pro"


@pytest.mark.parametrize("system", ["original", "legacy", "simplified"])
def test_events_of_rules_link_nobody_in_any_identity_system(redis_client: Redis, system: Any) -> None:
    config = SandboxConfig(project_id=P, token="token-1", id_management=system, profiles=0, cohorts=0)
    app = create_sandbox(config)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    world = EventsWorld(redis_client, f"http://127.0.0.1:{server.server_port}")
    try:
        world.project = replace(world.project, id_management=system)
        world.change(["u1", "$device:D1"])
        assert world.run().kind == "drained"
        assert told(machine_of(app)) == [("Entered VIP", "$device:D1"), ("Entered VIP", "u1")]
    finally:
        world.close()
        server.shutdown()
        thread.join()
        server.server_close()
        machine_of(app).close()


def test_an_event_that_it_refuses_costs_no_other(world: EventsWorld, machine: Machine) -> None:
    machine.faults.add(Fault("api", "partial", records=3, path="/import"))
    everybody = [f"u{number}" for number in range(50)]
    world.change(everybody)
    assert world.run().kind == "drained"
    refused = [json.loads(one.letter.record)["properties"]["distinct_id"] for one in world.letters()]
    assert {one.letter.code for one in world.letters()} == {"refused"}
    assert len(refused) == 3
    assert told(machine) == sorted(("Entered VIP", one) for one in set(everybody) - set(refused))
    assert (world.position.delivered, world.position.dead_lettered) == (47, 3)


@pytest.mark.parametrize("seed", range(6))
def test_every_trace_through_faults_and_restarts_leaves_one_event_each(
    world: EventsWorld, machine: Machine, seed: int
) -> None:
    chance = Random(seed)
    expected = []
    for number in range(8):
        entered = [f"u{number}-{one}" for one in range(chance.randrange(250))]
        exited = [f"u{chance.randrange(8)}-{one}" for one in range(chance.randrange(50))]
        world.change(entered, exited, cause=chance.choice(["sync", "taken_back"]))
        expected += [("Entered VIP", one) for one in entered] + [("Left VIP", one) for one in exited]
    for _ in range(10):
        kind = chance.choice(["status", "cut"])
        when = chance.choice(["before", "after"])
        machine.faults.add(
            Fault("api", kind, when=when, status=chance.choice([429, 500, 503]), path="/import")
        )
        if world.run().kind == "drained":
            break
        if chance.random() < 0.5:
            world.build()  # another process goes on
        world.now_s += 60
    while world.run().kind != "drained":
        pass
    assert told(machine) == sorted(expected)
    assert world.letters() == []
    assert world.position.delivered == len(expected)


def test_a_merge_by_an_ordinary_event_is_not_possible(world: EventsWorld, machine: Machine) -> None:
    event = Event("{member[name]}", {"{member[property]}": "U1"})
    world.project = replace(world.project, rules=RuleSet((Rule(enter_event=event),)))
    world.change(
        {
            "$device:D1": {"name": "Seen", "property": "$user_id"},
            "u2": {"name": "$merge", "property": "p"},
            "u3": {"name": "Seen", "property": "p"},
        }
    )
    assert world.run().kind == "drained"
    assert told(machine) == [("Seen", "u3")]
    assert [one.letter.code for one in world.letters()] == ["invalid", "invalid"]
    assert all(one.letter.reason.startswith("rules[0].enter.event: ") for one in world.letters())


NOW_MS = 1_785_888_000_000
LIMITS = Limits()
IDS = st.one_of(st.sampled_from(["u1", "$device:D", "", "u" * 255]), st.sampled_from(sorted(REFUSED_IDS)))
INSERT_IDS = st.one_of(
    st.text("aZ09-", min_size=1, max_size=38), st.text(max_size=3), st.sampled_from(sorted(REFUSED_IDS))
)
TIMES = st.one_of(
    st.integers(-5, 5).map(lambda over: NOW_MS + 3_600_000 + over),
    st.integers(-5, 5).map(lambda over: NOW_MS // 1000 + 3_600 + over),
    st.integers(-5, 5).map(lambda over: 31_536_000 + over),
    st.integers(-5, 5).map(lambda over: 31_536_000_000 + over),
    st.sampled_from([None, "1785888000", True, 1.5, 1785888000.0, -1]),
)


def nested(depth: int, inner: Any) -> Any:
    for _ in range(depth):
        inner = {"k": inner}
    return inner


def listed(length: int) -> list[int]:
    return [0] * length


def keyed(number: int) -> dict[str, int]:
    return {f"k{n}": n for n in range(number)}


LENGTHS = st.integers(253, 256)
INNER = st.one_of(st.just(1), LENGTHS.map(listed), LENGTHS.map(keyed))
ASPECTS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "time": TIMES.map(lambda time: {"time": time}),
    "distinct_id": IDS.map(lambda one: {"distinct_id": one}),
    "insert_id": INSERT_IDS.map(lambda one: {"$insert_id": one}),
    "value": st.builds(lambda depth, inner: {"a": nested(depth, inner)}, st.integers(0, 4), INNER),
    "number": st.integers(249, 253).map(keyed),
    "device": st.sampled_from([{"$device_id": one} for one in ("D", "", "anon")]),
    "user": st.sampled_from([{"$user_id": one} for one in ("U", "", "null")]),
    "nothing": st.just({}),
}
VALID = {"time": NOW_MS, "distinct_id": "u1", "$insert_id": "i-1"}
EVENTS = st.builds(
    lambda name, *aspects: {
        "event": name,
        "properties": dict(VALID, **{k: v for a in aspects for k, v in a.items()}),
    },
    st.sampled_from(["Signup", "Signup", "Signup", "", None, 5]),
    st.sampled_from(sorted(ASPECTS)).flatmap(lambda name: ASPECTS[name]),
    st.sampled_from(["nothing", "nothing", *sorted(ASPECTS)]).flatmap(lambda name: ASPECTS[name]),
)
SYSTEMS = st.sampled_from(["simplified", "original", "legacy"])


@settings(max_examples=400)
@given(EVENTS, SYSTEMS)
@example({"event": "e", "properties": VALID | {"a": nested(3, 1)}}, "original")
@example({"event": "e", "properties": VALID | {"a": nested(4, 1)}}, "original")
@example({"event": "e", "properties": VALID | {"a": listed(254)}}, "original")
@example({"event": "e", "properties": VALID | {"a": listed(255)}}, "original")
@example({"event": "e", "properties": VALID | {"a": keyed(254)}}, "original")
@example({"event": "e", "properties": VALID | {"a": keyed(255)}}, "original")
@example({"event": "e", "properties": VALID | keyed(251)}, "original")
@example({"event": "e", "properties": VALID | keyed(252)}, "original")
@example({"event": "e", "properties": VALID | {"$insert_id": "a" * 36}}, "original")
@example({"event": "e", "properties": VALID | {"$insert_id": "a" * 37}}, "original")
@example({"event": "e", "properties": VALID | {"time": NOW_MS + 3_600_000}}, "original")
@example({"event": "e", "properties": VALID | {"time": NOW_MS + 3_600_001}}, "original")
def test_our_limits_are_those_of_the_sandbox(event: dict[str, Any], system: Any) -> None:
    found = {violation.rule for violation in violations(event, NOW_MS, id_management=system)}
    # What only we refuse: a merge that is the identity destination's business.
    ours = found - {"identity_link"}
    try:
        check_event(event, EventRules("import", system, LIMITS, NOW_MS))
    except RefusedRecordError:
        assert ours
    else:
        assert not ours
