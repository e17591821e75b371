"""What a holder may do with its lane."""

from typing import cast

import pytest
from redis import Redis

from app.lanes.lanes import HeldLane, LaneLost, Lanes
from app.lanes.queue import LaneQueue
from app.store import keys
from tests.conftest import StartRedis

P = "7"


def hold(redis: Redis) -> HeldLane:
    redis.hset(keys.lane(P, "apply"), mapping={"state": "queued", "wake": 1, "due": 0})
    held = Lanes(redis, LaneQueue(redis), 15.0).start(P, "apply", 1)
    assert held is not None
    return held


def test_a_holder_writes_under_its_token_only(redis_client: Redis) -> None:
    held = hold(redis_client)
    assert held.write(keys.inbox_tries(P), "HINCRBY", "1-0", 2) == 2
    redis_client.hincrby(held.key, "token", 1)
    with pytest.raises(LaneLost):
        held.write(keys.inbox_tries(P), "HINCRBY", "1-0", 2)
    assert cast("bytes", redis_client.hget(keys.inbox_tries(P), "1-0")) == b"2"


def test_a_holder_writes_although_redis_is_full(start_redis: StartRedis) -> None:
    with start_redis().client() as redis:
        held = hold(redis)
        redis.config_set("maxmemory", 1)
        held.renew(1.0)
        assert held.write(keys.due(P), "ZADD", 1, "c") == 1
