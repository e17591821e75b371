"""100,000 dead letters: listed page by page at an even speed, and nothing keeps Redis busy for long."""

import time
from collections.abc import Iterator
from statistics import median
from typing import Any, cast

import orjson
import pytest
from redis import Redis

from app.destinations.dead_letters.discarding import discard_step
from app.destinations.dead_letters.filter import Filter
from app.destinations.dead_letters.store import Page
from app.store import keys

from .letters import NOW_MS, Letters, P, profile

MANY = 100_000
RARE_EACH = 20_000
SLOW_US = 30_000  # ten times what is usual: other tests run beside this one


@pytest.fixture
def many(redis_client: Redis) -> Iterator[Letters]:
    world = Letters(redis_client)
    for start in range(0, MANY, 5_000):
        pipeline = redis_client.pipeline(transaction=False)
        for number in range(start, start + 5_000):
            fields = {
                "destination": "profiles",
                "time_ms": NOW_MS + number,
                "code": "invalid" if number % RARE_EACH == 7 else "refused",
                "reason": "a reason of a usual length, as Mixpanel gives it",
                "response": '{"error": "..."}',
                "record": orjson.dumps(profile(f"person {number}", union={"Cohorts": ["VIP"]})),
            }
            pipeline.xadd(keys.dead_letters(P), cast("Any", fields), id=f"{NOW_MS + number}-0")
        pipeline.execute()
    redis_client.config_set("slowlog-log-slower-than", SLOW_US)
    redis_client.slowlog_reset()
    yield world
    redis_client.config_set("slowlog-log-slower-than", 10_000)


def pages(world: Letters, wanted: Filter, **more: Any) -> Iterator[tuple[Page, float]]:
    """Give each page with the seconds that it took."""
    after = None
    while True:
        begun = time.perf_counter()
        page = world.letters.page(P, wanted, after=after, **more)
        yield page, time.perf_counter() - begun
        if page.next is None:
            return
        after = page.next


def slow_commands(redis: Redis) -> list[Any]:
    return [each["command"][:40] for each in cast("list[Any]", redis.slowlog_get(10))]


@pytest.mark.slow
def test_every_page_takes_the_same_time_wherever_it_is_and_whatever_is_meant(many: Letters) -> None:
    for wanted, more, expected in (
        (Filter(), {"limit": 100}, MANY),
        (Filter(), {"limit": 100, "order": "newest", "records": True}, MANY),
        (Filter(code="invalid"), {"limit": 100}, MANY // RARE_EACH),
        (Filter(since_ms=NOW_MS + MANY // 2), {"limit": 100}, MANY // 2),
    ):
        found = list(pages(many, wanted, **more))
        assert sum(len(page.letters) for page, _ in found) == expected
        assert max(page.looked for page, _ in found) <= 5_000
        tenth = max(1, len(found) // 10)
        first, last = (median(took for _, took in part) for part in (found[:tenth], found[-tenth - 1 : -1]))
        assert last < 3 * first + 0.002
        assert first < 3 * last + 0.002
    assert slow_commands(many.redis) == []


@pytest.mark.slow
def test_all_of_them_are_sent_again_in_steps_none_of_which_keeps_redis_busy(many: Letters) -> None:
    counted = discard_step(many.letters, P, Filter(code="invalid"), dry_run=True)
    assert counted.looked == 20_000
    place, redriven, steps = None, 0, 0
    while True:
        step = many.redriver.step(many.project, Filter(code="refused"), NOW_MS, place=place)
        redriven += step.redriven
        steps += 1
        place = step.next
        if place is None:
            break
    rare = MANY // RARE_EACH
    assert redriven == MANY - rare
    assert steps == pytest.approx(MANY / 1_000, abs=1)
    assert many.letters.count(P) == rare
    assert many.outboxes.depth(P, "profiles").records == MANY - rare
    assert slow_commands(many.redis) == []
