"""A world a test."""

from collections.abc import Iterator

import pytest

from tests.conftest import StartRedis
from tests.integration.erasure.world import Mixpanel, World
from tests.integration.mixpanel.server import Server


@pytest.fixture
def mixpanel() -> Mixpanel:
    """What answers in Mixpanel's place; away, at first."""
    return Mixpanel()


@pytest.fixture
def world(start_redis: StartRedis, mixpanel: Mixpanel) -> Iterator[World]:
    """A relay whose Redis keeps an append-only file, and compresses nothing in it."""
    server = start_redis(appendonly=True, appendfsync="no", options={"rdbcompression": "no"})
    with Server(mixpanel.answer) as listening:
        made = World(server, listening)
        yield made
        made.close()
