from collections.abc import Callable
from typing import Any

import orjson
import pytest

from app.sandbox.api.answers import Answer, Modes
from app.sandbox.api.call import Call
from app.sandbox.machine import Machine
from tests.unit.sandbox.calls import TOKEN, decoded, event, send_import
from tests.unit.sandbox.doubles import START_S

OAUTH = "sandbox-oauth-token"


@pytest.fixture
def machine(make_machine: Callable[..., Machine]) -> Machine:
    machine = make_machine(profiles=0, cohorts=0)
    machine.profiles.write({"u1": {"a": 1}, "u2": {"a": 2}}, int(START_S * 1000))
    send_import(machine, [event(distinct_id="u1")])
    return machine


def call(body: Any = None, token: str = TOKEN) -> Call:
    return Call(
        Modes.of({}), orjson.dumps(body) if body else b"", "application/json", "", query={"token": token}
    )


def file(machine: Machine, *ids: str, bearer: str = OAUTH, **more: Any) -> Any:
    return machine.api.deletions.create(call({"distinct_ids": list(ids), **more}), bearer)


def state(machine: Machine, task_id: str) -> str:
    answer: Any = machine.api.deletions.show(call(), OAUTH, task_id)
    return str(decoded(answer)["results"]["status"])


def test_people_are_deleted_once_the_task_has_ended(machine: Machine) -> None:
    clock = machine.clock
    answer = file(machine, "u1", compliance_type="CCPA")
    assert (answer.status, decoded(answer)["status"]) == (201, "ok")
    task = decoded(answer)["results"]["task_id"]
    assert state(machine, task) == "PENDING"
    clock.advance(2)
    assert state(machine, task) == "STARTED"
    assert machine.profiles.get("u1")
    clock.advance(4)
    assert state(machine, task) == "SUCCESS"
    assert machine.profiles.get("u1") is None
    assert machine.profiles.get("u2")


def test_a_task_can_be_revoked_while_it_is_under_way(machine: Machine) -> None:
    task = decoded(file(machine, "u1"))["results"]["task_id"]
    answer = machine.api.deletions.cancel(call(), OAUTH, task)
    assert isinstance(answer, Answer)
    assert answer.status == 204
    machine.clock.advance(60)
    assert state(machine, task) == "REVOKED"
    assert machine.profiles.get("u1")


def test_wrong_tokens_are_refused(machine: Machine) -> None:
    assert file(machine, "u1", bearer="other").status == 401
    answer = machine.api.deletions.create(call({"distinct_ids": ["u1"]}, token="other"), OAUTH)
    assert isinstance(answer, Answer)
    assert answer.status == 403


def test_one_request_a_second_is_taken(machine: Machine) -> None:
    assert [file(machine, "u1").status, file(machine, "u1").status] == [201, 429]
    machine.clock.advance(1)
    assert file(machine, "u1").status == 201


@pytest.mark.parametrize(
    "body", [{}, {"distinct_ids": []}, {"distinct_ids": [1]}, {"distinct_ids": ["u"] * 2001}]
)
def test_what_names_nobody_or_too_many_is_refused(machine: Machine, body: Any) -> None:
    answer = machine.api.deletions.create(call(body or {"x": 1}), OAUTH)
    assert isinstance(answer, Answer)
    assert answer.status == 400


def test_an_unknown_task_is_not_found(machine: Machine) -> None:
    assert state(machine, "nothing") == "NOT_FOUND"
