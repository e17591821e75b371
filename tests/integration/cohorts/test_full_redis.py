"""Redis is at its maxmemory: no page is taken in any more, and what waits is worked off all the same."""

import pytest
import redis

from app.lanes.work import APPLY
from app.store import keys
from app.store.faults import is_fault, redis_word
from tests.conftest import StartRedis
from tests.integration.cohorts.relay import FOREVER, P, Relay, body_of
from tests.model.wire import SentPage
from tests.redis_server import RedisServer

PEOPLE_A_PAGE = 200
ROOM_BYTES = 2_000_000
MARGIN_BYTES = 100_000
FILLING = "x" * 100
"""A property of every member, so that pages are large beside what is kept of them, as Mixpanel's are."""


@pytest.fixture
def server(start_redis: StartRedis) -> RedisServer:
    return start_redis()


def fill(relay: Relay) -> list[str]:
    """Send pages of one sync until Redis refuses one, and return who is on those that it took."""
    plain = relay.plain
    plain.config_set("maxmemory", plain.info("memory")["used_memory"] + ROOM_BYTES)
    people: list[str] = []
    for number in range(1, 1_000):
        some = [f"person-{number}-{place}" for place in range(PEOPLE_A_PAGE)]
        page = SentPage("0", "members", number, 1_000, tuple(some), 0.0, "c")
        try:
            relay.accept_body(body_of(page, plan=FILLING))
        except redis.RedisError:
            break
        people += some
    # Full, and not by a few bytes that the next step might do without.
    plain.config_set("maxmemory", plain.info("memory")["used_memory"] - MARGIN_BYTES)
    return people


def drain(relay: Relay) -> None:
    """Work as a worker does, by what is in the queue; nothing but the product writes."""
    for _ in range(100):
        if not relay.jobs.waiting:
            return
        held = relay.lanes.start(*relay.jobs.waiting.pop())
        assert held is not None
        relay.lanes.finish(held, relay.apply.run(held, relay.project, FOREVER))
    raise AssertionError("the lane does not drain")


def test_a_full_redis_takes_no_page_and_its_inbox_drains(server: RedisServer) -> None:
    relay = Relay(server)
    people = fill(relay)
    assert relay.inbox.depth(P)["pages"] > 10
    with pytest.raises(redis.RedisError) as refused:
        relay.accept(SentPage("1", "members", 1, 1, ("late",), 0.0, "c"))
    assert redis_word(refused.value) == "OOM"
    assert not is_fault(refused.value)
    drain(relay)
    assert relay.inbox.depth(P) == {"pages": 0, "bytes": 0}
    assert relay.members("c") == frozenset(people)
    relay.close()


def lose_lease(relay: Relay) -> None:
    """Let the time pass after which a lane's holder counts as gone."""
    limit = int(relay.plain.config_get("maxmemory")["maxmemory"] or 0)
    relay.plain.config_set("maxmemory", 0)
    relay.plain.hset(keys.lane(P, APPLY.name), "lease", 0)
    relay.plain.config_set("maxmemory", limit)


def test_a_worker_that_dies_while_redis_is_full_is_replaced(server: RedisServer) -> None:
    relay = Relay(server)
    people = fill(relay)
    held = relay.lanes.start(*relay.jobs.waiting.pop())
    assert held is not None
    relay.apply.run(held, relay.project, until=0.0)  # and it vanishes without finishing
    lose_lease(relay)
    assert relay.lanes.sweep(P, APPLY) > 0
    drain(relay)
    assert relay.members("c") == frozenset(people)
    relay.close()
