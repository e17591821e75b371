from collections.abc import Callable

import pytest

from app.sandbox.config import Limits
from app.sandbox.machine import Machine
from app.sandbox.store.events import NewEvent
from tests.unit.sandbox.doubles import START_S

MANY = 100_000
DAY_S = 86_400
MIDNIGHT_S = int(START_S) // DAY_S * DAY_S
Happen = Callable[..., None]


@pytest.fixture
def machine(make_machine: Callable[..., Machine]) -> Machine:
    limits = Limits(queries_a_second=MANY, queries_an_hour=MANY)
    return make_machine(profiles=0, cohorts=0, limits=limits)


@pytest.fixture
def happen(machine: Machine) -> Happen:
    """Return what lets an event happen: somebody, what, so many days from today on, at an hour."""
    made = [0]

    def happen(person: str, name: str, day: float = 0, hour: float = 0, **properties: object) -> None:
        made[0] += 1
        at_ms = int((MIDNIGHT_S + day * DAY_S + hour * 3600) * 1000)
        machine.events.add([NewEvent(name, at_ms, person, f"i-{made[0]}", properties, "import")], at_ms)

    return happen
