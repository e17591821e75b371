import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.sandbox.application import create_sandbox
from app.sandbox.config import Limits, SandboxConfig
from app.sandbox.machine import Machine, machine_of

MANY = 100_000
NOW_S = int(time.time())
DAY_S = 86_400


class Silent:
    def __getattr__(self, _name: str) -> Callable[..., None]:
        return lambda *_args, **_fields: None


@dataclass
class Sandbox:
    """A sandbox without a socket; as the service account that may do everything, if nothing else is said."""

    client: FlaskClient
    machine: Machine

    def call(self, method: str, path: str, who: Any = None, **said: Any) -> Any:
        config = self.machine.config
        if who == "oauth":
            said["headers"] = {"Authorization": f"Bearer {config.oauth_token}"}
        elif who != "nobody":
            said["auth"] = who or (config.service_account, config.service_secret)
        query = {} if "/api/app/" in path else {"project_id": config.project_id}
        said["query_string"] = query | said.pop("query", {})
        return self.client.open(path, method=method, **said)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    limits = Limits(
        queries_an_hour=MANY,
        queries_a_second=MANY,
        exports_a_second=MANY,
        lexicon_a_minute=MANY,
        gdpr_a_second=MANY,
    )
    app = create_sandbox(SandboxConfig(profiles=30, limits=limits), Silent())
    machine = machine_of(app)
    yield Sandbox(app.test_client(), machine)
    machine.close()


@pytest.fixture
def with_events(sandbox: Sandbox) -> Sandbox:
    """Return one with events of the last days: four people sign up, half of them log in a day later."""
    sent = []
    for number in range(4):
        sent.append(_event("Signed up", number, 3 * DAY_S, plan="pro" if number else "free", price=number))
        if number % 2:
            sent.append(_event("Logged in", number, 2 * DAY_S, plan="pro"))
    sent.append(_event("Signed up", 9, 60, plan="pro", price=2.5))
    answer = sandbox.call("POST", "/import", query={"strict": "1"}, json=sent)
    assert answer.get_json()["num_records_imported"] == len(sent)
    return sandbox


def _event(name: str, number: int, ago_s: int, **properties: Any) -> dict[str, Any]:
    at = NOW_S - ago_s
    known = {"time": at, "distinct_id": f"u-{number}", "$insert_id": f"{name[0]}-{number}-{ago_s}"}
    return {"event": name, "properties": known | properties}
