"""What processes count reaches Redis once, whatever happens on the way."""

import multiprocessing
import time
from collections import Counter
from collections.abc import Mapping
from threading import Thread
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import OutOfMemoryError, RedisError

from app.metrics import flushing, stored
from app.metrics.families import LANE_SECONDS, LANE_TAKEOVERS, MIXPANEL_REQUESTS
from app.metrics.flushing import Flushing
from app.metrics.recorder import Recorder, Series
from app.metrics.stored import StoredMetrics
from app.store import keys
from app.store.connection import connect

ONE: Series = (LANE_TAKEOVERS.name, ("1", "apply"), "")


class Faulty(StoredMetrics):
    """Fails as it is told: before Redis has taken an addition, or (its answer is lost) after."""

    def __init__(self, redis: Redis, faults: list[str]) -> None:
        super().__init__(redis)
        self._faults = faults

    def add(self, process: str, number: int, added: Mapping[Series, float]) -> None:
        fault = self._faults.pop(0) if self._faults else "none"
        if fault == "before":
            raise OutOfMemoryError("command not allowed ...")
        super().add(process, number, added)
        if fault == "after":
            raise RedisConnectionError("the connection broke")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    steps=st.lists(st.sampled_from(["a", "b", "flush"]), max_size=30),
    faults=st.lists(st.sampled_from(["none", "before", "after"]), max_size=20),
)
def test_nothing_is_counted_twice_or_lost_whatever_becomes_of_additions(
    redis_client: Redis, steps: list[str], faults: list[str]
) -> None:
    redis_client.flushall()
    recorder, kept = Recorder(), Faulty(redis_client, faults)
    flushing_ = Flushing(recorder, kept)
    expected = Counter[Series]()
    for step in steps:
        if step == "flush":
            flushing_.flush()
        else:
            recorder.count(LANE_TAKEOVERS, "1", step)
            expected[LANE_TAKEOVERS.name, ("1", step), ""] += 1
    faults.clear()
    assert flushing_.flush()
    assert kept.read() == expected


def count_a_lot(redis_url: str, process: int) -> None:
    """Count from several threads of one process, and end in good order."""
    redis = connect(redis_url)
    recorder = Recorder()

    def count() -> None:
        for number in range(500):
            recorder.count(LANE_TAKEOVERS, "1", "apply")
            recorder.observe(LANE_SECONDS, number % 2, "apply")

    with Flushing(recorder, StoredMetrics(redis)):
        threads = [Thread(target=count) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        recorder.count(LANE_TAKEOVERS, str(process), "profiles")
    redis.close()


def test_processes_and_their_threads_add_up(redis_client: Redis, redis_url: str) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=count_a_lot, args=(redis_url, number)) for number in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    numbers = StoredMetrics(redis_client).read()
    assert numbers[ONE] == 3 * 3 * 500
    assert numbers[LANE_SECONDS.name, ("apply",), "sum"] == 3 * 3 * 250
    assert numbers[LANE_SECONDS.name, ("apply",), "0.005"] == 3 * 3 * 250
    assert all(numbers[LANE_TAKEOVERS.name, (str(number), "profiles"), ""] == 1 for number in range(3))


def test_the_thread_flushes_what_comes_and_sleeps_otherwise(
    redis_client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flushing, "EVERY_S", 0.01)
    added: list[int] = []

    class Watched(StoredMetrics):
        def add(self, process: str, number: int, some: Mapping[Series, float]) -> None:
            super().add(process, number, some)
            added.append(len(some))

    recorder, kept = Recorder(), Watched(redis_client)
    with Flushing(recorder, kept):
        for number in range(1, 4):
            recorder.count(LANE_TAKEOVERS, "1", "apply")
            while kept.read().get(ONE) != number:
                time.sleep(0.01)
    assert added == [1, 1, 1]


def test_a_thread_whose_redis_is_away_goes_on_once_it_is_back(
    redis_client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flushing, "EVERY_S", 0.01)
    recorder, kept = Recorder(), Faulty(redis_client, ["before"] * 5 + ["after"] * 3)
    with Flushing(recorder, kept):
        recorder.count(LANE_TAKEOVERS, "1", "apply")
        while ONE not in kept.read():
            time.sleep(0.01)
    assert kept.read() == {ONE: 1}


def test_what_an_older_or_newer_version_counted_is_left_alone(redis_client: Redis) -> None:
    kept = StoredMetrics(redis_client)
    kept.add("p", 1, {ONE: 2})
    before = kept.read()
    strange: Any = [
        ("cohort_relay_gone_total", ("1",), ""),
        (LANE_TAKEOVERS.name, ("1",), ""),
        (LANE_SECONDS.name, ("apply",), "0.123"),
        (LANE_SECONDS.name, ("apply",), ""),
    ]
    kept.add("p", 2, dict.fromkeys(strange, 1))
    assert kept.read() == before


def test_the_hash_has_a_cap_and_what_is_in_it_goes_on_counting(
    redis_client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored, "FIELDS_AT_MOST", 10)
    kept = StoredMetrics(redis_client)
    kept.add("p", 1, {ONE: 1})
    for number in range(2, 40):
        series: Series = (MIXPANEL_REQUESTS.name, ("1", f"/{number}", "200", "ok"), "")
        kept.add("p", number, {series: 1, ONE: 1})
    assert kept.read()[ONE] == 39
    assert redis_client.hlen(keys.metrics()) <= 10


def test_an_error_of_redis_is_no_error_of_whoever_counts() -> None:
    recorder = Recorder()
    gone = Flushing(recorder, StoredMetrics(connect("redis://127.0.0.1:1/0")))
    recorder.count(LANE_TAKEOVERS, "1", "apply")
    assert not gone.flush()
    with pytest.raises(RedisError):
        StoredMetrics(connect("redis://127.0.0.1:1/0")).read()
