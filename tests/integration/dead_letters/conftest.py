import pytest
from redis import Redis

from .letters import Letters


@pytest.fixture
def world(redis_client: Redis) -> Letters:
    return Letters(redis_client)
