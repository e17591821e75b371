from collections.abc import Callable
from typing import Any

import pytest

from app.sandbox.config import ApiHabits, Limits
from app.sandbox.machine import Machine
from app.sandbox.population.conditions import Condition
from app.sandbox.store.events import NewEvent
from tests.unit.sandbox.calls import decoded, query
from tests.unit.sandbox.doubles import START_S

IDS = [f"u-{number:03}" for number in range(25)]


@pytest.fixture
def machine(make_machine: Callable[..., Machine]) -> Machine:
    machine = make_machine(profiles=0, cohorts=0)
    profiles = {one: {"in": at < 20, "at": at, "$email": f"{one}@x"} for at, one in enumerate(IDS)}
    machine.profiles.write(profiles, int(START_S * 1000))
    machine.cohorts.create("VIP", "who is in", [Condition("in", "equals", value=True)])
    machine.controls.api = ApiHabits(query_page_size=8)
    machine.controls.limits = Limits(queries_a_second=1000)
    return machine


COHORT = {"id": 1001}


def ids(page: Any) -> list[str]:
    return [one["$distinct_id"] for one in page["results"]]


def error(answer: Any) -> str:
    return str(decoded(answer)["error"])


def found(machine: Machine, **form: Any) -> list[str]:
    return ids(decoded(query(machine, **form)))


def test_an_expression_chooses_people_by_their_properties(machine: Machine) -> None:
    assert found(machine, where='properties["at"] < 3') == IDS[:3]
    assert found(machine, where='not properties["in"] and properties["at"] % 2 == 0') == IDS[20::2]
    assert found(machine, where='"u-01" in properties["$email"] and properties["at"] > 18') == [IDS[19]]
    assert found(machine, where='defined(properties["none"])') == []
    assert found(machine, where='properties["at"] > 18', filter_by_cohort=COHORT) == [IDS[19]]


def test_a_session_of_another_expression_is_none_of_this_one(machine: Machine) -> None:
    session = decoded(query(machine, where='properties["at"] < 20'))["session_id"]
    answer = query(machine, where='properties["at"] < 21', session_id=session, page=1)
    assert error(answer) == "request for page in uncached query for params"


def happened(machine: Machine, person: str, name: str, ago_s: float, number: int) -> None:
    at_ms = int((START_S - ago_s) * 1000)
    machine.events.add([NewEvent(name, at_ms, person, f"i-{number}", {"size": number}, "import")], at_ms)


BEHAVIORS = [{"window": "2d", "name": "b", "event_selectors": [{"event": "Buy"}, {"event": "Pay"}]}]


def test_behaviors_choose_people_by_what_they_did(machine: Machine) -> None:
    happened(machine, IDS[0], "Buy", 3600, 1)
    happened(machine, IDS[0], "Pay", 7200, 2)
    happened(machine, IDS[1], "Buy", 3600, 3)
    happened(machine, IDS[1], "Buy", 3 * 86_400, 4)
    happened(machine, IDS[2], "Look", 3600, 5)

    assert found(machine, behaviors=BEHAVIORS, where='behaviors["b"] > 1') == [IDS[0]]
    assert found(machine, behaviors=BEHAVIORS, where='behaviors["b"] == 1') == [IDS[1]]
    nobody = 'behaviors["b"] == 0 and properties["at"] < 3'
    assert found(machine, behaviors=BEHAVIORS, where=nobody) == [IDS[2]]
    earlier = int(START_S - 2 * 86_400)
    assert found(machine, behaviors=BEHAVIORS, where='behaviors["b"] > 0', as_of_timestamp=earlier) == [
        IDS[1]
    ]
    selected = [BEHAVIORS[0] | {"event_selectors": [{"event": "Buy", "selector": 'properties["size"] > 2'}]}]
    assert found(machine, behaviors=selected, where='behaviors["b"] > 0') == [IDS[1]]


def test_pages_of_behaviors_need_a_time_that_they_are_as_of(machine: Machine) -> None:
    session = decoded(query(machine, behaviors=BEHAVIORS))["session_id"]
    asked = {"behaviors": BEHAVIORS, "page": 1, "session_id": session}
    assert error(query(machine, **asked)) == "request for page in uncached query for params"
    as_of: dict[str, Any] = {"as_of_timestamp": int(START_S)}
    session = decoded(query(machine, behaviors=BEHAVIORS, **as_of))["session_id"]
    assert query(machine, **(asked | as_of | {"session_id": session})).status == 200


@pytest.mark.parametrize(
    "behaviors",
    [
        "x",
        "[]",
        "{}",
        [{}],
        [{"window": "1y", "name": "b", "event_selectors": []}],
        [{"window": "1d", "name": "b"}],
    ],
)
def test_behaviors_that_cannot_be_read_are_refused(machine: Machine, behaviors: Any) -> None:
    assert error(query(machine, behaviors=behaviors)).startswith("behaviors: ")
    both = query(machine, behaviors=BEHAVIORS, filter_by_cohort=COHORT)
    assert error(both).startswith("behaviors: ")
