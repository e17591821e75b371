from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.sandbox.api.reports.funnels import taken
from app.sandbox.machine import Machine
from app.sandbox.store.events import StoredEvent
from tests.unit.sandbox.asking import refused, report
from tests.unit.sandbox.reports.conftest import Happen

DAYS = {"from_date": "2026-09-20", "to_date": "2026-09-21"}


@pytest.fixture
def funnel(machine: Machine) -> str:
    kept = machine.saved.add_funnel("Sale", ["Look", "Choose", "Buy"], length=1)
    return str(kept["funnel_id"])


def counts(found: Any, day: str) -> list[int]:
    return [step["count"] for step in found["data"][day]["steps"]]


def test_people_take_the_steps_in_order_and_in_time(machine: Machine, happen: Happen, funnel: str) -> None:
    for person, steps in {
        "all": [("Look", 1), ("Choose", 2), ("Buy", 4)],
        "some": [("Look", 1), ("Choose", 3)],
        "wrong order": [("Choose", 1), ("Look", 2), ("Buy", 3)],
        "too late": [("Look", 1), ("Choose", 26)],
        "over midnight": [("Look", 23), ("Choose", 25), ("Buy", 26)],
        "never began": [("Buy", 2)],
    }.items():
        for name, hour in steps:
            happen(person, name, -1, hour)

    found = report(machine, "funnels", funnel_id=funnel, **DAYS)
    assert found["meta"] == {"dates": ["2026-09-20", "2026-09-21"]}
    assert counts(found, "2026-09-20") == [5, 3, 2]
    assert counts(found, "2026-09-21") == [0, 0, 0]
    day = found["data"]["2026-09-20"]
    assert day["analysis"] == {"completion": 2, "starting_amount": 5, "steps": 3, "worst": 1}
    first, second, third = day["steps"]
    assert (first["step_conv_ratio"], second["step_conv_ratio"], third["overall_conv_ratio"]) == (1, 0.6, 0.4)
    assert (second["avg_time"], third["avg_time"], third["avg_time_from_start"]) == (6000, 5400, 10800)
    assert [step["event"] for step in day["steps"]] == ["Look", "Choose", "Buy"]


def test_somebody_counts_once_a_bucket(machine: Machine, happen: Happen, funnel: str) -> None:
    for day, hour in ((-1, 1), (-1, 5), (0, 1)):
        happen("a", "Look", day, hour)
    found = report(machine, "funnels", funnel_id=funnel, **DAYS)
    assert [counts(found, day)[0] for day in found["meta"]["dates"]] == [1, 1]
    weekly = report(machine, "funnels", funnel_id=funnel, unit="week", **DAYS)
    assert weekly["meta"]["dates"] == ["2026-09-14", "2026-09-21"]


def test_whoever_tries_again_counts_with_the_first_time_that_they_came_furthest(
    machine: Machine, happen: Happen, funnel: str
) -> None:
    for name, hour in (("Look", 0), ("Look", 2), ("Choose", 3), ("Look", 20)):
        happen("a", name, -1, hour)
    short = {"length": "2", "length_unit": "hour"}
    found = report(machine, "funnels", funnel_id=funnel, **short, **DAYS)
    assert counts(found, "2026-09-20") == [1, 1, 0]
    assert found["data"]["2026-09-20"]["steps"][1]["avg_time"] == 3600


def test_the_length_can_be_given_and_events_filtered(machine: Machine, happen: Happen, funnel: str) -> None:
    happen("a", "Look", -1, 1, plan="pro")
    happen("a", "Choose", -1, 3, plan="pro")
    short = {"length": "1", "length_unit": "hour"}
    assert counts(report(machine, "funnels", funnel_id=funnel, **DAYS), "2026-09-20") == [1, 1, 0]
    assert counts(report(machine, "funnels", funnel_id=funnel, **short, **DAYS), "2026-09-20") == [1, 0, 0]
    none = report(machine, "funnels", funnel_id=funnel, where='properties["plan"] == "x"', **DAYS)
    assert counts(none, "2026-09-20") == [0, 0, 0]


def test_the_saved_ones_are_listed_and_others_are_unknown(machine: Machine, funnel: str) -> None:
    assert {"funnel_id": int(funnel), "name": "Sale"} in report(machine, "funnels/list")
    assert refused(machine, "funnels", funnel_id="1", **DAYS).startswith("funnel_id: ")
    assert refused(machine, "funnels", funnel_id=funnel, on="1", **DAYS).startswith("on: ")
    assert refused(machine, "funnels", funnel_id=funnel, length="91", **DAYS).startswith("length: ")


def event(name: str, at_ms: int) -> StoredEvent:
    return StoredEvent(name, at_ms, "p", "p", "i", {}, "import", 1, 0, 0)


STEPS = ["A", "B", "A"]


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from("ABC"), st.integers(0, 30)), max_size=8), st.integers(1, 20))
def test_no_other_choice_of_events_goes_further(later: list[tuple[str, int]], length: int) -> None:
    history = [event("A", 0), *(event(name, at) for name, at in sorted(later, key=lambda one: one[1]))]

    def furthest(place: int, step: int) -> int:
        if step == len(STEPS):
            return step
        further = [
            furthest(at + 1, step + 1)
            for at in range(place, len(history))
            if history[at].event == STEPS[step] and history[at].time_ms <= length
        ]
        return max(further, default=step)

    path = taken(history, STEPS, length)
    assert len(path) == furthest(1, 1)
    assert list(path) == sorted(path)
