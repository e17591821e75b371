"""The commands against the sandbox, which shares no code with the client."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import make_server

from app.sandbox.application import create_sandbox
from app.sandbox.config import Limits, SandboxConfig
from app.sandbox.machine import Machine, machine_of
from tests.integration.cli.relay import Relay, environment

PROJECT = "2195193"
MANY = 100_000
DAY_S = 86_400
NOW_S = int(time.time())
LIMITS = Limits(
    queries_an_hour=MANY,
    queries_a_second=MANY,
    exports_a_second=MANY,
    lexicon_a_minute=MANY,
    gdpr_a_second=MANY,
)
HOSTS = {
    "INGESTION": "",
    "QUERY": "/api/query",
    "EXPORT": "/api/2.0",
    "PIPELINES": "/api/2.0",
    "APP": "/api/app",
    "LEGACY": "/api/2.0",
}


class Silent:
    def __getattr__(self, _name: str) -> Callable[..., None]:
        return lambda *_args, **_fields: None


@dataclass
class World:
    machine: Machine
    url: str


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """Serve a sandbox with events of the last days: four people sign up, two of them log in a day later."""
    app = create_sandbox(SandboxConfig(profiles=3, limits=LIMITS), Silent())
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    machine = machine_of(app)
    sent = []
    for number in range(4):
        sent.append(_event("Signed up", number, 3 * DAY_S, plan="pro" if number else "free"))
        if number % 2:
            sent.append(_event("Logged in", number, 2 * DAY_S, plan="pro"))
    config = machine.config
    answer = app.test_client().post(
        "/import?strict=1&project_id=" + PROJECT,
        json=sent,
        auth=(config.service_account, config.service_secret),
    )
    assert answer.get_json()["num_records_imported"] == len(sent)
    yield World(machine, f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    thread.join()
    server.server_close()
    machine.close()


@pytest.fixture
def relay(redis_url: str, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Relay]:
    monkeypatch.chdir(tmp_path)
    config = world.machine.config
    hosts = {f"MIXPANEL_{name}_URL": world.url + path for name, path in HOSTS.items()}
    changes = {
        "MIXPANEL_PROJECT_ID": PROJECT,
        "MIXPANEL_PROJECT_TOKEN": config.token,
        "MIXPANEL_SERVICE_ACCOUNT_USERNAME": config.service_account,
        "MIXPANEL_SERVICE_ACCOUNT_SECRET": config.service_secret,
        "MIXPANEL_OAUTH_TOKEN": config.oauth_token,
        "MIXPANEL_PROJECT_SECRET": config.project_secret,
        "MIXPANEL_API_KEY": config.api_key,
    }
    made = Relay(environment(redis_url, **hosts, **changes))
    yield made
    made.close()


def _event(name: str, number: int, ago_s: int, **properties: Any) -> dict[str, Any]:
    known = {"time": NOW_S - ago_s, "distinct_id": f"u-{number}", "$insert_id": f"{name[0]}-{number}"}
    return {"event": name, "properties": known | properties}
