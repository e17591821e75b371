"""Windows that take long: the lane is kept while they are planned, and given back when the time is up."""

import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from app.destinations.outbox import Outboxes
from app.destinations.profiles import submitted
from app.lanes.lanes import Lanes
from app.lanes.work import LANES
from app.mixpanel.size_limit import SizeLimits
from tests.integration.cohorts.faulty import FaultyRedis
from tests.integration.cohorts.relay import Clock, connect
from tests.integration.destinations.waiting_world import OUTBOX, WaitingWorld
from tests.integration.destinations.world import Mixpanel, P, SilentQueue, refused
from tests.integration.mixpanel.server import Reply
from tests.redis_server import RedisServer

Records = list[dict[str, Any]]


@pytest.fixture
def world(redis_server: RedisServer, redis_url: str, mixpanel: Mixpanel) -> Iterator[WaitingWorld]:
    made = WaitingWorld(connect(redis_server, FaultyRedis, Clock()), mixpanel, OUTBOX)
    yield made
    made.close()
    made.redis.close()


def appends(who: str, number: int) -> Records:
    return [{"$distinct_id": who, "$append": {"trail": at}} for at in range(number)]


def test_a_plan_that_takes_longer_than_the_lease_keeps_the_lane(
    world: WaitingWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.lanes = Lanes(world.redis, SilentQueue(), lease_s=0.3)  # type: ignore[arg-type]
    world.submit(*({"$distinct_id": "ann", "$set": {f"p{number}": 1}} for number in range(8)))
    taken: list[int] = []

    def slow(encoded: bytes) -> Any:
        time.sleep(0.1)
        world.redis.clock.now_s += 0.1
        taken.append(world.lanes.sweep(P, LANES[OUTBOX]))
        return orjson.loads(encoded)

    monkeypatch.setattr(submitted, "orjson", SimpleNamespace(loads=slow, dumps=orjson.dumps))
    assert world.run().kind == "drained"
    assert (len(taken), set(taken)) == (8, {0})
    assert world.cursor_at() == 1


def test_many_appends_to_one_list_are_one_request_in_order(world: WaitingWorld, mixpanel: Mixpanel) -> None:
    world.submit(*appends("ann", 400), {"$distinct_id": "bob", "$set": {"a": 1}})
    world.run()
    assert len(mixpanel.batches) == 2
    assert trail(world) == list(range(400))


def test_what_a_batch_cuts_off_of_a_list_follows_it(world: WaitingWorld, mixpanel: Mixpanel) -> None:
    world.submit(*appends("ann", 4_500))
    world.run()
    assert [len(batch) for batch in mixpanel.batches] == [2_000, 2_000, 500]
    assert trail(world) == list(range(4_500))


def trail(world: WaitingWorld) -> list[int]:
    return [int(each) for each in world.trail("ann")]


def later(_records: Records) -> Reply:
    return Reply(503, b"{}")


def answers(*replies: Callable[[Records], Reply | None]) -> Callable[[Records], Reply | None]:
    """Answer the first requests like this, and later ones the ordinary way."""
    left = list(replies)
    return lambda records: left.pop(0)(records) if left else None


def test_between_rounds_the_lane_is_given_back_when_its_time_is_up(
    world: WaitingWorld, mixpanel: Mixpanel
) -> None:
    world.submit(
        {"$distinct_id": "ann", "$append": {"trail": 1}},
        {"$distinct_id": "ann", "$remove": {"trail": 1}},
        {"$distinct_id": "ann", "$append": {"trail": 2}},
    )
    outcomes = [world.run(slice_s=0).kind for _ in range(4)]
    assert outcomes == ["more", "more", "more", "drained"]
    assert [kind for record in mixpanel.records for kind in record if kind.startswith("$a")] == [
        "$append"
    ] * 2
    assert trail(world) == [2]


def test_between_two_batches_of_one_list_the_lane_is_given_back_too(
    world: WaitingWorld, mixpanel: Mixpanel
) -> None:
    world.submit(*appends("ann", 4_500))
    assert [world.run(slice_s=0).kind for _ in range(4)] == ["more", "more", "more", "drained"]
    assert trail(world) == list(range(4_500))


def test_a_record_that_was_refused_is_one_dead_letter_however_batches_are_cut_later(
    world: WaitingWorld, mixpanel: Mixpanel
) -> None:
    world.outboxes = Outboxes(world.redis, world.lanes, cap_bytes=10_000_000)
    world.submit(*({"$distinct_id": f"u{at}", "$set": {"a": "x" * 500}} for at in range(2_500)))

    def refuses_the_first(records: Records) -> Reply | None:
        place = [at for at, record in enumerate(records) if record["$distinct_id"] == "u3"]
        return refused(len(records), *place) if place else None

    mixpanel.script = answers(refuses_the_first, later)  # one connection: the first batch, then the second
    assert world.run().kind == "later"
    assert len(world.letters()) == 1
    SizeLimits(world.redis).learn(P, 900_000, None)
    mixpanel.batches.clear()
    mixpanel.script = refuses_the_first
    assert world.run().kind == "drained"
    assert len(mixpanel.batches) > 2  # cut anew
    assert len(world.letters()) == 1
