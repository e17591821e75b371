from collections.abc import Iterator

import pytest
from redis import Redis

from tests.integration.destinations.world import Mixpanel, World
from tests.integration.mixpanel.server import Server


@pytest.fixture
def mixpanel() -> Iterator[Mixpanel]:
    mixpanel = Mixpanel()
    with Server(mixpanel.answer) as server:
        mixpanel.url = server.url
        yield mixpanel


@pytest.fixture
def world(redis_client: Redis, mixpanel: Mixpanel) -> Iterator[World]:
    world = World(redis_client, mixpanel)
    yield world
    world.close()
