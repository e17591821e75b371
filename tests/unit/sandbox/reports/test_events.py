from typing import Any

import orjson
import pytest

from app.sandbox.machine import Machine
from tests.unit.sandbox.asking import ask, refused, report
from tests.unit.sandbox.calls import both, send_import
from tests.unit.sandbox.reports.conftest import Happen

DAYS = {"from_date": "2026-09-20", "to_date": "2026-09-21"}


@pytest.fixture(autouse=True)
def done(happen: Happen) -> None:
    for hour in range(3):
        happen("a", "Look", 0, hour, page="home")
    happen("b", "Look", -1, 1, page="shop", size=2)
    happen("b", "Buy", -1, 2, page="shop")
    happen("b", "Old", -40)


def values(found: Any) -> dict[str, list[float]]:
    return {name: list(row.values()) for name, row in found["data"]["values"].items()}


def test_some_events_are_counted_over_time(machine: Machine) -> None:
    asked = {"event": '["Look","Buy","Never"]', "unit": "day"}
    assert values(report(machine, "events", type="general", **asked, **DAYS)) == {
        "Look": [1, 3],
        "Buy": [1, 0],
    }
    assert values(report(machine, "events", type="unique", **asked, **DAYS))["Look"] == [1, 1]
    assert values(report(machine, "events", type="unique", interval="1", **asked)) == {"Look": [1]}
    weekly = report(machine, "events", type="general", event='["Look"]', unit="week", **DAYS)
    assert weekly["data"]["series"] == ["2026-09-14", "2026-09-21"]


def test_there_are_no_hourly_uniques(machine: Machine) -> None:
    asked = {"event": '["Look"]', "type": "unique", "unit": "hour", **DAYS}
    assert refused(machine, "events", **asked).startswith("unit: ")
    assert refused(machine, "events", **(asked | {"event": "Look"})).startswith("event: must be JSON")
    assert refused(machine, "events", event='["A"]', unit="day", **DAYS).startswith("type: required")


def test_today_is_compared_with_yesterday(machine: Machine) -> None:
    assert report(machine, "events/top", type="general") == {
        "events": [{"amount": 3, "event": "Look", "percent_change": 2.0}],
        "type": "general",
    }
    assert report(machine, "events/top", type="unique")["events"][0]["percent_change"] == 0


def test_the_months_events_are_named(machine: Machine) -> None:
    assert report(machine, "events/names", type="general") == ["Look", "Buy"]
    assert report(machine, "events/names", type="general", limit="1") == ["Look"]


def test_properties_are_counted(machine: Machine) -> None:
    asked = {"event": "Look", "name": "page", "type": "general", "unit": "day", **DAYS}
    assert values(report(machine, "events/properties", **asked)) == {"home": [0, 3], "shop": [1, 0]}
    assert values(report(machine, "events/properties", values='["shop"]', **asked)) == {"shop": [1, 0]}
    assert report(machine, "events/properties/top", event="Look") == {
        "page": {"count": 4},
        "size": {"count": 1},
    }
    assert report(machine, "events/properties/values", event="Look", name="page") == ["home", "shop"]


def test_a_persons_events_are_those_of_all_their_ids(machine: Machine) -> None:
    send_import(machine, [both("user", "device"), {**both("user", "device", "i-2"), "event": "Again"}])
    found = report(machine, "stream/query", distinct_ids='["$device:device","user"]', **DAYS)
    events = found["results"]["events"]
    assert [one["event"] for one in events] == ["Signed up", "Again"]
    assert {one["properties"]["distinct_id"] for one in events} == {"user"}


def test_a_saved_report_is_counted_now(machine: Machine) -> None:
    kept = machine.saved.add_report("Looks", ["Look", "Buy"], days=2)
    found = report(machine, "insights", bookmark_id=str(kept["bookmark_id"]))
    assert found["headers"] == ["$event"]
    assert list(found["series"]["Look"].items()) == [
        ("2026-09-20T00:00:00+00:00", 1),
        ("2026-09-21T00:00:00+00:00", 3),
    ]
    assert refused(machine, "insights", bookmark_id="1").startswith("bookmark_id: ")


def test_one_script_is_known_and_every_other_refused(machine: Machine) -> None:
    def run(script: str, **params: str) -> Any:
        said = {"script": script, "params": orjson.dumps(params).decode()}
        answer = ask(machine, "POST", "/api/query/jql", **said)
        return answer.status, orjson.loads(answer.body)

    known = 'function main(){\n  return Events(params)\n .groupBy(["name"], mixpanel.reducer.count())\n}\n'
    days = {"from_date": "2026-09-20T00:00:00.000Z", "to_date": "2026-09-21"}
    assert run(known, **days) == (200, [{"key": ["Buy"], "value": 1}, {"key": ["Look"], "value": 4}])
    status, body = run("function main(){ return People() }", **days)
    assert (status, body["status"]) == (400, "error")
