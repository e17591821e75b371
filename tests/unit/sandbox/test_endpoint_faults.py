"""A fault strikes every endpoint alike, or with a path the one that it names."""

from collections.abc import Callable
from typing import Any

import pytest

from app.sandbox.api.call import Fate
from app.sandbox.faults import Fault
from app.sandbox.machine import Machine
from tests.unit.sandbox.calls import (
    TOKEN,
    both,
    decoded,
    event,
    export,
    failures,
    send_engage,
    send_groups,
    send_import,
    send_track,
)

Send = Callable[[Machine], Any]


def group(number: int = 0) -> dict[str, Any]:
    return {"$token": TOKEN, "$group_key": "K", "$group_id": f"g{number}", "$set": {"a": 1}}


SENDS: dict[str, Send] = {
    "/engage": lambda machine: send_engage(machine, {"$distinct_id": "u1", "$set": {"a": 1}}),
    "/import": lambda machine: send_import(machine, [event()]),
    "/track": lambda machine: send_track(machine, [event()]),
    "/groups": lambda machine: send_groups(machine, [group()]),
    "/export": export,
}
TAKING = ["/engage", "/import", "/track", "/groups"]


def taken(machine: Machine) -> int:
    return machine.events.count() + machine.groups.count() + machine.profiles.count()


@pytest.fixture
def machine(make_machine: Callable[..., Machine]) -> Machine:
    return make_machine(profiles=0, cohorts=0)


@pytest.mark.parametrize("path", SENDS)
def test_a_fault_with_a_path_strikes_there_only(machine: Machine, path: str) -> None:
    machine.faults.add(Fault("api", "status", status=503, path=path))

    statuses = {one: send(machine).status for one, send in SENDS.items()}
    assert {one for one, status in statuses.items() if status == 503} == {path}


@pytest.mark.parametrize("path", SENDS)
def test_a_fault_without_a_path_strikes_whatever_comes(machine: Machine, path: str) -> None:
    machine.faults.add(Fault("api", "status", status=429, retry_after_s=3))

    answer = SENDS[path](machine)
    assert (answer.status, answer.retry_after_s) == (429, 3)


@pytest.mark.parametrize("path", SENDS)
@pytest.mark.parametrize(("kind", "fate"), [("cut", Fate.CUT), ("timeout", Fate.HELD)])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_connection_fault_answers_nothing(
    machine: Machine, path: str, kind: str, fate: Fate, when: str
) -> None:
    machine.faults.add(Fault("api", kind, when=when))

    assert SENDS[path](machine) is fate
    assert taken(machine) == (1 if when == "after" and path in TAKING else 0)


@pytest.mark.parametrize("path", SENDS)
def test_a_late_answer_is_an_answer(machine: Machine, path: str) -> None:
    machine.faults.add(Fault("api", "delay", delay_s=0.01))

    assert SENDS[path](machine).status == 200


def test_refused_credentials_have_each_endpoints_own_form(machine: Machine) -> None:
    machine.faults.add(Fault("api", "status", status=401, count=None))

    assert decoded(SENDS["/import"](machine))["code"] == 401
    for path in ("/engage", "/track", "/groups", "/export"):
        assert decoded(SENDS[path](machine))["status"] == "error"


def test_a_partial_fault_refuses_some_events_and_imports_the_rest(machine: Machine) -> None:
    machine.faults.add(Fault("api", "partial", records=3))
    batch = [event(**{"$insert_id": f"i-{number}"}) for number in range(10)]

    answer = send_import(machine, batch)
    assert answer.status == 400
    assert len(failures(answer)) == 3
    kept = {one["insert_id"] for one in decoded(answer)["failed_records"]}
    assert len(kept) == 3
    assert machine.events.count() == decoded(answer)["num_records_imported"] == 7


def test_a_partial_fault_refuses_some_groups(machine: Machine) -> None:
    machine.faults.add(Fault("api", "partial", records=2, path="/groups"))

    answer = send_groups(machine, [group(number) for number in range(5)], strict="1")
    assert (len(failures(answer)), machine.groups.count()) == (2, 3)


@pytest.mark.parametrize("name", ["d1", "$device:d1", "u1"])
def test_a_poisoned_id_fails_the_whole_batch_under_any_name(machine: Machine, name: str) -> None:
    machine.faults.add(Fault("api", "poison", count=None, distinct_ids=(name,)))

    answer = send_import(machine, [event(distinct_id="u2"), both("u1", "d1")])
    assert (answer.status, "failed_records" in decoded(answer)) == (400, False)
    assert send_import(machine, [event(distinct_id="u2")]).status == 200


def test_batch_faults_wait_for_a_batch_where_an_export_has_none(machine: Machine) -> None:
    machine.faults.add(Fault("api", "partial"))

    assert export(machine).status == 200
    assert len(failures(send_import(machine, [event()]))) == 1
