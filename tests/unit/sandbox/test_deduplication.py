from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.sandbox.config import SandboxConfig
from app.sandbox.machine import Machine
from app.sandbox.store.events import Selection
from tests.unit.sandbox.calls import NOW_S, UUIDS, both, event, exported, identify, send_import, send_track
from tests.unit.sandbox.doubles import FakeWebhook, MovedClock, SilentLog

FOUR = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["A", "B"]),
        "time": st.sampled_from([NOW_S - 60, NOW_S - 61, (NOW_S - 60) * 1000]),
        "distinct_id": st.sampled_from(["u1", "u2", ""]),
        "$insert_id": st.sampled_from(["i-1", "i-2"]),
        "value": st.integers(0, 3),
    }
)


@pytest.fixture
def machine(make_machine: Callable[..., Machine]) -> Machine:
    return make_machine(profiles=0, cohorts=0)


def test_a_batch_sent_ten_times_leaves_each_event_once(machine: Machine) -> None:
    batch = [event(name, **{"$insert_id": f"i-{number}"}) for name in "AB" for number in range(5)]
    for _ in range(10):
        assert send_import(machine, batch).status == 200

    counts = machine.events.counts(Selection())
    assert {name: (one.events, one.arrivals) for name, one in counts.items()} == {"A": (5, 50), "B": (5, 50)}
    assert {one.arrivals for one in machine.events.read(Selection(), "arrival", 99)} == {10}
    assert len(exported(machine)) == 10


@pytest.mark.parametrize(
    "change", [{"name": "Other"}, {"time": NOW_S - 61}, {"distinct_id": "u2"}, {"$insert_id": "i-2"}]
)
def test_events_that_differ_in_one_of_the_four_are_two(machine: Machine, change: dict[str, Any]) -> None:
    name = change.pop("name", "Signed up")
    send_import(machine, [event(), event(name, **change)])

    assert machine.events.count() == 2


def test_of_equal_events_the_latest_is_shown(machine: Machine) -> None:
    send_import(machine, [event(plan="old"), event(plan="new")])
    send_track(machine, [event(plan="newest")])

    assert [one["properties"]["plan"] for one in exported(machine)] == ["newest"]


def test_events_without_an_insert_id_are_never_duplicates(machine: Machine) -> None:
    for _ in range(2):
        send_track(machine, [event(**{"$insert_id": None})])

    assert machine.events.count() == 2


def test_equal_events_of_ids_that_were_linked_since_are_one(make_machine: Callable[..., Machine]) -> None:
    machine = make_machine(profiles=0, cohorts=0, id_management="original")
    send_import(machine, [event(distinct_id="u1"), event(distinct_id=UUIDS[0])])
    assert machine.events.count() == 2

    send_import(machine, [identify("u1", UUIDS[0])])
    assert machine.events.count() == 1


def test_an_event_that_links_can_come_ten_times_too(machine: Machine) -> None:
    for _ in range(10):
        send_import(machine, [both("u1", "d1")])

    assert [one.arrivals for one in machine.events.read(Selection(), "arrival", 9)] == [10]
    assert [link.outcome for link in machine.links.page(0, 99)] == ["merged"]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(FOUR, min_size=1, max_size=6), max_size=8))
def test_what_is_read_is_the_last_of_each_four(batches: list[list[dict[str, Any]]]) -> None:
    machine = Machine(SandboxConfig(profiles=0, cohorts=0), SilentLog(), FakeWebhook(), MovedClock())
    latest: dict[Any, tuple[int, int]] = {}
    for batch in batches:
        send_import(
            machine, [event(one["name"], **{k: v for k, v in one.items() if k != "name"}) for one in batch]
        )
        for one in batch:
            time_s = one["time"] // 1000 if one["time"] > 10**10 else one["time"]
            four = (one["name"], time_s, one["distinct_id"], one["$insert_id"])
            latest[four] = (one["value"], latest.get(four, (0, 0))[1] + 1)

    found = {
        (one.event, one.time_ms // 1000, one.distinct_id, one.insert_id): (
            one.properties["value"],
            one.arrivals,
        )
        for one in machine.events.read(Selection(), "time", 999)
    }
    assert found == latest
    machine.close()
