import pytest

from app.sandbox.machine import Machine
from tests.unit.sandbox.asking import refused, report
from tests.unit.sandbox.reports.conftest import Happen

DAYS = {"from_date": "2026-09-19", "to_date": "2026-09-20"}
BIRTH = {"born_event": "Join", "event": "Use", "interval_count": "2", **DAYS}


@pytest.fixture(autouse=True)
def used(happen: Happen) -> None:
    happen("a", "Join", -2, 12)
    happen("a", "Use", -2, 13)
    happen("a", "Use", 0, 13)
    happen("b", "Join", -2, 1)
    happen("b", "Join", -1, 1)
    happen("b", "Use", -1, 2)
    happen("c", "Join", -1, 1)
    happen("c", "Use", -2, 1)


def test_whoever_was_born_on_a_day_comes_back_in_intervals_from_then(machine: Machine) -> None:
    assert report(machine, "retention", **BIRTH) == {
        "2026-09-19": {"counts": [1, 1, 1], "first": 2},
        "2026-09-20": {"counts": [0, 0, 0], "first": 1},
    }


def test_unbounded_counts_who_came_then_or_later(machine: Machine) -> None:
    found = report(machine, "retention", unbounded_retention="true", **BIRTH)
    assert found["2026-09-19"] == {"counts": [2, 2, 1], "first": 2}


def test_compounded_counts_everybody_who_did_it_that_day(machine: Machine) -> None:
    found = report(machine, "retention", retention_type="compounded", event="Use", interval_count="2", **DAYS)
    assert found == {
        "2026-09-19": {"counts": [0, 0, 1], "first": 2},
        "2026-09-20": {"counts": [0, 0, 0], "first": 1},
    }


def test_frequency_counts_in_how_many_hours_people_did_something(machine: Machine, happen: Happen) -> None:
    happen("a", "Use", -2, 13.5)
    happen("a", "Use", -2, 15)
    found = report(machine, "retention/addiction", event="Use", unit="day", addiction_unit="hour", **DAYS)
    assert {day: counts[:3] for day, counts in found["data"].items()} == {
        "2026-09-19": [2, 1, 0],
        "2026-09-20": [1, 0, 0],
    }
    assert [len(counts) for counts in found["data"].values()] == [24, 24]
    weekly = report(machine, "retention/addiction", unit="week", addiction_unit="day", **DAYS)
    assert weekly["data"] == {"2026-09-14": [3, 2, 0, 0, 0, 0, 0]}


def test_what_is_missing_or_not_known_is_refused(machine: Machine) -> None:
    assert refused(machine, "retention", **DAYS).startswith("born_event: required")
    assert refused(machine, "retention", on="1", **BIRTH).startswith("on: ")
    assert refused(machine, "retention/addiction", addiction_unit="hour", **DAYS).startswith("unit: required")
