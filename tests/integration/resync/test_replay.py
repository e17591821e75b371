"""Replays: everybody who is in the cohort is logged once more, whatever happens meanwhile."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from redis.exceptions import RedisError

from app.cohorts.applying.run import BUSY_BACKLOG
from app.lanes.work import APPLY, PROFILES
from app.resync.resyncs import Resyncs, UnderWay, UnknownCohort
from app.resync.state import ResyncState, Wanted
from app.store import keys
from tests.depth import DEPTH
from tests.integration.cohorts.faulty import FaultyRedis, Line
from tests.integration.cohorts.invariants import check, check_drained
from tests.integration.cohorts.relay import P, Relay
from tests.integration.cohorts.scale import scaled_down
from tests.model.notation import parse
from tests.model.wire import COHORT, SentPage
from tests.redis_server import RedisServer

MEMBERS = tuple(f"u{number}" for number in range(1, 13))
REPLAY = Wanted("replay")


@pytest.fixture
def relay(redis_server: RedisServer) -> Iterator[Relay]:
    redis_server.flush()
    made = Relay(redis_server)
    with scaled_down(chunk=2, load=2, list_limit=100_000):
        made.send(SentPage("s", "members", 1, 1, MEMBERS, 0.0))
        yield made
    made.close()


def resyncs_of(relay: Relay) -> Resyncs:
    return Resyncs(relay.plain, relay.lanes, relay.cohorts)


def replayed(relay: Relay) -> Counter[str]:
    return Counter(
        distinct_id
        for entry in relay.log()
        if entry.cause == "replay" and entry.kind == "changes"
        for distinct_id, _ in entry.entered
    )


def deliver(relay: Relay) -> None:
    """Let the profiles destination have read all that there is."""
    relay.plain.hset(keys.destination(P, PROFILES.name), "cursor", relay.changelog.end(P))


def run_through(relay: Relay, resyncs: Resyncs, resync_id: str) -> ResyncState:
    """Let the lane run, and what it logs be delivered, until the resync has ended."""
    for _ in range(100):
        deliver(relay)
        relay.clock.now_s += 1.0
        relay.drain()
        found = resyncs.get(resync_id)
        assert found is not None
        if found.ended:
            return found
    raise AssertionError("it does not end")


def test_everybody_is_logged_once_more_and_nobody_else(relay: Relay) -> None:
    relay.send(*parse("+1{x} -1{u1,u2}"))
    resyncs = resyncs_of(relay)
    asked = resyncs.ask(relay.project, COHORT, REPLAY)
    ended = run_through(relay, resyncs, asked.id)
    expected = (set(MEMBERS) | {"x"}) - {"u1", "u2"}
    assert replayed(relay) == Counter(expected)
    assert (ended.state, ended.counts, ended.members) == ("completed", {"replayed": 11}, 11)
    kinds = [(entry.kind, entry.detail.get("replayed")) for entry in relay.log() if "resync" in entry.kind]
    assert kinds == [("resync.started", None), ("resync.completed", 11)]
    check(relay)
    check_drained(relay.plain)


def test_a_dry_run_says_how_many_and_shows_some_and_logs_nothing(relay: Relay) -> None:
    before = relay.changelog.end(P)
    resyncs = resyncs_of(relay)
    ended = run_through(relay, resyncs, resyncs.ask(relay.project, COHORT, Wanted("replay", dry_run=True)).id)
    assert (ended.state, ended.counts) == ("completed", {"replayed": 12})
    assert ended.sample["replayed"]
    assert set(ended.sample["replayed"]) <= set(MEMBERS)
    assert relay.changelog.end(P) == before


def test_it_waits_while_the_profiles_destination_is_behind(relay: Relay) -> None:
    resyncs = resyncs_of(relay)
    deliver(relay)
    asked = resyncs.ask(relay.project, COHORT, REPLAY)
    behind = relay.changelog.end(P) - BUSY_BACKLOG
    relay.plain.hset(keys.destination(P, PROFILES.name), "cursor", behind)
    relay.drain()
    assert not replayed(relay)
    assert relay.lanes.sweep(P, APPLY) == 0, "it must not spin"
    assert run_through(relay, resyncs, asked.id).state == "completed"
    assert replayed(relay) == Counter(MEMBERS)


def test_pages_go_first_and_one_step_is_taken_between_two(relay: Relay) -> None:
    deliver(relay)
    resyncs_of(relay).ask(relay.project, COHORT, REPLAY)
    for number in range(3):
        relay.accept(SentPage(f"p{number}", "add_members", 1, 1, (f"n{number}",), relay.clock.now_s))
    relay.drain()
    causes = [entry.cause for entry in relay.log() if entry.kind == "changes"]
    first, last = causes.index("replay"), len(causes) - 1 - causes[::-1].index("sync")
    assert first < last
    assert causes[first:last].count("replay") <= 3


def test_it_can_be_cancelled(relay: Relay) -> None:
    resyncs = resyncs_of(relay)
    deliver(relay)
    asked = resyncs.ask(relay.project, COHORT, REPLAY)
    relay.run(turns=3)
    assert resyncs.cancel(asked.id)
    ended = run_through(relay, resyncs, asked.id)
    assert ended.state == "cancelled"
    assert sum(replayed(relay).values()) < len(MEMBERS)
    assert not resyncs.cancel(asked.id)
    assert resyncs.ask(relay.project, COHORT, REPLAY).id != asked.id
    check(relay)


def test_a_second_one_of_the_same_cohort_is_refused_and_says_which_is_under_way(relay: Relay) -> None:
    resyncs = resyncs_of(relay)
    asked = resyncs.ask(relay.project, COHORT, REPLAY)
    with pytest.raises(UnderWay) as refused:
        resyncs.ask(relay.project, COHORT, REPLAY)
    assert refused.value.resync_id == asked.id


def test_a_cohort_that_nobody_heard_of_cannot_be_resynced(relay: Relay) -> None:
    with pytest.raises(UnknownCohort):
        resyncs_of(relay).ask(relay.project, "nobody", REPLAY)


def test_resyncs_are_listed_the_newest_first(relay: Relay) -> None:
    resyncs = resyncs_of(relay)
    ids = []
    for _ in range(3):
        ids.append(resyncs.ask(relay.project, COHORT, Wanted("replay", dry_run=True)).id)
        run_through(relay, resyncs, ids[-1])
    first, next_ = resyncs.list(P, limit=2)
    second, end = resyncs.list(P, limit=2, before=next_)
    assert ([each.id for each in first + second], end) == (ids[::-1], None)
    assert resyncs.list(P, cohort_id="other") == ([], None)


def test_a_connection_that_breaks_at_any_command_leaves_nobody_out(redis_server: RedisServer) -> None:
    def story(relay: Relay) -> ResyncState:
        resyncs = resyncs_of(relay)
        again(relay, lambda: relay.accept(SentPage("s", "members", 1, 1, MEMBERS[:5], 0.0)))
        again(relay, relay.drain)
        asked = resyncs.ask(relay.project, COHORT, REPLAY)
        for page in parse("+1{x} -1{u1}"):
            again(relay, lambda page=page: relay.accept(page))  # type: ignore[misc]  # the loop's page
        for _ in range(100):
            deliver(relay)
            relay.clock.now_s += 1.0
            again(relay, relay.drain)
            found = resyncs.get(asked.id)
            assert found
            if found.ended:
                return found
        raise AssertionError("it does not end")

    with scaled_down(chunk=2, load=2, list_limit=100_000):
        undisturbed = Line()
        told(redis_server, story, undisturbed)
        for place in range(3, undisturbed.sent, 1 if DEPTH > 1 else 11):
            for answer_lost in (False, True):
                told(redis_server, story, Line(place, answer_lost=answer_lost))


def told(server: RedisServer, story: Callable[[Relay], ResyncState], line: Line) -> None:
    server.flush()
    relay = Relay(server, FaultyRedis)
    try:
        assert isinstance(relay.redis, FaultyRedis)
        relay.redis.line = line
        ended = story(relay)
        check(relay)
        check_drained(relay.plain)
        assert ended.state == "completed"
        stayed = set(MEMBERS[1:5])
        assert stayed <= set(replayed(relay)) <= stayed | {"u1", "x"}
        assert max(replayed(relay).values()) == 1
    finally:
        relay.close()


def again(relay: Relay, do: Callable[[], object]) -> None:
    with suppress(RedisError):
        do()
        return
    do()
