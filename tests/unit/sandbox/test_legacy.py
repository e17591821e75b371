import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from app.sandbox.config import Limits
from app.sandbox.machine import Machine
from app.sandbox.store.events import NewEvent
from tests.unit.sandbox.asking import ask
from tests.unit.sandbox.calls import decoded
from tests.unit.sandbox.doubles import START_S

SECRET = "sandbox-project-secret"
UNTIL = str(int(START_S) + 600)
EVENTS = {"event": '["Signed up"]', "type": "general", "unit": "day", "interval": "2"}
FUNNEL = {"unit": "day", "interval": "2"}


@pytest.fixture
def machine(make_machine: Callable[..., Machine]) -> Machine:
    machine = make_machine(profiles=0, cohorts=0, limits=Limits(queries_a_second=100))
    now_ms = int(START_S * 1000)
    steps = [("Signed up", now_ms - 3_600_000), ("Logged in", now_ms)]
    machine.events.add(
        [NewEvent(name, at, "a", name, {"plan": "pro"}, "import") for name, at in steps], now_ms
    )
    return machine


def signed(**given: str) -> dict[str, str]:
    """Sign as the documentation says, independently of what checks it."""
    known = {"api_key": "sandbox-api-key", "expire": UNTIL, "format": "json", "project_id": "2195193"} | given
    known = {name: value for name, value in known.items() if value}
    said = "".join(f"{name}={known[name]}" for name in sorted(known) if name != "callback")
    return known | {"sig": hashlib.md5((said + SECRET).encode()).hexdigest()}


def asked(machine: Machine, path: str, **given: str) -> Any:
    answer = ask(machine, "GET", f"/api/2.0/{path}", None, **signed(**given))
    assert answer.status == 200, answer.body
    return decoded(answer)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"api_key": "other"}, "Invalid API key"),
        ({"sig": "0" * 32}, "Invalid request signature"),
        ({"unit": "week"}, "Invalid request signature"),
        ({"expire": "soon"}, "Invalid parameter: expire"),
        ({"sig": ""}, "Missing required parameter: sig"),
        ({"api_key": ""}, "Missing required parameter: api_key"),
    ],
)
def test_what_is_not_signed_right_is_refused(machine: Machine, changes: dict[str, str], error: str) -> None:
    answer = ask(machine, "GET", "/api/2.0/events", None, **(signed(**EVENTS) | changes))
    assert (answer.status, decoded(answer)) == (400, {"error": error, "request": "/api/2.0/events"})


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"expire": str(int(START_S) - 1)}, "Expired request"),
        ({"event": "Signed up"}, "Invalid JSON Format: event"),
        ({"event": ""}, "Missing required parameter: event"),
        ({"type": "all"}, "Invalid parameter: type: one of general, unique, average"),
        ({"format": "xml"}, "Invalid parameter: format: one of json"),
    ],
)
def test_a_mistake_has_its_own_words(machine: Machine, changes: dict[str, str], error: str) -> None:
    answer = ask(machine, "GET", "/api/2.0/events", None, **signed(**(EVENTS | changes)))
    assert (answer.status, decoded(answer)["error"]) == (400, error)


def test_an_endpoint_that_never_was_is_told_so(machine: Machine) -> None:
    answer = ask(machine, "GET", "/api/2.0/events/nothing", None, **signed())
    assert decoded(answer) == {"error": "Invalid endpoint", "request": "/api/2.0/events/nothing"}


def test_events_are_counted_as_by_the_modern_endpoints(machine: Machine) -> None:
    values = {"2026-09-20": 0, "2026-09-21": 1}
    assert asked(machine, "events", **EVENTS)["data"]["values"] == {"Signed up": values}
    assert asked(machine, "events/top", type="general")["events"][0]["amount"] == 1
    assert asked(machine, "events/names", type="general") == ["Signed up", "Logged in"]
    assert list(asked(machine, "events/retention", **EVENTS)) == ["2026-09-20", "2026-09-21"]
    of_one = EVENTS | {"event": "Signed up", "name": "plan"}
    assert asked(machine, "events/properties", **of_one)["data"]["values"] == {"pro": values}
    assert asked(machine, "events/properties/top", event="Signed up") == {"plan": {"count": 1}}
    assert asked(machine, "events/properties/values", event="Signed up", name="plan") == ["pro"]


def test_funnels_are_asked_for_by_name(machine: Machine) -> None:
    assert asked(machine, "funnels/names") == ["Signup funnel"]
    found = asked(machine, "funnels", funnel='["Signup funnel"]', **FUNNEL)["Signup funnel"]
    assert [step["count"] for step in found["data"]["2026-09-21"]["steps"]] == [1, 1]
    assert asked(machine, "funnels/dates", funnel='["Signup funnel"]', **FUNNEL) == {
        "Signup funnel": ["2026-09-20", "2026-09-21"]
    }
    assert asked(machine, "funnels/properties/names", funnel="Signup funnel", **FUNNEL) == ["plan"]
    by_plan = asked(machine, "funnels/properties", funnel="Signup funnel", name="plan", **FUNNEL)
    assert by_plan == {"pro": found}


def test_an_answer_can_be_a_call(machine: Machine) -> None:
    answer = ask(machine, "GET", "/api/2.0/funnels/names", None, **(signed() | {"callback": "show"}))
    assert answer.body == b'show(["Signup funnel"]);'
