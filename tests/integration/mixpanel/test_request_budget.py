"""Never more than is allowed, in any span and at once, whoever asks and whoever dies."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from random import Random

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.mixpanel.errors import OverBudget, Rejected, Retryable
from app.mixpanel.query_budget import query_rates
from app.mixpanel.request_budget import BUSY_S, Left, Rates, RequestBudget, Slot, Window
from app.store import keys

SECOND = 1_000_000
START = 1_785_000_000 * SECOND
SMALL = Rates("query", (Window(6, 60, follow_ups=False), Window(3, 1)), at_once=2, lease_s=20)
numbers = count(1)


@dataclass
class Clock:
    now_us: int = START

    def __call__(self) -> int:
        return self.now_us


@dataclass
class Model:
    """The same in plain Python."""

    rates: Rates
    begun: list[tuple[int, bool, str]] = field(default_factory=list)
    leases: dict[str, int] = field(default_factory=dict)

    def counted(self, window: Window) -> list[int]:
        return [at_us for at_us, follow_up, _ in self.begun if window.follow_ups or not follow_up]

    def wait_us(self, now_us: int, follow_up: bool) -> int:
        wait_us = 0
        for window in self.rates.windows:
            times, length_us = self.counted(window), int(window.length_s * SECOND)
            live = [at_us for at_us in times if now_us - length_us < at_us <= now_us]
            if (window.follow_ups or not follow_up) and len(live) >= window.most:
                wait_us = max(wait_us, live[-window.most] + length_us - now_us)
        live_leases = [ends_us for ends_us in self.leases.values() if ends_us > now_us]
        if len(live_leases) >= self.rates.at_once:
            wait_us = max(wait_us, min(int(BUSY_S * SECOND), min(live_leases) - now_us))
        return wait_us


def begin(budget: RequestBudget, project_id: str, *, follow_up: bool = False) -> Slot | int:
    """Take a slot, or return the microseconds to wait."""
    try:
        return budget.begin(project_id, follow_up=follow_up)
    except OverBudget as error:
        return round(error.retry_after_s * SECOND)


steps = st.tuples(
    st.integers(0, 3 * SECOND) | st.integers(0, 70 * SECOND) | st.sampled_from([0, SECOND, 60 * SECOND]),
    st.sampled_from(["query", "page", "end", "end", "unreached"]),
)


@given(st.lists(steps, max_size=40))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_the_scripts_decide_as_the_model_does(redis_client: redis.Redis, todo: list[tuple[int, str]]) -> None:
    project_id, clock, model = str(next(numbers)), Clock(), Model(SMALL)
    budget = RequestBudget(redis_client, SMALL, uneven_s=0, now_us=clock)
    held: list[Slot] = []
    for later_us, what in todo:
        clock.now_us += later_us
        if what in {"query", "page"}:
            follow_up = what == "page"
            expected = model.wait_us(clock.now_us, follow_up)
            got = begin(budget, project_id, follow_up=follow_up)
            if isinstance(got, int):
                assert got == expected
                continue
            assert expected == 0
            held.append(got)
            model.begun.append((clock.now_us, follow_up, got.id))
            model.leases[got.id] = clock.now_us + 20 * SECOND
        elif held:
            slot = held.pop(0)
            assert budget.end(project_id, slot, reached=what == "end") == clock.now_us
            del model.leases[slot.id]
            if what == "unreached":
                model.begun = [one for one in model.begun if one[2] != slot.id]
    assert redis_client.zcard(keys.requests_under_way(project_id, "query")) <= SMALL.at_once
    assert redis_client.zcard(keys.request_window(project_id, "query", 0)) <= 6
    assert redis_client.zcard(keys.request_window(project_id, "query", 1)) <= 3


@given(st.lists(st.integers(0, 40 * SECOND), max_size=12), st.integers(1, 30), st.integers(0, 30))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_an_estimate_is_what_it_takes_when_nobody_else_asks(
    redis_client: redis.Redis, before: list[int], requests: int, follow_ups: int
) -> None:
    project_id, clock = str(next(numbers)), Clock()
    budget = RequestBudget(redis_client, SMALL, now_us=clock)

    def done(follow_up: bool) -> bool:
        got = begin(budget, project_id, follow_up=follow_up)
        if isinstance(got, Slot):
            budget.end(project_id, got)
        else:
            clock.now_us += got
        return isinstance(got, Slot)

    for later_us in before:
        clock.now_us += later_us
        done(False)
    begun_us, estimated = clock.now_us, budget.estimate(project_id, requests, follow_ups=follow_ups)
    for number in range(requests + follow_ups):
        while not done(number >= requests):
            pass
    assert clock.now_us - begun_us == round(estimated * SECOND)


def test_ten_million_members_take_a_week_where_pages_count_and_an_hour_where_they_do_not(
    redis_client: redis.Redis,
) -> None:
    counted = RequestBudget(redis_client, query_rates(timeout_s=60), now_us=Clock())
    free = RequestBudget(redis_client, query_rates(timeout_s=60, pages_count=False), now_us=Clock())
    assert 6.9 < counted.estimate("1", 1, follow_ups=10_000) / 86_400 < 7.1
    assert 0.9 < free.estimate("1", 1, follow_ups=10_000) / 3_600 < 1.3


def spans(times: Sequence[int], length_us: int) -> int:
    """Return the most that fall into any span of a length."""
    times = sorted(times)
    return max(sum(1 for at in times if first <= at < first + length_us) for first in times)


def overlaps(held: Sequence[tuple[int, int]]) -> int:
    return max(sum(1 for begun, ended in held if begun <= at < ended) for at, _ in held)


def test_fifty_callers_of_whom_some_are_killed_never_exceed_the_budget(redis_client: redis.Redis) -> None:
    an_hour_s, a_second_s, lease_s = 0.8, 0.1, 0.15
    rates = Rates("query", (Window(60, an_hour_s), Window(3, a_second_s)), at_once=5, lease_s=lease_s)
    held: list[tuple[int, int]] = []
    refused = count()
    until = time.monotonic() + 3.0

    def call(number: int) -> None:
        random, budget = Random(number), RequestBudget(redis_client, rates, uneven_s=0)
        while time.monotonic() < until:
            try:
                slot = budget.begin("1")
            except OverBudget as error:
                next(refused)
                time.sleep(min(error.retry_after_s, 0.02))
                continue
            lease_ends = slot.begun_us + round(lease_s * SECOND)
            if random.random() < 0.3:  # killed: gives nothing back
                held.append((slot.begun_us, lease_ends))
                continue
            time.sleep(random.uniform(0, 0.1))
            held.append((slot.begun_us, min(budget.end("1", slot), lease_ends)))

    threads = [threading.Thread(target=call, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    begun = [one for one, _ in held]
    assert spans(begun, round(an_hour_s * SECOND)) <= 60
    assert spans(begun, round(a_second_s * SECOND)) <= 3
    assert overlaps(held) <= 5
    assert overlaps(held) >= 3  # the test is about something
    assert len(held) > 30
    assert next(refused) > 50


def test_a_killed_holders_slot_is_free_when_its_lease_has_ended(redis_client: redis.Redis) -> None:
    clock = Clock()
    budget = RequestBudget(redis_client, SMALL, now_us=clock)
    budget.begin("1")
    budget.begin("1")
    assert begin(budget, "1") == BUSY_S * SECOND
    clock.now_us += 20 * SECOND - 1
    assert begin(budget, "1") == 1
    clock.now_us += 1
    assert isinstance(begin(budget, "1"), Slot)
    assert redis_client.zcard(keys.requests_under_way("1", "query")) == 1


def test_a_lease_can_be_lengthened_until_it_has_ended(redis_client: redis.Redis) -> None:
    clock = Clock()
    budget = RequestBudget(redis_client, SMALL, now_us=clock)
    slot = budget.begin("1")
    budget.begin("1")
    clock.now_us += 15 * SECOND
    assert budget.renew("1", slot)
    clock.now_us += 15 * SECOND
    assert isinstance(begin(budget, "1"), Slot)  # in the place of the one whose lease was left alone
    assert begin(budget, "1") == BUSY_S * SECOND
    clock.now_us += 6 * SECOND
    assert not budget.renew("1", slot)
    assert isinstance(begin(budget, "1"), Slot)


def test_a_limit_that_was_lowered_waits_for_as_many_as_are_too_many(redis_client: redis.Redis) -> None:
    clock = Clock()
    lowered = Rates("query", (Window(2, 60), Window(9, 1)), at_once=9, lease_s=20)
    for _ in range(5):
        with RequestBudget(redis_client, SMALL, uneven_s=0, now_us=clock).slot("1"):
            clock.now_us += SECOND
    budget = RequestBudget(redis_client, lowered, uneven_s=0, now_us=clock)
    assert budget.left("1").windows == (0, 9)
    assert begin(budget, "1") == 58 * SECOND
    assert budget.estimate("1", 1) == 58


def test_a_clock_set_back_blocks_nobody(redis_client: redis.Redis) -> None:
    clock = Clock()
    budget = RequestBudget(redis_client, SMALL, now_us=clock)
    budget.begin("1")
    budget.begin("1")
    clock.now_us -= 2 * 3600 * SECOND
    assert budget.left("1") == Left((6, 3), 2)
    assert isinstance(begin(budget, "1"), Slot)


def test_projects_do_not_share_a_budget_and_what_is_left_is_shown(redis_client: redis.Redis) -> None:
    budget = RequestBudget(redis_client, SMALL, now_us=Clock())
    with budget.slot("1"):
        assert budget.left("1") == Left((5, 2), 1)
        assert budget.left("2") == Left((6, 3), 2)
    with budget.slot("1", follow_up=True):
        assert budget.left("1") == Left((5, 1), 1)
    assert budget.left("1") == Left((5, 1), 2)


@pytest.mark.parametrize(
    ("error", "left"),
    [
        (Retryable("could not connect", outcome_unknown=False), 6),
        (Retryable("no answer in time"), 5),
        (Rejected(400, "no"), 5),
        (RuntimeError(), 5),
    ],
)
def test_only_what_never_reached_mixpanel_is_not_counted(
    redis_client: redis.Redis, error: Exception, left: int
) -> None:
    budget = RequestBudget(redis_client, SMALL, now_us=Clock())
    with pytest.raises(type(error)), budget.slot("1"):
        raise error
    assert budget.left("1") == Left((left, 3 if left == 6 else 2), 2)


def test_every_key_of_a_budget_goes_when_nobody_asks_any_more(redis_client: redis.Redis) -> None:
    with RequestBudget(redis_client, query_rates(timeout_s=60)).slot("1"):
        found = redis_client.keys()
        assert len(found) == 3
        assert all(0 < redis_client.pttl(key) <= 7_200_000 for key in found)


def test_what_can_wait_leaves_some_of_the_first_window_to_others(redis_client: redis.Redis) -> None:
    clock = Clock()
    budget = RequestBudget(redis_client, query_rates(timeout_s=60.0), uneven_s=0.0, now_us=clock)
    for _ in range(30):
        clock.now_us += SECOND
        budget.end("1", budget.begin("1", spare=30))
    with pytest.raises(OverBudget) as full:
        budget.begin("1", spare=30)
    assert full.value.retry_after_s == 3600 - 29, "until the first of those 30 is an hour ago"
    for _ in range(30):
        clock.now_us += SECOND
        budget.end("1", budget.begin("1"))
    with pytest.raises(OverBudget):
        budget.begin("1")
    clock.now_us += 3600 * SECOND - 31 * SECOND  # the 30 that waited are over, not those of the others
    with pytest.raises(OverBudget):
        budget.begin("1", spare=30)
    budget.end("1", budget.begin("1"))


def test_something_is_left_even_to_what_can_wait_however_much_is_spared(redis_client: redis.Redis) -> None:
    budget = RequestBudget(redis_client, SMALL, now_us=Clock())
    budget.end("1", budget.begin("1", spare=100))
    with pytest.raises(OverBudget):
        budget.begin("1", spare=100)
