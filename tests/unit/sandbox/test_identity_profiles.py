"""Devices of simplified projects, and what linking does to profiles."""

from collections.abc import Callable
from typing import Any

import pytest

from app.sandbox.config import ApiHabits, IdManagement
from app.sandbox.machine import Machine
from app.sandbox.population.conditions import Condition
from app.sandbox.store.events import Selection
from tests.unit.sandbox.calls import (
    UUIDS,
    alias,
    both,
    event,
    exported,
    identify,
    merge,
    send_engage,
    send_import,
)
from tests.unit.sandbox.doubles import FakeWebhook

Make = Callable[[IdManagement], Machine]


@pytest.fixture
def make(make_machine: Callable[..., Machine]) -> Make:
    return lambda system: make_machine(profiles=0, cohorts=0, id_management=system)


def ids(machine: Machine, one: str) -> set[str]:
    return set(machine.identities.cluster(one).ids)


def reasons(machine: Machine) -> list[str]:
    return [link.reason for link in machine.links.page(0, 999)]


def test_a_device_joins_the_user_seen_on_it_and_so_does_its_past(make: Make) -> None:
    machine = make("simplified")
    send_import(machine, [event(distinct_id=None, **{"$device_id": "d1", "$insert_id": "before"})])
    send_import(machine, [both("u1", "d1"), both("u1", "d2", "i-2")])
    send_import(machine, [event(distinct_id="$device:d2", **{"$insert_id": "after"})])

    assert machine.identities.canonical("$device:d1") == "u1"
    assert ids(machine, "u1") == {"u1", "$device:d1", "$device:d2"}
    assert {one["properties"]["distinct_id"] for one in exported(machine)} == {"u1"}
    assert len(machine.events.read(Selection(person="$device:d2"), "time", 9)) == 4


def test_two_users_never_merge_and_a_device_stays_with_the_first(make: Make) -> None:
    machine = make("simplified")
    assert (
        send_import(machine, [both("u1", "d1"), both("u2", "d1", "i-2"), both("u2", "d1", "i-3")]).status
        == 200
    )

    assert (ids(machine, "u1"), ids(machine, "u2")) == ({"u1", "$device:d1"}, {"u2"})
    assert {one["properties"]["distinct_id"] for one in exported(machine)} == {"u1", "u2"}
    assert reasons(machine) == ["", "the device belongs to another user, and two users never merge"]


def test_a_user_has_as_many_devices_as_there_are(make: Make) -> None:
    machine = make("simplified")
    assert send_import(machine, [both("u1", f"d{n}", f"i-{n}") for n in range(1200)]).status == 200

    assert len(ids(machine, "u1")) == 1201


def test_a_user_id_that_looks_like_a_device_links_nothing(make: Make) -> None:
    machine = make("simplified")
    send_import(machine, [both("$device:d1", "d2"), both("u1", "d1", "i-2")])

    assert (ids(machine, "$device:d2"), ids(machine, "u1")) == ({"$device:d2"}, {"u1", "$device:d1"})


@pytest.mark.parametrize(
    ("habit", "city"), [(ApiHabits(), None), (ApiHabits(device_profiles="merged"), "Oslo")]
)
def test_a_devices_profile_is_not_preserved_unless_the_project_is_set_so(
    make: Make, habit: ApiHabits, city: str | None
) -> None:
    machine = make("simplified")
    machine.controls.api = habit
    send_engage(machine, {"$distinct_id": "$device:d1", "$set": {"City": "Oslo"}})
    send_engage(machine, {"$distinct_id": "u1", "$set": {"Plan": "pro"}})
    send_import(machine, [both("u1", "d1")])

    assert machine.profiles.count() == 1
    assert machine.profiles.properties(["u1"])["u1"].get("City") == city


def test_updates_of_any_id_change_the_persons_one_profile(make: Make) -> None:
    machine = make("original")
    send_import(machine, [identify("u1", UUIDS[0]), alias("u1", "mail")])
    for one in ("u1", UUIDS[0], "mail"):
        send_engage(
            machine,
            {"$distinct_id": one, "$union": {"Cohorts": [one]}},
            {"$distinct_id": one, "$add": {"n": 1}},
        )

    profile = machine.profiles.get(machine.identities.canonical("u1"))
    assert profile is not None
    assert profile.properties == {"Cohorts": ["u1", UUIDS[0], "mail"], "n": 3}
    assert machine.profiles.count() == 1


def test_a_deletion_that_ignores_aliases_leaves_the_persons_profile(make: Make) -> None:
    machine = make("original")
    send_import(machine, [alias("u1", "mail")])
    send_engage(machine, {"$distinct_id": "u1", "$set": {"a": 1}})
    other = ({"u1", "mail"} - {machine.identities.canonical("u1")}).pop()

    send_engage(machine, {"$distinct_id": other, "$delete": "", "$ignore_alias": True})
    assert machine.profiles.count() == 1
    send_engage(machine, {"$distinct_id": other, "$delete": ""})
    assert machine.profiles.count() == 0


@pytest.mark.parametrize("later", ["u1", "u2"])
def test_of_two_profiles_the_later_values_stay_and_lists_are_united(
    make: Make, clock: Any, later: str
) -> None:
    machine = make("original")
    for one in sorted(("u1", "u2"), key=lambda each: each == later):
        send_engage(machine, {"$distinct_id": one, "$set": {"Plan": one, one: 1, "Cohorts": ["Both", one]}})
        clock.advance(1)
    send_import(machine, [merge("u1", "u2")])

    profile = machine.profiles.get(machine.identities.canonical("u1"))
    earlier = ({"u1", "u2"} - {later}).pop()
    assert profile is not None
    assert profile.properties == {"Plan": later, "u1": 1, "u2": 1, "Cohorts": ["Both", earlier, later]}
    assert machine.profiles.count() == 1


def test_the_next_sync_tells_a_device_that_became_a_user_as_one_leaving_and_one_entering(
    make: Make, webhook: FakeWebhook
) -> None:
    machine = make("simplified")
    machine.controls.api = ApiHabits(device_profiles="merged")
    cohort_id = machine.cohorts.create("Pro", "", [Condition("plan", "equals", "pro")])
    send_engage(machine, {"$distinct_id": "$device:d1", "$set": {"plan": "pro"}})
    machine.sync.run(cohort_id)
    send_import(machine, [both("u1", "d1")])
    webhook.take()
    machine.sync.run(cohort_id)

    told = {page.action: page.ids for page in webhook.take()}
    assert told == {"add_members": {"u1"}, "remove_members": {"$device:d1"}}


def test_people_enter_and_leave_a_cohort_under_any_of_their_ids(make: Make) -> None:
    machine = make("simplified")
    cohort_id = machine.cohorts.create("Pro", "", [Condition("plan", "equals", "pro")])
    cohort = machine.cohorts.get(cohort_id)
    send_import(machine, [both("u1", "d1")])

    machine.population.enter(cohort, ["$device:d1"])
    assert machine.population.members(cohort) == {"u1"}
    machine.population.leave(cohort, ["$device:d1"])
    assert machine.population.members(cohort) == set()
