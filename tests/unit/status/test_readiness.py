"""Readiness, over what Redis and the processes say."""

from collections.abc import Mapping
from typing import Any, cast

import pytest
from redis import ConnectionError as RedisAway
from redis import Redis, ResponseError

from app.status.readiness import check_all

GOOD_INFO = {"role": "master", "loading": 0, "aof_enabled": 1, "maxmemory_policy": "noeviction"}
GOOD_CONFIG = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"}
ALL_ALIVE = {
    "worker-apply@a-7": 1.0,
    "worker-apply@b-7": 2.0,
    "worker-apply@c-7": 900.0,
    "worker-mixpanel@a-8": 3.0,
    "worker-webhooks@a-6": 4.0,
    "clock@a-9": 0.4,
}


class FakeRedis:
    """Answers INFO and CONFIG GET; None: it is away, or CONFIG is forbidden."""

    def __init__(self, info: Mapping[str, Any] | None, config: Mapping[str, str] | None) -> None:
        self._info, self._config = info, config

    def info(self) -> Mapping[str, Any]:
        if self._info is None:
            raise RedisAway("Error 111 connecting to secret.example.com:6379. Connection refused.")
        return self._info

    def config_get(self, pattern: str) -> Mapping[str, str]:
        if self._config is None:
            raise ResponseError("unknown command 'CONFIG'")
        return {name: value for name, value in self._config.items() if name.startswith(pattern.rstrip("*"))}


def verdicts(
    info: Mapping[str, Any] | None = GOOD_INFO,
    config: Mapping[str, str] | None = GOOD_CONFIG,
    alive: Mapping[str, float] = ALL_ALIVE,
    *,
    allow_volatile: bool = False,
) -> dict[str, tuple[bool, str]]:
    fake = cast("Redis", FakeRedis(info, config))
    found = check_all(fake, lambda: alive, allow_volatile=allow_volatile)
    return {check.name: (check.ok, check.reason) for check in found}


def bad(**changes: Any) -> dict[str, str]:
    return {name: reason for name, (ok, reason) in verdicts(**changes).items() if not ok}


def test_all_is_well() -> None:
    assert verdicts() == {
        "redis": (True, "reachable and writable"),
        "persistence": (True, "append-only file on, appendfsync always"),
        "eviction": (True, "maxmemory-policy noeviction"),
        "worker-apply": (True, "2 alive, last sign 1 s ago"),
        "worker-mixpanel": (True, "1 alive, last sign 3 s ago"),
        "worker-webhooks": (True, "1 alive, last sign 4 s ago"),
        "clock": (True, "1 alive, last sign 0 s ago"),
    }


def test_a_redis_that_is_away_is_the_only_thing_told_and_its_address_is_not() -> None:
    assert bad(info=None) == {"redis": "not reachable: ConnectionError"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"loading": 1}, "loading"),
        ({"role": "slave"}, "a replica"),
        ({"aof_last_write_status": "err"}, "cannot write"),
    ],
)
def test_a_redis_that_takes_no_writes_is_not_ready(change: dict[str, Any], reason: str) -> None:
    assert reason in bad(info=GOOD_INFO | change)["redis"]


def test_without_an_append_only_file_it_is_not_ready_and_the_remedy_is_named() -> None:
    found = bad(config=GOOD_CONFIG | {"appendonly": "no"})
    assert list(found) == ["persistence"]
    assert "set appendonly yes" in found["persistence"]


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl"])
def test_a_policy_that_evicts_is_not_ready(policy: str) -> None:
    assert policy in bad(config=GOOD_CONFIG | {"maxmemory-policy": policy})["eviction"]


def test_the_fsync_policy_in_force_is_named() -> None:
    assert (
        "appendfsync everysec" in verdicts(config=GOOD_CONFIG | {"appendfsync": "everysec"})["persistence"][1]
    )


def test_where_config_is_forbidden_info_tells_as_far_as_it_can() -> None:
    assert bad(config=None) == {}
    assert "appendfsync unknown" in verdicts(config=None)["persistence"][1]
    assert list(bad(config=None, info=GOOD_INFO | {"aof_enabled": 0})) == ["persistence"]
    assert list(bad(config=None, info=GOOD_INFO | {"maxmemory_policy": "allkeys-lfu"})) == ["eviction"]


def test_what_nobody_tells_is_not_taken_for_granted() -> None:
    assert set(bad(config=None, info={"role": "master"})) == {"persistence", "eviction"}


def test_a_volatile_redis_can_be_allowed_but_is_still_named() -> None:
    found = verdicts(
        config={"appendonly": "no", "maxmemory-policy": "allkeys-lru"}, info=GOOD_INFO, allow_volatile=True
    )
    assert all(ok for ok, _ in found.values())
    assert "ALLOW_VOLATILE_REDIS" in found["persistence"][1]
    assert "ALLOW_VOLATILE_REDIS" in found["eviction"][1]


@pytest.mark.parametrize("alive", [{}, {"worker-apply@a-7": 31.0, "clock@a-9": 31.0, "other@a-1": 1.0}])
def test_without_a_sign_of_life_workers_and_clock_are_not_ready(alive: dict[str, float]) -> None:
    found = bad(alive=alive)
    assert set(found) == {"worker-apply", "worker-mixpanel", "clock"}
    assert "start the process" in found["worker-apply"]


def test_a_queue_that_nobody_serves_is_not_ready_though_other_workers_live() -> None:
    assert set(bad(alive={"worker-apply@a-7": 1.0, "clock@a-9": 1.0})) == {"worker-mixpanel"}


def test_without_a_worker_for_subscribers_it_is_ready_and_says_so() -> None:
    alive = {name: age_s for name, age_s in ALL_ALIVE.items() if "webhooks" not in name}
    assert bad(alive=alive) == {}
    assert verdicts(alive=alive)["worker-webhooks"][1].startswith("no sign of life; start the process")


def test_one_worker_may_serve_several_queues() -> None:
    assert bad(alive={"worker-apply-mixpanel@a-7": 1.0, "clock@a-9": 1.0}) == {}
