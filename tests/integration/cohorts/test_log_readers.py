"""Readers of the log come and go with the rules: each begins at its end, and holds it while it reads."""

from typing import cast

import pytest
import structlog
from redis import Redis
from structlog.testing import capture_logs

from app.cohorts import changelog
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


@pytest.mark.parametrize("why", ["an hour went by", "it is far behind"])
def test_a_reader_that_has_nothing_to_do_any_more_is_forgotten_and_later_begins_anew(
    redis_client: Redis, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Log(redis_client)
    log.readers = (PROFILES, EVENTS)
    log.admit()
    log.append(4)
    redis_client.hset(keys.destination(P, "events"), "window_end", 3)
    redis_client.sadd(keys.destination_accepted(P, "events"), "r0")
    redis_client.hset(keys.destination_syncs(P, "events"), "", "[7,0]")
    log.readers = (PROFILES,)
    log.admit()
    log.admit()
    assert log.cursor(EVENTS) == 0
    if why == "an hour went by":
        redis_client.hincrby(keys.destination(P, "events"), "idle_since_ms", -changelog.IDLE_MS)
    else:
        monkeypatch.setattr(changelog, "IDLE_ENTRIES", 3)
    log.admit()
    assert log.cursor(EVENTS) is None
    assert not redis_client.exists(
        keys.destination_accepted(P, "events"), keys.destination_syncs(P, "events")
    )
    log.append(2)
    log.readers = (PROFILES, EVENTS)
    log.admit()
    assert log.cursor(EVENTS) == 6
    assert not redis_client.hexists(keys.destination(P, "events"), "window_end")


def test_a_process_with_older_rules_takes_nothing_from_a_new_reader(redis_client: Redis) -> None:
    new, old = Log(redis_client), Log(redis_client)
    new.readers = (PROFILES, EVENTS)
    new.admit()
    new.append(5)
    for _ in range(3):
        old.admit()
        redis_client.hset(keys.destination(P, "profiles"), "cursor", 5)
        old.changelog.trim(P)
        new.admit()
        redis_client.hincrby(keys.destination(P, "events"), "idle_since_ms", 0)  # a stale note does no harm
        new.admit()
    assert new.cursor(EVENTS) == 0
    assert [each.sequence for each in new.changelog.read(P, 0, 100)] == [1, 2, 3, 4, 5]


def test_entries_that_are_missing_behind_a_cursor_are_told_with_their_range(redis_client: Redis) -> None:
    structlog.reset_defaults()  # the others of this directory are silent
    log = Log(redis_client)
    log.append(6)
    with capture_logs() as quiet:
        assert len(log.changelog.read(P, 2, 100)) == 4
    redis_client.xdel(keys.log(P), "2-0", "3-0", "5-0")
    with capture_logs() as told:
        assert [each.sequence for each in log.changelog.read(P, 1, 100)] == [4, 6]
    assert quiet == []
    assert [(line["event"], line["sequences"]) for line in told] == [
        ("log_entries_missing", "2-3"),
        ("log_entries_missing", "5-5"),
    ]


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
