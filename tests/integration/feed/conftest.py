import pytest
from redis import Redis

from tests.integration.feed.written_log import WrittenLog


@pytest.fixture
def written(redis_client: Redis) -> WrittenLog:
    return WrittenLog(redis_client)
