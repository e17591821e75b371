from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis

from app.cohorts.changelog import Entry
from app.cohorts.commit import candidate_generation
from app.feed.blocks import LIVES_S, MOST_ENTRIES, Blocks
from app.feed.event import Event
from app.feed.filter import EventFilter
from app.feed.position import BEGINNING, Position
from app.feed.reading import Feed
from app.feed.types import GAP, PREFIX
from app.installation.restored import Restoring
from tests.depth import DEPTH
from tests.integration.feed.written_log import P, WrittenLog
from tests.unit.destinations.entries import entry
from tests.unit.feed.logs import Subscriber, entries, implied
from tests.waiting import wait_until

SYNCED = f"{PREFIX}sync.completed"


@pytest.fixture
def feed(written: WrittenLog) -> Feed:
    return Feed(written.redis)


def everything(feed: Feed, after: Position = BEGINNING, **how: Any) -> list[Event]:
    """Read until there is no more."""
    events: list[Event] = []
    while True:
        window = feed.read(P, after, **how)
        events += window.events
        after = window.after
        if not window.more:
            return events


@settings(max_examples=25 * DEPTH, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(entries(), st.integers(0, 2**32))
def test_from_the_stream_a_subscriber_that_is_cut_off_has_exactly_the_members_implied(
    written: WrittenLog, log: list[Entry], seed: int
) -> None:
    chance = Random(seed)
    written.lose()
    feed, subscriber, at = Feed(written.redis), Subscriber(), BEGINNING
    there, more = 0, True
    while there < len(log) or more:
        grown = chance.randint(0, len(log) - there)
        written.write(log[there : there + grown])
        there += grown
        window = feed.read(P, at, batch=chance.choice((1, 2, 1000)), max_events=chance.randint(1, 5))
        for event in window.events:
            subscriber.take(event)
        kept = chance.randint(0, len(window.events))
        if kept == len(window.events):
            at, more = window.after, window.more
        else:  # crashed before it confirmed the rest
            at, more = (window.events[kept - 1].after if kept else at), True
        if chance.random() < 0.3:
            feed = Feed(written.redis)
    assert subscriber.membership == implied(log)


def test_whoever_begins_at_the_end_is_told_what_comes_now(written: WrittenLog, feed: Feed) -> None:
    written.tell(3)
    at = feed.end(P)
    assert feed.read(P, at).events == ()
    written.tell()
    assert [event.id for event in feed.read(P, at).events] == [f"{at.generation}-4-1"]


def test_an_empty_log_can_be_begun_before_it_is_written(written: WrittenLog, feed: Feed) -> None:
    at = feed.end(P)
    assert feed.read(P, at).after == at
    written.tell()
    assert [event.type for event in feed.read(P, at).events] == [SYNCED]


def test_a_bare_sequence_is_a_place_to_begin(written: WrittenLog, feed: Feed) -> None:
    written.tell(5)
    assert [event.position.sequence for event in everything(feed, Position.parse("3"))] == [4, 5]


def test_what_the_filter_leaves_out_is_passed_over(written: WrittenLog, feed: Feed) -> None:
    written.tell(120)
    window = feed.read(P, BEGINNING, EventFilter.parse(types=["members.*"]))
    assert window.events == ()
    assert window.after == feed.end(P)
    assert not window.more


def test_a_call_looks_at_some_hundred_entries_and_says_that_there_is_more(
    written: WrittenLog, feed: Feed
) -> None:
    written.write(entry(number, kind="sync.completed") for number in range(1, MOST_ENTRIES + 60))
    window = feed.read(P, BEGINNING, EventFilter.parse(types=["members.*"]))
    assert window.more
    assert window.after == Position("g1", MOST_ENTRIES)
    assert not feed.read(P, window.after, EventFilter.parse(types=["members.*"])).more


def test_what_was_trimmed_is_one_gap_however_much_it_was(written: WrittenLog, feed: Feed) -> None:
    written.write(entry(number, kind="sync.completed") for number in (1, 2, 3_001, 3_002))
    at = Position("g1", 2)
    first, *rest = everything(feed, at)
    assert first.type == GAP
    assert first.data == {"from": 3, "to": 3_000, "reason": "trimmed", "generation": "g1"}
    assert [event.position.sequence for event in rest] == [3_001, 3_002]
    assert [event.id for event in everything(feed, first.after)] == [event.id for event in rest]
    assert [event.id for event in everything(feed, Position.parse(first.id))] == [event.id for event in rest]


def test_a_log_that_was_trimmed_to_its_end_is_a_gap_too(written: WrittenLog, feed: Feed) -> None:
    written.tell(5)
    written.trim(5)
    (lost,) = everything(feed, Position.parse("2"))
    assert (lost.data["from"], lost.data["to"]) == (3, 5)
    written.tell()
    assert [event.position.sequence for event in everything(feed, lost.after)] == [6]


def test_whoever_was_told_everything_that_was_trimmed_is_told_of_no_gap(
    written: WrittenLog, feed: Feed
) -> None:
    written.write([entry(1, entered="ab"), entry(2, entered="c", exited="d")])
    last = everything(feed)[-1]
    written.trim(2)
    written.write([entry(3, kind="sync.completed")])
    assert [event.type for event in everything(Feed(written.redis), last.after)] == [SYNCED]


def test_a_log_that_lost_its_end_is_a_gap_and_goes_on(written: WrittenLog, feed: Feed) -> None:
    written.tell(5)
    at = feed.end(P)
    assert len(everything(feed)) == 5
    written.cut(3, [4, 5])
    (lost,) = everything(feed, at)
    assert lost.data == {"from": 4, "to": 5, "reason": "rewound", "generation": at.generation}
    written.tell(2, "sync.started")
    told = everything(feed, lost.after)
    assert [(event.position.sequence, event.type) for event in told] == [
        (4, f"{PREFIX}sync.started"),
        (5, f"{PREFIX}sync.started"),
    ]


def test_another_generation_is_a_gap_and_its_log_is_told_from_its_beginning(
    written: WrittenLog, feed: Feed
) -> None:
    written.tell(5)
    at = feed.end(P)
    written.lose()
    assert feed.read(P, at).events == ()
    written.write([entry(1, kind="sync.completed"), entry(2, kind="sync.completed")])
    lost, *rest = everything(feed, at)
    assert lost.data == {"from": 6, "to": None, "reason": "new_generation", "generation": at.generation}
    assert lost.id == "g1-1-0"
    assert [event.id for event in rest] == ["g1-1-1", "g1-2-1"]


def test_a_restored_log_is_told_once_to_its_end_although_its_entries_are_of_the_generation_before(
    written: WrittenLog, feed: Feed
) -> None:
    written.tell(30)
    at = feed.end(P)
    wait_until(lambda: candidate_generation() != at.generation)
    restored = Restoring(written.redis).run(P)
    written.tell(3)
    told: list[Event] = []
    for _ in range(4):
        window = feed.read(P, at, max_events=20)
        told += window.events
        at = window.after
    lost, *rest = told
    assert lost.data == {
        "from": 31,
        "to": None,
        "reason": "new_generation",
        "generation": restored.before,
    }
    assert [event.id for event in rest] == [f"{restored.generation}-{each}-1" for each in range(1, 34)]


def test_an_end_that_is_out_of_date_does_no_harm(written: WrittenLog, feed: Feed) -> None:
    written.tell(2)
    stale = feed.end(P)
    written.tell(2)
    assert feed.read(P, Position(stale.generation, 3), end=stale).after == feed.end(P)
    assert [e.position.sequence for e in feed.read(P, BEGINNING, end=stale).events] == [1, 2]


def test_the_very_event_comes_again_although_the_log_has_grown(written: WrittenLog, feed: Feed) -> None:
    written.write([entry(1, entered="ab"), entry(2, entered="cd")])
    (told,) = feed.read(P, BEGINNING, max_events=1).events
    written.write([entry(3, entered="ef")])
    assert feed.read(P, BEGINNING, max_events=1).events != (told,)
    again = feed.read(P, BEGINNING, max_events=1, upto=told.after)
    assert again.events == (told,)
    assert not again.more


class Counting:
    """Counts what is read of the stream."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self.ranges = 0

    def xrange(self, *args: Any, **kwargs: Any) -> Any:
        self.ranges += 1
        return self._redis.xrange(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._redis, name)


def test_a_thousand_readers_at_one_place_read_the_stream_once(written: WrittenLog) -> None:
    counting: Any = Counting(written.redis)
    feed = Feed(counting)
    written.tell(40)
    end = feed.end(P)
    for number in range(1_000):
        feed.read(P, Position(end.generation, 30 + number % 10), max_events=1)
    assert counting.ranges == 1
    written.tell()
    for _ in range(10):
        assert len(feed.read(P, end).events) == 1
    assert counting.ranges == 2


def test_what_is_remembered_is_read_anew_after_a_while(written: WrittenLog) -> None:
    now = [0.0]
    written.tell(3)
    generation = Feed(written.redis).end(P).generation
    blocks = Blocks(written.redis, lambda: now[0])
    assert len(blocks.read(P, generation, 1, 3)[0]) == 3
    written.trim(2)
    assert len(blocks.read(P, generation, 1, 3)[0]) == 3
    now[0] = LIVES_S + 1
    assert len(blocks.read(P, generation, 1, 3)[0]) == 1


def test_what_is_too_old_goes_with_the_next_block_that_is_read(written: WrittenLog) -> None:
    now = [0.0]
    blocks = Blocks(written.redis, clock=lambda: now[0])
    written.tell(120)
    for first in (1, 51):
        blocks.read(P, "g", first, 120)
    now[0] = LIVES_S + 1
    blocks.read(P, "g", 101, 120)
    assert [number for _, _, number in blocks._blocks] == [2]
    assert blocks._size == sum(block.size for block in blocks._blocks.values())


def test_going_further_does_not_let_what_was_read_before_live_longer(written: WrittenLog) -> None:
    now = [0.0]
    written.tell(3)
    generation = Feed(written.redis).end(P).generation
    blocks = Blocks(written.redis, lambda: now[0])
    blocks.read(P, generation, 1, 3)
    written.tell()
    now[0] = LIVES_S - 1
    blocks.read(P, generation, 1, 4)
    written.trim(3)
    now[0] = LIVES_S + 1
    assert len(blocks.read(P, generation, 1, 4)[0]) == 1


def test_what_was_trimmed_is_not_looked_for_block_by_block(written: WrittenLog) -> None:
    counting: Any = Counting(written.redis)
    written.write([entry(100_001, kind="sync.completed")])
    assert [event.type for event in everything(Feed(counting))] == [GAP, SYNCED]
    assert counting.ranges <= 4


def test_no_more_is_remembered_than_is_allowed(written: WrittenLog) -> None:
    counting: Any = Counting(written.redis)
    blocks = Blocks(counting, most_bytes=1)
    written.tell(120)
    generation = Feed(written.redis).end(P).generation
    for first in (1, 51, 1, 51):
        blocks.read(P, generation, first, 120)
    assert counting.ranges == 4
    blocks.read(P, generation, 60, 120)
    assert counting.ranges == 4
