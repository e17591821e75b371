"""The gateway over a real Redis and a server that stands in for Mixpanel."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app import create_app
from app.access.audit import Written
from app.services import Services, build_services
from app.web.api import PREFIX
from config.projects import HOSTS, Project, Projects, ServiceAccount
from config.secret import Secret
from tests.integration.mixpanel.server import Reply, Server
from tests.integration.web.services import BLOG, SHOP, project, settings

SECRETS = {
    "token": "token-of-the-shop-4f2ac9",
    "account": "secret-of-the-account-77",
    "oauth_token": "oauth-of-the-shop-9911",
    "project_secret": "secret-of-the-project-31",
    "api_key": "key-of-the-legacy-api-5",
}


@dataclass
class Gate:
    """The application, its services, and what stands in for Mixpanel."""

    services: Services
    server: Server
    app: Flask

    def token(self, *scopes: str, project_id: str | None = None) -> str:
        """Make a token and return the header's value."""
        _, text = self.services.tokens.create(
            "a dashboard", scopes, time.time_ns() // 1_000_000, project_id=project_id
        )
        return f"Bearer {text.reveal()}"

    def call(
        self, path: str, token: str | None, method: str = "GET", *, project_id: str = SHOP, **more: Any
    ) -> TestResponse:
        """Send a request to an endpoint, such as `query/funnels?funnel_id=7`."""
        headers = {"Authorization": token} if token else {}
        where = f"{PREFIX}/projects/{project_id}/mixpanel/{path}"
        return self.app.test_client().open(where, method=method, headers=headers, **more)

    def audited(self) -> list[Written]:
        """Return the entries of the gateway, the newest first."""
        return self.services.audit.page("mixpanel")[0]


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(lambda _request: Reply(200, b"[]")) as made:
        made.peeks = False
        yield made


@pytest.fixture
def gate(redis_url: str, server: Server) -> Iterator[Gate]:
    with _gate(redis_url, server) as made:
        yield made


@pytest.fixture
def tight(redis_url: str, server: Server) -> Iterator[Gate]:
    """One whose projects may be asked about once an hour."""
    with _gate(redis_url, server, queries_an_hour=1) as made:
        yield made


@contextmanager
def _gate(redis_url: str, server: Server, **more: Any) -> Iterator[Gate]:
    families = ("ingestion", "query", "export", "pipelines", "app", "legacy")
    projects = Projects([_project(number, dict.fromkeys(families, server.url)) for number in (SHOP, BLOG)])
    made = build_services(settings(redis_url, projects=projects, failed_login_limit=1_000, **more))
    yield Gate(made, server, create_app(made))
    made.redis.close()


def _project(project_id: str, hosts: dict[str, str]) -> Project:
    return replace(
        project(project_id, f"project-{project_id}"),
        hosts=HOSTS["us"].overridden(hosts),
        token=Secret(SECRETS["token"]),
        service_account=ServiceAccount("relay.mp", Secret(SECRETS["account"])),
        oauth_token=Secret(SECRETS["oauth_token"]),
        project_secret=Secret(SECRETS["project_secret"]),
        api_key=Secret(SECRETS["api_key"]),
    )
