"""Ten who ask the same are one query, and an answer is kept as long as its row says."""

import threading
import time
import zlib
from collections.abc import Callable
from random import Random

import pytest
import redis

from app.mixpanel.calling.cache import PIECE_BYTES, AnswerCache, Kept
from app.mixpanel.calling.failures import CallFailed
from app.mixpanel.calling.flights import Flights
from app.mixpanel.calling.options import NO_RETRIES, Options
from app.mixpanel.calling.results import Result
from app.store import keys
from tests.integration.mixpanel.calling.conftest import World
from tests.integration.mixpanel.server import Reply, Request

P = "2195193"
ONCE = Options(retries=NO_RETRIES)


def at_once(count: int, work: Callable[[int], Result]) -> list[Result | CallFailed]:
    found: list[Result | CallFailed] = []

    def run(number: int) -> None:
        try:
            found.append(work(number))
        except CallFailed as error:
            found.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_ten_callers_of_several_processes_are_one_query(world: World) -> None:
    world.server.behaviour = lambda _request: Reply(200, b'[{"funnel_id": 1}]', pause_s=0.2)
    apis = [world.api() for _ in range(3)]  # one a process
    found = at_once(10, lambda number: apis[number % 3].call(world.project, "query", "funnels-list"))
    assert len(world.server.requests) == 1
    results = [one for one in found if isinstance(one, Result)]
    assert [one.body for one in results] == [b'[{"funnel_id": 1}]'] * 10
    assert sum(one.from_cache for one in results) == 9
    assert world.api().budget(P)["query"].windows[0].left == 59


def test_who_looked_before_an_answer_was_kept_and_comes_after_does_not_ask_again(world: World) -> None:
    api = world.api()
    cache = api._asking._cache
    look, late = cache.get, threading.Event()

    def slow_look(project_id: str, digest: str) -> Kept | None:
        found = look(project_id, digest)
        if not late.is_set():  # as if this process had stood still here
            late.set()
            world.api().call(world.project, "query", "funnels-list")
        return found

    cache.get = slow_look  # type: ignore[method-assign] # for this test
    assert api.call(world.project, "query", "funnels-list").from_cache
    assert len(world.server.requests) == 1


def test_an_answer_that_cannot_be_kept_is_asked_for_by_each_at_the_same_time(world: World) -> None:
    begun_s: list[float] = []

    def behaviour(_request: Request) -> Reply:
        begun_s.append(time.monotonic())
        return Reply(200, b"[]", pause_s=0.5)

    world.server.behaviour = behaviour
    api = world.api(cache_bytes=0)
    found = at_once(3, lambda _: api.call(world.project, "query", "funnels-list"))
    assert [one.body for one in found if isinstance(one, Result)] == [b"[]"] * 3
    assert begun_s[2] - begun_s[1] < 0.5 < begun_s[2] - begun_s[0]


def test_a_failure_is_told_to_all_who_waited_for_it(world: World) -> None:
    world.server.behaviour = lambda _request: Reply(400, b'{"error": "bad where"}', pause_s=0.3)
    api = world.api()
    found = at_once(10, lambda _: api.call(world.project, "query", "funnels-list"))
    assert len(world.server.requests) == 1
    assert [one.problem.code for one in found if isinstance(one, CallFailed)] == ["bad_request"] * 10
    assert all("bad where" in one.answered for one in found if isinstance(one, CallFailed))


def test_who_asks_after_a_failure_asks_anew(world: World) -> None:
    api = world.api()
    world.server.behaviour = lambda _request: Reply(400)
    with pytest.raises(CallFailed):
        api.call(world.project, "query", "funnels-list")
    world.server.behaviour = lambda _request: Reply(200, b"[]")
    assert api.call(world.project, "query", "funnels-list").body == b"[]"


def test_when_the_one_who_asks_is_killed_the_next_one_asks(world: World) -> None:
    api = world.api(lease_s=0.3)
    flights = Flights(world.redis, 0.3, time.sleep)
    api.call(world.project, "query", "funnels-list")
    (digest,) = [str(key).rstrip("'").rpartition(":")[2] for key in world.redis.keys("*:api:answer:*")]
    world.redis.flushdb()
    assert flights.begin(P, digest)  # and nothing more of it
    begun_s = time.monotonic()
    assert not api.call(world.project, "query", "funnels-list").from_cache
    assert 0.2 < time.monotonic() - begun_s < 2


def test_a_failure_is_told_only_to_who_waited_for_that_flight(redis_client: redis.Redis) -> None:
    ending: list[Callable[[], None]] = []
    flights = Flights(redis_client, 60, lambda _seconds: ending.pop()())
    first = flights.begin(P, "d")
    assert first
    ending.append(lambda: flights.end(P, "d", first, b"it failed"))
    assert flights.wait(P, "d") == b"it failed"
    second = flights.begin(P, "d")
    assert second
    ending.append(lambda: flights.end(P, "d", second))
    assert flights.wait(P, "d") == b""
    assert flights.wait(P, "d") == b""  # nobody is asking


def test_another_question_is_another_query(world: World) -> None:
    api = world.api()
    world.server.behaviour = lambda _request: Reply(200, b"{}")
    for number in (1, 2, 1):
        api.call(world.project, "query", "insights", {"bookmark_id": number})
    assert len(world.server.requests) == 2


