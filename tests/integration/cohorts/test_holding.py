"""Consumer groups hold the log within limits; whoever falls behind further is told what it is missing."""

from dataclasses import replace
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis

from app.cohorts import changelog, holding
from app.cohorts.changelog import ChangeLog, Entry
from app.cohorts.consumers import Consumers
from app.cohorts.gaps import Gaps, left_behind
from app.cohorts.groups import ConsumerGroups
from app.cohorts.holding import Holding, Limits
from app.lanes.lanes import Lanes
from app.lanes.queue import LaneQueue
from app.store import keys
from tests.integration.destinations.world import SilentQueue

P = "2195193"
GENEROUS = Limits(entries=10_000, bytes=1 << 30, age_s=86_400.0)


class Log:
    """A log that the destination `profiles` has read to its end, unless told otherwise; two entries stay."""

    def __init__(self, redis: Redis, limits: Limits = GENEROUS) -> None:
        self.redis = redis
        self.lanes = Lanes(redis, cast("LaneQueue", SilentQueue()), lease_s=15.0)
        self.limit(limits)

    def limit(self, limits: Limits) -> None:
        groups = ConsumerGroups(self.redis)
        self.holding = Holding(self.redis, (groups,), limits)
        self.changelog = ChangeLog(self.redis, self.lanes, keep_entries=2, holding=self.holding)
        self.consumers = Consumers(self.redis, groups, self.holding)

    def write(self, number: int, size: int = 0) -> None:
        for _ in range(number):
            self.changelog.append(P, "told", {}, cohort_name="x" * size)

    def trim(self, delivered: int | None = None) -> None:
        upto = self.changelog.end(P) if delivered is None else delivered
        self.redis.hset(keys.destination(P, "profiles"), "cursor", upto)
        self.changelog.trim(P)

    def join(self, group: str, at: str = "0") -> None:
        self.redis.xgroup_create(keys.log(P), group, id=at, mkstream=True)

    def take(self, group: str, count: int) -> list[int]:
        found = self.redis.xreadgroup(group, "one", {keys.log(P): ">"}, count=count)
        return [sequence(entry_id) for _, entries in cast("Any", found) for entry_id, _ in entries]

    def confirm(self, group: str, *sequences: int) -> None:
        if sequences:
            self.redis.xack(keys.log(P), group, *(f"{each}-0" for each in sequences))

    @property
    def there(self) -> list[int]:
        found = self.redis.xrange(keys.log(P))
        return [sequence(entry_id) for entry_id, _ in cast("Any", found)]

    @property
    def gaps(self) -> list[Entry]:
        first = self.there[0] - 1
        return [entry for entry in self.changelog.read(P, first, 10**6) if entry.kind == "gap"]


def sequence(entry_id: bytes) -> int:
    return int(entry_id.split(b"-")[0])


@pytest.fixture
def log(redis_client: Redis) -> Log:
    return Log(redis_client)


def test_without_consumers_the_log_is_trimmed_behind_the_destinations(log: Log) -> None:
    log.write(10)
    log.trim(5)
    assert log.there == [6, 7, 8, 9, 10]
    log.trim()
    assert log.there == [9, 10]


def test_a_group_holds_what_it_has_not_been_given(log: Log) -> None:
    log.write(10)
    log.join("crm", "3-0")
    log.trim()
    assert log.there == [*range(4, 11)]
    log.confirm("crm", *log.take("crm", 4))
    log.trim()
    assert log.there == [8, 9, 10]


def test_a_group_holds_what_it_has_not_confirmed(log: Log) -> None:
    log.write(10)
    log.join("crm")
    log.take("crm", 10)
    log.confirm("crm", 1, 2, 3, 5, 6)
    log.trim()
    assert log.there == [*range(4, 11)]
    log.confirm("crm", 4)
    log.trim()
    assert log.there == [*range(7, 11)]


def test_the_slowest_of_several_groups_counts(log: Log) -> None:
    log.write(10)
    log.join("crm", "7-0")
    log.join("search", "5-0")
    log.join("new", "$")
    log.trim()
    assert log.there == [6, 7, 8, 9, 10]


def test_the_hold_does_not_count_as_a_destination_that_is_behind(log: Log) -> None:
    log.write(10)
    log.join("crm")
    log.trim()
    assert (log.changelog.backlog(P), log.changelog.slowest(P), len(log.there)) == (0, 10, 10)


