"""The sandbox knows what each operation does and refuses what Mixpanel refuses; it shares no code with us."""

import threading
from collections.abc import Iterator

import pytest
from flask import Flask
from redis import Redis
from werkzeug.serving import make_server

from app.sandbox.application import create_sandbox
from app.sandbox.config import SandboxConfig
from app.sandbox.machine import machine_of
from config.rules import Operation, Rule, RuleSet
from tests.integration.destinations.world import Mixpanel, P, World

EVERY_KIND = RuleSet(
    (
        Rule(
            cohort_names=("VIP",),
            enter=(
                Operation("$set", "plan", "{cohort_name}"),
                Operation("$set", "tags", {"cohort": "{cohort_id}", "at": "{time}"}),
                Operation("$set_once", "first", "{cohort_name}"),
                Operation("$union", "Cohorts", ["{cohort_name}", "any"]),
                Operation("$add", "entered", 1),
                Operation("$append", "history", "in {cohort_name}"),
            ),
            exit=(
                Operation("$remove", "Cohorts", "{cohort_name}"),
                Operation("$unset", "plan"),
                Operation("$append", "history", "out of {cohort_name}"),
            ),
        ),
        Rule(cohort_names=("Gone",), enter=(Operation("$delete", ""),)),
    )
)


@pytest.fixture
def sandbox() -> Iterator[Flask]:
    app = create_sandbox(SandboxConfig(project_id=P, token="token-1", profiles=0, cohorts=0))
    yield app
    machine_of(app).close()


@pytest.fixture
def world(redis_client: Redis, sandbox: Flask) -> Iterator[World]:
    server = make_server("127.0.0.1", 0, sandbox, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    mixpanel = Mixpanel()
    mixpanel.url = f"http://127.0.0.1:{server.server_port}"
    world = World(redis_client, mixpanel)
    yield world
    world.close()
    server.shutdown()
    thread.join()
    server.server_close()


def properties(sandbox: Flask, distinct_id: str) -> dict[str, object] | None:
    profile = machine_of(sandbox).profiles.get(distinct_id)
    return None if profile is None else dict(profile.properties)


def test_every_kind_of_operation_does_there_what_the_rule_says(world: World, sandbox: Flask) -> None:
    world.rules(EVERY_KIND)
    world.known.cohorts["9"] = "Gone"
    world.change(entered=["stays", "leaves", "deleted"])
    world.run()
    world.change(exited=["leaves"])
    world.change(entered=["deleted"], cohort="9")
    assert world.run().kind == "drained"
    assert world.letters() == []
    assert properties(sandbox, "stays") == {
        "plan": "VIP",
        "tags": {"cohort": "1", "at": "2026-01-01T00:00:00"},
        "first": "VIP",
        "Cohorts": ["VIP", "any"],
        "entered": 1,
        "history": ["in VIP"],
    }
    assert properties(sandbox, "leaves") == {
        "tags": {"cohort": "1", "at": "2026-01-01T00:00:00"},
        "first": "VIP",
        "Cohorts": ["any"],
        "entered": 1,
        "history": ["in VIP", "out of VIP"],
    }
    assert properties(sandbox, "deleted") is None


def test_a_record_that_it_refuses_costs_no_other(world: World, sandbox: Flask) -> None:
    too_long = "x" * 300
    world.rules(RuleSet((Rule(copy={"of": "own"}, enter=(Operation("$set", "{distinct_id}", 1),)),)))
    world.change(entered=["a", too_long, "b"])
    assert world.run().kind == "drained"
    assert [(code, record["$distinct_id"]) for code, record in world.letters()] == [("refused", too_long)]
    assert (properties(sandbox, "a"), properties(sandbox, "b")) == ({"a": 1}, {"b": 1})
