from collections.abc import Iterator
from typing import Any

import pytest
import redis
import structlog

from tests.integration.web.api.relay import Relay, services
from tests.integration.web.api.whole import Whole, build
from tests.integration.web.services import settings


@pytest.fixture
def relay(redis_client: redis.Redis, redis_url: str) -> Relay:
    return Relay(
        services(redis_client, settings(redis_url, max_body_bytes=4_000_000, failed_login_limit=100_000))
    )


@pytest.fixture
def lines() -> Iterator[list[Any]]:
    with structlog.testing.capture_logs() as captured:
        yield captured


@pytest.fixture
def whole(redis_url: str, lines: list[Any]) -> Iterator[Whole]:
    """The whole application over something of everything, and nothing of what it logs."""
    made = build(redis_url)
    yield made
    made.services.redis.close()
