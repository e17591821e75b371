"""The test support itself: a server of our own, empty before each test, that persists where asked."""

import pytest
import redis

from tests.conftest import StartRedis


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_finds_the_server_empty(redis_client: redis.Redis, turn: int) -> None:
    assert redis_client.dbsize() == 0
    redis_client.set("left behind", turn)


def test_a_write_outlives_a_kill_when_the_server_persists(start_redis: StartRedis) -> None:
    server = start_redis(appendonly=True)
    with server.client() as client:
        client.set("key", "value")
    server.restart(kill=True)
    with server.client() as client:
        assert client.get("key") == b"value"


def test_a_frozen_server_times_out_and_answers_again_when_thawed(start_redis: StartRedis) -> None:
    server = start_redis()
    with server.client(timeout_s=0.2) as client:
        client.ping()
        server.freeze()
        with pytest.raises(redis.TimeoutError):
            client.ping()
        server.thaw()
    with server.client() as client:
        assert client.ping()
