"""Signs of life go by Redis's clock, whatever a machine's own says."""

import time

import pytest
from redis import Redis

from app.store import keys
from app.store.heartbeats import STALE_S, Heartbeats, process_name
from app.store.lock import Lock
from tests.conftest import StartRedis


@pytest.mark.parametrize("off_s", [-120.0, 4_000.0])
def test_a_process_on_a_machine_with_a_wrong_clock_is_alive(
    redis_client: Redis, monkeypatch: pytest.MonkeyPatch, off_s: float
) -> None:
    beats = Heartbeats(redis_client)
    right = time.time
    monkeypatch.setattr(time, "time", lambda: right() + off_s)
    beats.beat("clock")
    (age_s,) = beats.alive().values()
    monkeypatch.undo()
    (age_elsewhere_s,) = beats.alive().values()
    assert 0 <= age_s < 5
    assert 0 <= age_elsewhere_s < 5


def test_processes_that_are_long_silent_are_forgotten(redis_client: Redis) -> None:
    beats = Heartbeats(redis_client)
    beats.beat("clock")
    redis_client.hset(keys.heartbeats(), "worker-apply@gone-1", 1)
    assert beats.alive()["worker-apply@gone-1"] > STALE_S
    beats.drop_stale()
    assert set(beats.alive()) == {process_name("clock")}


def test_a_lock_has_one_holder_until_its_time_is_up(redis_client: Redis) -> None:
    lock = Lock(redis_client, keys.clock_lock(), 200)
    assert lock.take("a")
    assert lock.take("a")
    assert not lock.take("b")
    time.sleep(0.3)
    assert lock.take("b")
    assert not lock.take("a")


def test_processes_show_themselves_and_lock_although_redis_is_full(start_redis: StartRedis) -> None:
    with start_redis().client() as redis:
        redis.config_set("maxmemory", 1)
        Heartbeats(redis).beat("clock")
        assert Heartbeats(redis).alive()
        lock = Lock(redis, keys.clock_lock(), 1_000)
        assert lock.take("a")
        assert lock.take("a")
