import pytest
from redis import Redis

from tests.integration.subscriptions.world import World


@pytest.fixture
def world(redis_client: Redis) -> World:
    return World(redis_client)
