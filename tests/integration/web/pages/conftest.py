import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from flask import Flask

from app import create_app
from app.access.scopes import Scope
from app.services import Services, build_services
from tests.integration.web.pages.browser import Browser
from tests.integration.web.services import settings

MakeToken = Callable[..., str]


@pytest.fixture
def lines() -> Iterator[list[Any]]:
    with structlog.testing.capture_logs() as captured:
        yield captured


@pytest.fixture
def services(redis_url: str, request: pytest.FixtureRequest) -> Iterator[Services]:
    changes = getattr(request, "param", {})
    made = build_services(settings(redis_url, failed_login_limit=3, **changes))
    yield made
    made.redis.close()


@pytest.fixture
def app(services: Services, lines: list[Any]) -> Flask:
    return create_app(services)


@pytest.fixture
def browser(app: Flask) -> Browser:
    return Browser(app)


@pytest.fixture
def token(services: Services) -> MakeToken:
    def make(*scopes: Scope, project_id: str | None = None, lasts_ms: int | None = None) -> str:
        now_ms = time.time_ns() // 1_000_000
        ends = None if lasts_ms is None else now_ms + lasts_ms
        _, text = services.tokens.create("ada", scopes, now_ms, project_id=project_id, expires_ms=ends)
        return text.reveal()

    return make