def test_a_group_that_is_too_far_behind_in_entries_loses_what_nobody_else_needs_and_is_told(log: Log) -> None:
    log.limit(replace(GENEROUS, entries=8))
    log.write(4)
    log.join("crm", "2-0")
    log.join("search", "4-0")
    log.write(4)
    log.trim()
    assert log.there[0] == 3
    log.write(3)
    log.trim()
    assert log.there == [*range(5, 13)]
    (gap,) = log.gaps
    assert gap.sequence == 12
    assert gap.detail == {"consumer": "crm", "kind": "group", "from": 3, "to": 4, "why": "entries"}
    assert log.consumers.counts(P) == (1, 2)


def test_bytes_are_a_limit_of_their_own(log: Log) -> None:
    log.limit(replace(GENEROUS, bytes=50_000))
    log.join("crm")
    log.write(4, size=10_000)
    log.trim()
    assert log.there == [1, 2, 3, 4]
    log.write(2, size=10_000)
    log.trim()
    assert log.there == [5, 6, 7]
    assert log.gaps[0].detail["why"] == "bytes"
    assert (log.gaps[0].detail["from"], log.gaps[0].detail["to"]) == (1, 4)


def test_age_is_a_limit_of_its_own(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    log.join("crm", "$")
    log.write(5)
    now_s, _ = log.redis.time()
    old = replace(GENEROUS, age_s=60.0)
    log.limit(old)
    log.trim()
    assert log.there == [*range(1, 6)]
    monkeypatch.setattr(log.holding, "_now_ms", lambda: (now_s + 65) * 1000)
    log.trim()
    assert log.there == [4, 5, 6]
    assert log.gaps[0].detail == {"consumer": "crm", "kind": "group", "from": 1, "to": 3, "why": "age"}


def test_a_full_redis_keeps_nothing_for_consumers(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    log.join("crm")
    log.write(5)
    used = int(log.redis.info("memory")["used_memory"])
    log.redis.config_set("maxmemory", used * 2)
    try:
        log.trim()
        assert log.there == [*range(1, 6)]
        monkeypatch.setattr(holding, "PRESSED", 0.3)
        log.trim()
        assert log.there == [4, 5, 6]
        assert log.gaps[0].detail["why"] == "memory"
    finally:
        log.redis.config_set("maxmemory", 0)


def test_what_is_missing_grows_while_the_consumer_is_away_and_is_told_once_it_reads_on(log: Log) -> None:
    log.limit(replace(GENEROUS, entries=5))
    log.join("crm")
    log.write(10)
    log.trim()
    (gap,) = log.gaps
    assert (gap.detail["from"], gap.detail["to"]) == (1, 8)
    log.write(9)
    for _ in range(2):
        log.trim()
    assert log.gaps == []  # the first is gone by now, too, and there is no second yet
    assert log.consumers.list(P)[0].missing == (1, 18)
    assert log.consumers.counts(P) == (1, 18)
    log.confirm("crm", *log.take("crm", 1))
    log.trim()
    (gap,) = log.gaps
    assert gap.detail == {"consumer": "crm", "kind": "group", "from": 9, "to": 18, "why": "away"}
    assert log.consumers.list(P)[0].missing is None
    log.write(3)
    log.trim()
    assert log.there[0] == 20  # it holds the log again


def test_gaps_do_not_beget_gaps(log: Log) -> None:
    log.limit(replace(GENEROUS, entries=3))
    for name in ("a", "b", "c"):
        log.join(name)
    log.write(6)
    for _ in range(10):
        log.trim()
    assert log.changelog.end(P) == 9


def test_what_was_never_confirmed_of_what_went_does_not_hold_the_log(log: Log) -> None:
    log.limit(replace(GENEROUS, entries=5))
    log.join("crm")
    log.write(10)
    log.take("crm", 4)  # and never confirms it
    log.trim()
    log.confirm("crm", *log.take("crm", 3))
    log.limit(GENEROUS)
    log.write(5)
    log.trim()
    assert log.there[0] == 12


def test_a_group_that_begins_at_the_beginning_is_missing_nothing(log: Log) -> None:
    log.write(10)
    log.trim()
    log.join("crm")
    log.write(5)
    log.trim()
    assert log.there == [*range(9, 16)]
    assert log.gaps == []


def test_a_group_that_is_forgotten_holds_nothing_and_its_gap_is_forgotten_with_it(log: Log) -> None:
    log.limit(replace(GENEROUS, entries=5))
    log.join("crm")
    log.write(1200)
    log.take("crm", 1100)
    log.trim()
    assert log.redis.hlen(keys.log_gaps(P)) == 1
    assert log.consumers.forget(P, "crm")
    assert not log.consumers.forget(P, "crm")
    log.write(1)
    log.trim()
    assert len(log.there) == 2
    assert log.redis.hlen(keys.log_gaps(P)) == 0
    assert log.consumers.list(P) == []


def test_of_very_much_that_goes_only_a_part_goes_at_once(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changelog, "TRIM_AT_MOST", 4)
    log.limit(replace(GENEROUS, entries=5))
    log.join("crm")
    log.write(12)
    log.trim()
    assert log.there[0] == 5
    for _ in range(5):
        log.trim()
    assert log.there == [12, 13]
    assert log.consumers.counts(P) == (1, 11)


def test_asking_how_far_everybody_is_tells_nobody(log: Log) -> None:
    log.limit(replace(GENEROUS, entries=5))
    log.join("crm", "7-0")
    log.join("slow", "1-0")
    log.write(10)
    log.redis.hset(keys.destination(P, "profiles"), "cursor", 9)
    assert log.changelog.passed(P) == 7
    log.consumers.forget(P, "crm")
    assert log.changelog.passed(P) == 9
    assert log.consumers.counts(P) == (0, 0)
    assert log.changelog.end(P) == 10
    assert len(log.there) == 10


def test_two_processes_that_trim_at_once_tell_once(log: Log) -> None:
    log.join("crm")
    log.write(10)
    for _ in range(2):
        Gaps(log.redis).write(P, [left_behind("group:crm", 1, 8, "entries")])
    assert log.consumers.counts(P) == (1, 8)
    assert len(log.gaps) == 1


def test_how_groups_stand_is_told(log: Log) -> None:
    log.limit(Limits(entries=20, bytes=1 << 20, age_s=600.0))
    log.join("search")
    log.join("crm")
    log.write(10)
    log.take("crm", 5)
    log.confirm("crm", 1, 2)
    crm, search = log.consumers.list(P)
    assert (crm.name, crm.position, crm.lag, crm.pending, crm.share) == ("crm", 2, 8, 3, 0.4)
    assert crm.idle_s is not None
    assert 0 <= crm.idle_s < 5
    assert (search.name, search.position, search.lag, search.pending) == ("search", 0, 10, 0)
    assert search.idle_s is None
    assert 0 <= search.lag_s < 5


# --- against a model ---------------------------------------------------------------------------------------

STEP = st.one_of(
    st.tuples(st.just("write"), st.integers(1, 9)),
    st.tuples(st.just("read"), st.integers(1, 9)),
    st.tuples(st.just("restart"), st.just(0)),
    st.tuples(st.just("trim"), st.just(0)),
)


@given(st.lists(STEP, max_size=40), st.integers(3, 12))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
def test_a_consumer_is_given_every_entry_or_told_of_it(
    redis_client: Redis, steps: list[tuple[str, int]], entries: int
) -> None:
    redis_client.flushall()
    log = Log(redis_client, replace(GENEROUS, entries=entries))
    log.join("crm")
    given_out: set[int] = set()
    told: set[int] = set()

    def listen() -> None:
        for entry in log.changelog.read(P, log.there[0] - 1 if log.there else 0, 10**6):
            if entry.kind == "gap":
                told.update(range(entry.detail["from"], entry.detail["to"] + 1))

    for kind, number in steps:
        if kind == "write":
            log.write(number)
        elif kind == "read":
            found = log.take("crm", number)
            given_out.update(found)
            log.confirm("crm", *found)
        elif kind == "restart":
            given_out.update(log.take("crm", 1))
        else:
            log.trim()
            assert len(log.there) <= entries + 3  # what is held, and gaps on top
        listen()
    while found := log.take("crm", 100):
        given_out.update(found)
        log.confirm("crm", *found)
    for _ in range(2):
        log.trim()
        listen()
    assert given_out | told >= set(range(1, log.changelog.end(P) - 1))
    assert log.consumers.counts(P)[1] >= len(told) > 0 or not told
