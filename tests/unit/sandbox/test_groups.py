from collections.abc import Callable
from typing import Any

import pytest

from app.sandbox.config import Limits
from app.sandbox.machine import Machine
from tests.unit.sandbox.calls import TOKEN, decoded, failures, send_groups


def update(kind: str = "$set", operand: Any = None, /, **changes: Any) -> dict[str, Any]:
    record = {"$token": TOKEN, "$group_key": "Company", "$group_id": "Mixpanel"} | changes
    return record | {kind: {"Size": 1} if operand is None else operand}


@pytest.fixture
def machine(make_machine: Callable[..., Machine]) -> Machine:
    return make_machine(profiles=0, cohorts=0)


def properties(machine: Machine) -> dict[str, Any] | None:
    group = machine.groups.get("Company", "Mixpanel")
    return None if group is None else group.properties


@pytest.mark.parametrize(
    ("kind", "operand", "after"),
    [
        ("$set", {"Size": 2, "City": "Oslo"}, {"Size": 2, "City": "Oslo", "Tags": ["a", "b"]}),
        ("$set_once", {"Size": 2, "City": "Oslo"}, {"Size": 1, "City": "Oslo", "Tags": ["a", "b"]}),
        ("$add", {"Size": 2}, {"Size": 3, "Tags": ["a", "b"]}),
        ("$union", {"Tags": ["b", "c"]}, {"Size": 1, "Tags": ["a", "b", "c"]}),
        ("$remove", {"Tags": "a"}, {"Size": 1, "Tags": ["b"]}),
        ("$unset", ["Size", "None"], {"Tags": ["a", "b"]}),
        ("$delete", "", None),
    ],
)
def test_each_operation_does_what_it_does_to_users(
    machine: Machine, kind: str, operand: Any, after: dict[str, Any] | None
) -> None:
    send_groups(machine, [update("$set", {"Size": 1, "Tags": ["a", "b"]})], ip="0")

    assert send_groups(machine, [update(kind, operand)], ip="0").body == b"1"
    assert properties(machine) == after


def test_groups_of_one_id_under_two_keys_are_two(machine: Machine) -> None:
    sent = [update(), update("$set", {"Size": 9}, **{"$group_key": "Team"}), update("$add", {"Size": 5})]
    assert decoded(send_groups(machine, sent, ip="0", strict="1"))["num_records_imported"] == 3

    found = {(one.group_key, one.properties["Size"]) for one in machine.groups.page(None, 9)}
    assert found == {("Company", 6), ("Team", 9)}


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ("text", "record"),
        (update(**{"$token": ""}), "$token"),
        (update(**{"$group_key": ""}), "$group_key"),
        (update(**{"$group_key": ["a"]}), "$group_key"),
        (update(**{"$group_id": None}), "$group_id"),
        (update(**{"$group_id": "g" * 256}), "$group_id"),
        (update("$append", {"Tags": "a"}), "operation"),
        (update(**{"$union": {"Tags": ["a"]}}), "operation"),
        (update("$union", {"Tags": "a"}), "$union.Tags"),
        (update("$add", {"Size": "1"}), "$add.Size"),
    ],
)
def test_a_record_with_a_mistake_is_named_and_the_others_are_applied(
    machine: Machine, sent: Any, field: str
) -> None:
    answer = send_groups(machine, [sent, update()], strict="1")

    assert failures(answer) == [(0, field)]
    assert decoded(answer)["num_records_imported"] == 1
    assert machine.groups.count() == 1


def test_verbose_says_why_nothing_was_valid(machine: Machine) -> None:
    assert decoded(send_groups(machine, [update(**{"$group_id": ""})], verbose="1")) == {
        "status": 0,
        "error": "'$group_id' is invalid: missing or empty",
    }


def test_compressed_bodies_are_refused(machine: Machine) -> None:
    assert send_groups(machine, [update()], encoding="gzip").status == 400


def test_a_wrong_token_is_accepted_and_goes_nowhere(machine: Machine) -> None:
    assert send_groups(machine, [update(**{"$token": "somebody-elses"})]).body == b"1"
    assert machine.groups.count() == 0


def test_too_many_updates_are_answered_413(machine: Machine) -> None:
    machine.controls.limits = Limits(max_updates=2)
    assert send_groups(machine, [update()] * 3).status == 413


def test_ip_1_gives_a_group_the_senders_location(machine: Machine) -> None:
    send_groups(machine, [update()])
    assert "$city" in (properties(machine) or {})