def test_a_kept_answer_shows_its_age_and_fresh_asks_anew(world: World) -> None:
    api = world.api()
    first = api.call(world.project, "query", "funnels-list")
    time.sleep(0.05)
    kept = api.call(world.project, "query", "funnels-list")
    fresh = api.call(world.project, "query", "funnels-list", fresh=True)
    assert (first.from_cache, kept.from_cache, fresh.from_cache) == (False, True, False)
    assert first.age_s < 0.05 <= kept.age_s < 5
    assert kept.computed_at == first.computed_at < fresh.computed_at
    assert api.call(world.project, "query", "funnels-list").computed_at == fresh.computed_at
    assert len(world.server.requests) == 2


def test_those_who_ask_for_it_fresh_at_the_same_time_share_a_query_that_began_after_they_asked(
    world: World,
) -> None:
    api = world.api()
    world.server.behaviour = lambda _request: Reply(200, b"[]", pause_s=0.3)
    at_once(6, lambda _: api.call(world.project, "query", "funnels-list", fresh=True))
    assert len(world.server.requests) <= 2


def test_what_people_did_and_what_is_written_is_never_kept(world: World) -> None:
    api = world.api()
    for _ in range(2):
        api.call(world.project, "query", "profiles")
    assert len(world.server.requests) == 2
    assert not world.redis.keys("*:api:*")


def test_answers_end_with_their_rows_lifetime(world: World) -> None:
    world.api().call(world.project, "query", "funnels-list")
    for key in world.redis.keys("*:api:answer*"):
        assert 0 < world.redis.pttl(key) <= 300_000
    assert world.redis.keys("*:api:answer:*")


def kept(body: bytes) -> Kept:
    return Kept(200, "application/json", body, 1_785_000_000_000_000)


def incompressible(size: int, seed: int = 1) -> bytes:
    return Random(seed).randbytes(size)


def test_large_answers_are_kept_in_pieces_and_come_back_whole(redis_client: redis.Redis) -> None:
    cache, body = AnswerCache(redis_client), incompressible(3 * PIECE_BYTES + 17)
    assert cache.put(P, "d", kept(body), 60)
    found = cache.get(P, "d")
    assert found is not None
    assert found.body == body
    sizes = [redis_client.strlen(key) for key in redis_client.keys("*:api:*") if b"answers" not in key]
    assert len(sizes) == 4
    assert max(sizes) <= PIECE_BYTES + 300
    redis_client.delete(*redis_client.keys("*:api:piece:*:2"))
    assert cache.get(P, "d") is None


def test_an_answer_is_compressed(redis_client: redis.Redis) -> None:
    AnswerCache(redis_client).put(P, "d", kept(b"a" * 1_000_000), 60)
    assert redis_client.strlen(keys.api_answer(P, "d")) < 10_000


def test_a_project_has_so_many_bytes_and_no_more(redis_client: redis.Redis) -> None:
    most = 400_000
    cache = AnswerCache(redis_client, most_bytes=most)
    for number in range(30):
        assert cache.put(P, f"d{number}", kept(incompressible(50_000, number)), 60 + number)
        stored = sum(redis_client.strlen(key) for key in redis_client.keys("*:api:answer:*"))
        assert stored <= most + 10_000
    assert cache.get(P, "d29") is not None
    assert cache.get(P, "d0") is None
    assert not cache.put(P, "huge", kept(incompressible(most // 3)), 60)
    assert cache.forget(P) >= 7
    assert not redis_client.keys("*:api:*")


def test_a_project_has_so_many_answers_and_no_more(redis_client: redis.Redis) -> None:
    cache = AnswerCache(redis_client, most_answers=5)
    for number in range(12):
        cache.put(P, f"d{number}", kept(b"{}"), 60 + number)
    assert redis_client.zcard(keys.api_answers(P)) == 5
    assert len(redis_client.keys("*:api:answer:*")) == 5


def test_a_newer_answer_takes_the_place_of_the_older(redis_client: redis.Redis) -> None:
    cache = AnswerCache(redis_client)
    cache.put(P, "d", kept(incompressible(2 * PIECE_BYTES + 1)), 60)
    cache.put(P, "d", kept(b"{}"), 60)
    found = cache.get(P, "d")
    assert found is not None
    assert found.body == b"{}"
    assert not redis_client.keys("*:api:piece:*")
    assert redis_client.zcard(keys.api_answers(P)) == 1


def test_no_command_takes_ten_milliseconds_however_large_and_many(redis_client: redis.Redis) -> None:
    cache = AnswerCache(redis_client, most_bytes=16 * 1024 * 1024, most_answers=1_000)
    for number in range(1_000):
        redis_client.zadd(keys.api_answers(P), {f"{number:032x}:{number:032x}:1:16000": 2e12 + number})
    redis_client.config_set("slowlog-log-slower-than", 10_000)
    redis_client.slowlog_reset()
    for number in range(4):
        cache.put(P, f"big{number}", kept(incompressible(4 * 1024 * 1024 - 2_000, number)), 60)
        cache.get(P, f"big{number}")
    assert [one["command"][:40] for one in redis_client.slowlog_get()] == []


def test_a_redis_that_takes_nothing_costs_a_query_and_no_answer(world: World) -> None:
    api = world.api()
    world.redis.config_set("maxmemory", 1)
    try:
        packed = zlib.compress(b"x")
        assert not AnswerCache(world.redis).put(P, "d", kept(packed), 60)
    finally:
        world.redis.config_set("maxmemory", 0)
    assert api.call(world.project, "query", "funnels-list").body == b"[]"
