from typing import Any

import pytest

from app.sandbox.machine import Machine
from tests.unit.sandbox.asking import ask, refused, report
from tests.unit.sandbox.reports.conftest import Happen

DAYS = {"from_date": "2026-09-20", "to_date": "2026-09-21"}  # the sandbox's yesterday and today
ASKED = {"event": "Buy", **DAYS}


@pytest.fixture(autouse=True)
def bought(happen: Happen) -> None:
    happen("a", "Buy", -1, 1, plan="pro", price=10)
    happen("a", "Buy", -1, 2, plan="pro", price=20.5)
    happen("b", "Buy", -1, 23.9, plan="free", price="x")
    happen("b", "Buy", 0, 1, plan="pro", price=100)
    happen("b", "Buy", -2, 23.99, plan="before")
    happen("b", "Look", 0, 1, plan="pro")


def values(found: Any) -> Any:
    return found["data"]["values"]


def test_an_event_is_counted_by_day_or_hour(machine: Machine) -> None:
    found = report(machine, "segmentation", **ASKED)
    assert found == {
        "data": {"series": list(DAYS.values()), "values": {"Buy": {"2026-09-20": 3, "2026-09-21": 1}}},
        "legend_size": 1,
    }
    hourly = values(report(machine, "segmentation", unit="hour", **ASKED))["Buy"]
    assert len(hourly) == 48
    assert {label for label, count in hourly.items() if count} == {
        "2026-09-20 01:00:00",
        "2026-09-20 02:00:00",
        "2026-09-20 23:00:00",
        "2026-09-21 01:00:00",
    }


@pytest.mark.parametrize(("kind", "counts"), [("general", [3, 1]), ("unique", [2, 1]), ("average", [1.5, 1])])
def test_events_people_or_events_a_person_are_counted(
    machine: Machine, kind: str, counts: list[float]
) -> None:
    found = values(report(machine, "segmentation", type=kind, **ASKED))
    assert list(found["Buy"].values()) == counts


def test_an_expression_segments_and_another_filters(machine: Machine) -> None:
    by_plan = values(report(machine, "segmentation", on='properties["plan"]', **ASKED))
    assert by_plan == {
        "pro": {"2026-09-20": 2, "2026-09-21": 1},
        "free": {"2026-09-20": 1, "2026-09-21": 0},
    }
    filtered = report(machine, "segmentation", where='properties["price"] > 15', **ASKED)
    assert values(filtered)["Buy"] == {"2026-09-20": 1, "2026-09-21": 1}
    top = report(machine, "segmentation", on='properties["plan"]', limit="1", **ASKED)
    assert list(values(top)) == ["pro"]
    assert list(values(report(machine, "segmentation", on='properties["none"]', **ASKED))) == ["undefined"]


def test_several_days_can_be_one_bucket(machine: Machine) -> None:
    found = report(machine, "segmentation", type="unique", interval="2", **ASKED)
    assert found["data"] == {"series": ["2026-09-20"], "values": {"Buy": {"2026-09-20": 2}}}


def test_an_event_that_never_was_is_counted_as_zeros(machine: Machine) -> None:
    found = report(machine, "segmentation", **(ASKED | {"event": "Never"}))
    assert values(found) == {"Never": {"2026-09-20": 0, "2026-09-21": 0}}


def test_numbers_are_summed_averaged_and_put_into_ranges(machine: Machine) -> None:
    on = {"on": 'properties["price"]'}
    assert report(machine, "segmentation/sum", **on, **ASKED)["results"] == {
        "2026-09-20": 30.5,
        "2026-09-21": 100,
    }
    average = report(machine, "segmentation/average", **on, **ASKED)["results"]
    assert average == {"2026-09-20": pytest.approx(30.5 / 3), "2026-09-21": 100}
    ranges = report(machine, "segmentation/numeric", **on, **ASKED)
    assert {name: sum(row.values()) for name, row in values(ranges).items()} == {
        "10 - 20": 1,
        "20 - 30": 1,
        "100 - 110": 1,
    }


def test_a_table_can_be_had(machine: Machine) -> None:
    answer = ask(machine, "GET", "/api/query/segmentation", format="csv", on='properties["plan"]', **ASKED)
    assert answer.content_type == "text/csv"
    assert answer.body.decode().splitlines() == ["date,pro,free", "2026-09-20,2,1", "2026-09-21,1,0"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"event": ""}, "event: required"),
        ({"from_date": "20.9.2026"}, "from_date: "),
        ({"to_date": "2026-09-19"}, "to_date: "),
        ({"unit": "year"}, "unit: "),
        ({"type": "mean"}, "type: "),
        ({"limit": "0"}, "limit: "),
        ({"on": "user['a']"}, "expression: "),
        ({"where": "1 =="}, "expression: "),
        ({"unit": "minute", "from_date": "1990-01-01"}, "from_date"),
    ],
)
def test_a_mistake_is_told(machine: Machine, changes: dict[str, str], said: str) -> None:
    assert refused(machine, "segmentation", **(ASKED | changes)).startswith(said)
