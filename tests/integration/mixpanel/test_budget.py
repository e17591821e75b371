from dataclasses import dataclass, field
from itertools import count
from typing import NamedTuple

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.mixpanel.budget import IngestionBudget
from app.mixpanel.errors import OverBudget
from app.store import keys

SECOND = 1_000_000
MAX_RECORDS, MAX_BYTES = 100, 1_000
START = 1_785_000_000 * SECOND
numbers = count(1)


class Taken(NamedTuple):
    at_us: int
    records: int
    size: int


@dataclass
class Model:
    """The same budget in plain Python: a second counts until its last microsecond is 60 s old."""

    taken: list[Taken] = field(default_factory=list)

    def take(self, now_us: int, records: int, size: int) -> int:
        live = [
            one
            for one in self.taken
            if self.free_at(one) > now_us and one.at_us // SECOND <= now_us // SECOND
        ]
        for moment in [now_us, *sorted(self.free_at(one) for one in live)]:
            left = [one for one in live if self.free_at(one) > moment]
            fits = sum(one.records for one in left) + records <= MAX_RECORDS
            if fits and sum(one.size for one in left) + size <= MAX_BYTES:
                break
        if moment == now_us:
            self.taken.append(Taken(now_us, records, size))
        return moment - now_us

    @staticmethod
    def free_at(one: Taken) -> int:
        return (one.at_us // SECOND + 61) * SECOND


@dataclass
class Clock:
    now_us: int = START

    def __call__(self) -> int:
        return self.now_us


def wait_us(budget: IngestionBudget, project_id: str, records: int, size: int) -> int:
    try:
        budget.take(project_id, records, size)
    except OverBudget as error:
        return round(error.retry_after_s * SECOND)
    return 0


requests = st.tuples(
    st.integers(0, 3 * SECOND)
    | st.integers(0, 70 * SECOND)
    | st.sampled_from([SECOND, 60 * SECOND, 61 * SECOND]),
    st.integers(0, 60) | st.integers(0, MAX_RECORDS),
    st.integers(0, 400) | st.integers(0, MAX_BYTES),
)


@given(st.lists(requests, max_size=40))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_the_script_decides_as_the_model_does_and_never_lets_a_minute_overflow(
    redis_client: redis.Redis, steps: list[tuple[int, int, int]]
) -> None:
    project_id, clock, model = str(next(numbers)), Clock(), Model()
    budget = IngestionBudget(redis_client, max_records=MAX_RECORDS, max_bytes=MAX_BYTES, now_us=clock)
    for later_us, records, size in steps:
        clock.now_us += later_us
        assert wait_us(budget, project_id, records, size) == model.take(clock.now_us, records, size)
    for last in model.taken:
        minute = [one for one in model.taken if last.at_us - 60 * SECOND <= one.at_us <= last.at_us]
        assert sum(one.records for one in minute) <= MAX_RECORDS
        assert sum(one.size for one in minute) <= MAX_BYTES
    if model.taken:
        assert redis_client.hlen(keys.ingestion_budget(project_id)) <= 61
        assert 0 < redis_client.pttl(keys.ingestion_budget(project_id)) <= 120_000


@given(st.lists(requests, min_size=1, max_size=20), st.integers(1, MAX_RECORDS), st.integers(1, MAX_BYTES))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_the_time_it_names_is_exact(
    redis_client: redis.Redis, steps: list[tuple[int, int, int]], records: int, size: int
) -> None:
    project_id, clock = str(next(numbers)), Clock()
    budget = IngestionBudget(redis_client, max_records=MAX_RECORDS, max_bytes=MAX_BYTES, now_us=clock)
    for later_us, some_records, some_size in steps:
        clock.now_us += later_us
        wait_us(budget, project_id, some_records, some_size)
    wait = wait_us(budget, project_id, records, size)
    if wait:
        assert wait <= 61 * SECOND
        clock.now_us += wait - 1
        assert wait_us(budget, project_id, records, size) == 1
        clock.now_us += 1
        assert wait_us(budget, project_id, records, size) == 0


def test_mixpanels_real_limits_are_counted_without_loss(redis_client: redis.Redis) -> None:
    budget = IngestionBudget(redis_client, now_us=Clock())
    for _ in range(900):
        budget.take("1", 2_000, 2_222_222)
    with pytest.raises(OverBudget):
        budget.take("1", 1, 1)
    budget.take("2", 1, 1)


def test_a_clock_set_back_blocks_nobody(redis_client: redis.Redis) -> None:
    clock = Clock()
    budget = IngestionBudget(redis_client, max_records=10, max_bytes=10, now_us=clock)
    budget.take("1", 10, 10)
    clock.now_us -= 3600 * SECOND
    budget.take("1", 10, 10)
    with pytest.raises(OverBudget):
        budget.take("1", 1, 1)


def test_redis_gives_the_time_where_no_test_does(redis_client: redis.Redis) -> None:
    budget = IngestionBudget(redis_client, max_records=10, max_bytes=10)
    budget.take("1", 10, 10)
    with pytest.raises(OverBudget) as caught:
        budget.take("1", 1, 0)
    assert 59.0 < caught.value.retry_after_s <= 61.0


@pytest.mark.parametrize(("records", "size"), [(11, 0), (0, 11)])
def test_what_can_never_fit_is_an_error_of_the_caller(
    redis_client: redis.Redis, records: int, size: int
) -> None:
    budget = IngestionBudget(redis_client, max_records=10, max_bytes=10)
    with pytest.raises(ValueError, match="whole budget"):
        budget.take("1", records, size)
