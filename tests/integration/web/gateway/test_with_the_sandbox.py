"""The gateway before the sandbox, which shares no code with it: real answers, of real events and people."""

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from werkzeug.serving import make_server

from app import create_app
from app.sandbox.application import create_sandbox
from app.sandbox.config import SandboxConfig
from app.sandbox.machine import machine_of
from app.services import build_services
from config.projects import Hosts, Projects, ServiceAccount
from config.secret import Secret
from tests.integration.mixpanel.server import Server
from tests.integration.web.gateway.conftest import Gate
from tests.integration.web.services import SHOP, project, settings


@pytest.fixture
def before(redis_url: str, server: Server) -> Iterator[Gate]:
    config = SandboxConfig(project_id=SHOP, profiles=50, cohorts=2)
    sandbox = create_sandbox(config)
    listening = make_server("127.0.0.1", 0, sandbox, threaded=True)
    thread = threading.Thread(target=listening.serve_forever)
    thread.start()
    url = f"http://127.0.0.1:{listening.server_port}"
    shop = replace(
        project(SHOP, "shop"),
        hosts=Hosts(
            ingestion=url,
            query=f"{url}/api/query",
            export=f"{url}/api/2.0",
            pipelines=f"{url}/api/2.0",
            app=f"{url}/api/app",
            legacy=f"{url}/api/2.0",
        ),
        service_account=ServiceAccount(config.service_account, Secret(config.service_secret)),
    )
    made = build_services(settings(redis_url, projects=Projects([shop])))
    yield Gate(made, server, create_app(made))
    made.redis.close()
    listening.shutdown()
    thread.join()
    listening.server_close()
    machine_of(sandbox).close()


def test_lists_reports_and_exports_come_through(before: Gate) -> None:
    token = before.token("mixpanel:query.*", "mixpanel:pipelines.list", "mixpanel:export.events")
    for path in ("query/cohorts", "query/funnels-list", "pipelines/list"):
        answer = before.call(f"{path}?format=picklist&wait=2", token)
        assert answer.status_code == 200, answer.text
        assert isinstance(answer.get_json()["items"], list)
    days = "from_date=2026-01-01&to_date=2026-01-02&wait=2"
    report = before.call(f"query/segmentation?event=Purchase&{days}", token)
    assert report.status_code == 200, report.text
    assert "data" in report.get_json()
    export = before.call(f"export/events?{days}", token)
    assert (export.status_code, export.mimetype) == (200, "application/x-ndjson"), export.text
