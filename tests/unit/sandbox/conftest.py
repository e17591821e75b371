from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app.sandbox.config import SandboxConfig, SenderConfig
from app.sandbox.machine import Machine
from tests.unit.sandbox.doubles import FakeWebhook, MovedClock, SilentLog


@pytest.fixture
def webhook() -> FakeWebhook:
    return FakeWebhook()


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture
def make_machine(webhook: FakeWebhook, clock: MovedClock) -> Iterator[Callable[..., Machine]]:
    made: list[Machine] = []

    def make(**changes: Any) -> Machine:
        given: dict[str, Any] = {"profiles": 60, "sender": SenderConfig(webhook_url="http://hook.example")}
        config = SandboxConfig(**(given | changes))
        made.append(Machine(config, SilentLog(), webhook, clock))
        return made[-1]

    yield make
    for machine in made:
        machine.close()


@pytest.fixture
def machine(make_machine: Callable[..., Machine]) -> Machine:
    return make_machine()
