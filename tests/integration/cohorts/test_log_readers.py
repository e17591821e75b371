"""Readers of the log come and go with the rules: each begins at its end, and holds it while it reads."""

from typing import cast

from redis import Redis

from app.cohorts.changelog import ChangeLog
from app.lanes.lanes import HeldLane, Lanes
from app.lanes.queue import LaneQueue
from app.lanes.work import APPLY, EVENTS, IDENTITY, PROFILES, LaneKind
from app.store import keys
from tests.integration.destinations.world import SilentQueue

P = "2195193"


class Log:
    """A log whose readers a test chooses."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self.readers: tuple[LaneKind, ...] = (PROFILES,)
        self.lanes = Lanes(redis, cast("LaneQueue", SilentQueue()), lease_s=15.0)
        self.changelog = ChangeLog(redis, self.lanes, keep_entries=1, readers=lambda _: self.readers)

    def append(self, number: int = 1) -> None:
        for _ in range(number):
            self.changelog.append(P, "told", {})

    def admit(self) -> None:
        held = self.held()
        self.changelog.admit(held)

    def held(self) -> HeldLane:
        key = keys.lane(P, APPLY.name)
        self.redis.hset(key, mapping={"state": "queued", "inflight": 0})
        held = self.lanes.start(P, APPLY.name, self.redis.hincrby(key, "wake", 1))
        assert held is not None
        return held

    def cursor(self, lane: LaneKind) -> int | None:
        found = cast("bytes | None", self.redis.hget(keys.destination(P, lane.name), "cursor"))
        return None if found is None else int(found)


def test_a_reader_begins_at_the_end_of_the_log_and_keeps_its_place(redis_client: Redis) -> None:
    log = Log(redis_client)
    log.append(5)
    log.admit()
    assert (log.cursor(EVENTS), log.cursor(IDENTITY)) == (None, None)
    log.readers = (PROFILES, EVENTS)
    log.admit()
    log.append(3)
    log.admit()
    assert (log.cursor(EVENTS), log.cursor(IDENTITY)) == (5, None)


def test_a_reader_that_has_nothing_to_do_any_more_is_forgotten_and_later_begins_anew(
    redis_client: Redis,
) -> None:
    log = Log(redis_client)
    log.readers = (PROFILES, EVENTS)
    log.admit()
    log.append(4)
    redis_client.hset(keys.destination(P, "events"), "window_end", 3)
    redis_client.sadd(keys.destination_accepted(P, "events"), "r0")
    log.readers = (PROFILES,)
    log.admit()
    assert log.cursor(EVENTS) is None
    assert not redis_client.exists(keys.destination_accepted(P, "events"))
    log.append(2)
    log.readers = (PROFILES, EVENTS)
    log.admit()
    assert log.cursor(EVENTS) == 6
    assert not redis_client.hexists(keys.destination(P, "events"), "window_end")


def test_only_lanes_that_read_the_log_are_woken_and_hold_it(redis_client: Redis) -> None:
    log = Log(redis_client)
    log.append(5)
    assert log.lanes.queued_wake(P, "profiles") == 1
    assert log.lanes.queued_wake(P, "events") == 0
    redis_client.hset(keys.destination(P, "profiles"), "cursor", 5)
    assert log.changelog.backlog(P) == 0
    log.changelog.trim(P)
    assert redis_client.xlen(keys.log(P)) == 1
    log.readers = (PROFILES, EVENTS)
    log.admit()
    log.append(5)
    assert log.lanes.queued_wake(P, "events") == 1
    redis_client.hset(keys.destination(P, "profiles"), "cursor", 10)
    assert (log.changelog.slowest(P), log.changelog.backlog(P)) == (5, 5)
    log.changelog.trim(P)
    assert redis_client.xlen(keys.log(P)) == 5
