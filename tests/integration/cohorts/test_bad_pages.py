"""Pages and members that could stop a lane: each must cost no more than itself."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast
from unittest import mock

import orjson
import pytest

from app.cohorts.applying.run import MAX_TRIES, WORKERS_VANISH
from app.cohorts.applying.tasks import Tasks
from app.store import keys
from app.store.format import FORMAT, OtherFormatError
from tests.integration.cohorts.invariants import check_drained
from tests.integration.cohorts.relay import P, Relay, body_of
from tests.integration.cohorts.scale import scaled_down
from tests.model.wire import SentPage
from tests.redis_server import RedisServer

ONE_PORTION = 6
"""Log entries that one portion of a task makes at the most, at the test's scale."""
ADMIT = "app.cohorts.applying.pages.admit"


@pytest.fixture
def relay(redis_server: RedisServer) -> Iterator[Relay]:
    redis_server.flush()
    relay = Relay(redis_server)
    yield relay
    relay.close()


def add(*people: str, session: str = "1") -> SentPage:
    return SentPage(session, "add_members", 1, 1, people, at=0.0)


class Killed(BaseException):
    """What no code catches: to the lane, its worker is gone."""


def test_a_page_that_kills_every_worker_is_set_aside(relay: Relay) -> None:
    relay.accept(add("a"))
    with mock.patch("app.cohorts.applying.pages.Pages._name", side_effect=Killed):
        for _ in range(MAX_TRIES):
            with pytest.raises(Killed):
                relay.run()
            relay.plain.hset(keys.lane(P, "apply"), "lease", 0)
        relay.drain()
    ((_, kept),) = cast("list[Any]", relay.plain.xrange(keys.set_aside(P)))
    assert kept[b"reason"] == WORKERS_VANISH.encode()
    assert relay.members() == frozenset()
    check_drained(relay.plain)


def test_a_page_that_cannot_even_be_counted_is_kept_whole_and_its_cohort_is_suspect(relay: Relay) -> None:
    relay.accept(add("a"))
    with mock.patch(ADMIT, side_effect=ZeroDivisionError):
        for _ in range(MAX_TRIES - 1):
            assert relay.run().kind == "later"
        relay.drain()
    ((_, kept),) = cast("list[Any]", relay.plain.xrange(keys.set_aside(P)))
    assert kept[b"body"] == body_of(add("a"))
    assert kept[b"reason"].startswith(b"ZeroDivisionError at ")
    cohort = relay.cohorts.get(P, "c")
    assert cohort is not None
    assert cohort.suspect
    relay.accept(add("b", session="2"))
    relay.drain()
    assert relay.members() == {"b"}
    check_drained(relay.plain)


@pytest.mark.parametrize("vanished", [False, True])
def test_state_of_another_version_costs_no_page(relay: Relay, vanished: bool) -> None:
    relay.accept(add("a"))
    with mock.patch(ADMIT, side_effect=ZeroDivisionError):
        assert relay.run().kind == "later"
        relay.plain.set(keys.state_format(), FORMAT + 1)
        for _ in range(2 * MAX_TRIES):
            with pytest.raises(OtherFormatError):
                relay.run()
            relay.plain.hset(keys.lane(P, "apply"), mapping={"lease": 0, "lost": int(vanished)})
    assert relay.plain.xlen(keys.set_aside(P)) == 0
    assert cast("Any", relay.plain.hvals(keys.inbox_tries(P))) == [b"1"]
    relay.plain.delete(keys.state_format())
    relay.drain()
    assert relay.members() == {"a"}


def test_ids_that_mixpanel_refuses_are_quarantined_whatever_the_page_says_of_them(relay: Relay) -> None:
    relay.accept(SentPage("0", "members", 1, 1, ("a", "anonymous", "Anonymous"), at=0.0))
    relay.accept(add("undefined", "b", session="1"))
    relay.accept(SentPage("1", "remove_members", 1, 1, ("anonymous", "a"), at=0.0))
    relay.drain()
    assert relay.members() == {"Anonymous", "b"}
    named = {who for entry in relay.log() for who, _ in entry.entered} | {
        who for entry in relay.log() for who in entry.exited
    }
    assert named == {"a", "Anonymous", "b"}
    cohort = relay.cohorts.get(P, "c")
    assert cohort is not None
    assert (cohort.quarantined, cohort.suspect, cohort.partial) == (3, "", "")
    kept = cast("list[Any]", relay.plain.xrange(keys.quarantine(P)))
    assert {fields[b"reason"] for _, fields in kept} == {b"distinct_id_refused_by_mixpanel"}
    check_drained(relay.plain)


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize("levels", [240, 250, 900])
def test_a_property_nested_too_deeply_is_left_out_and_its_member_is_not(relay: Relay, levels: int) -> None:
    document = orjson.loads(body_of(add("a", "b"), plan="gold"))
    document["parameters"]["members"][0]["plan"] = "?"
    body = orjson.dumps(document).replace(b'"?"', b"[" * levels + b"1" + b"]" * levels)
    relay.accept_body(body)
    relay.drain()
    entered = {who: dict(exported) for entry in relay.log() for who, exported in entry.entered}
    assert entered["b"] == {"plan": "gold"}
    assert entered["a"] in ({}, {"plan": nested(levels)})
    check_drained(relay.plain)


def test_a_sync_is_complete_at_the_end_of_the_run_that_applied_its_last_page(relay: Relay) -> None:
    relay.accept(SentPage("0", "members", 1, 1, ("a",), at=0.0))
    relay.run()
    assert "sync.completed" in {entry.kind for entry in relay.log()}


def test_a_full_list_with_a_page_set_aside_takes_nobody_out_and_a_clean_one_ends_the_suspicion(
    relay: Relay,
) -> None:
    everybody = ("a", "b", "c", "d")
    relay.send(SentPage("0", "members", 1, 1, everybody, at=0.0))
    relay.accept(SentPage("1", "members", 1, 2, ("a", "b"), at=0.0))
    relay.drain()
    relay.accept(SentPage("1", "members", 2, 2, ("c",), at=0.0))
    with mock.patch("app.cohorts.applying.pages.Pages._name", side_effect=ZeroDivisionError):
        relay.drain()
    assert relay.members() == set(everybody)
    cohort = relay.cohorts.get(P, "c")
    assert cohort is not None
    assert cohort.suspect
    relay.send(SentPage("2", "members", 1, 1, ("a", "c"), at=1.0))
    assert relay.members() == {"a", "c"}
    cohort = relay.cohorts.get(P, "c")
    assert cohort is not None
    assert not cohort.suspect


def test_a_long_sweep_waits_for_the_logs_readers(relay: Relay) -> None:
    with scaled_down(chunk=2, load=2, list_limit=100_000):
        relay.send(SentPage("0", "members", 1, 1, tuple(f"p{number}" for number in range(60)), at=0.0))
        read = relay.changelog.end(P)
        relay.plain.hset(keys.destination(P, "profiles"), "cursor", read)
        with mock.patch("app.cohorts.applying.run.MAX_BACKLOG", 5):
            relay.accept(SentPage("1", "members", 1, 1, ("p0",), at=1.0))
            outcomes = set()
            for _ in range(40):
                outcomes.add(relay.run().kind)
                assert relay.changelog.backlog(P) <= 5 + ONE_PORTION
                relay.plain.hset(keys.destination(P, "profiles"), "cursor", relay.changelog.end(P))
        assert "later" in outcomes
        assert relay.members() == {"p0"}


def test_a_cohort_whose_tasks_fail_does_not_stop_the_others(relay: Relay) -> None:
    relay.accept(SentPage("0", "members", 1, 1, ("a",), at=0.0))
    relay.drain()
    relay.plain.zadd(keys.due(P), {"c": 0})
    with mock.patch("app.cohorts.applying.tasks.Tasks.run", side_effect=_fails_for("c")):
        relay.accept(replace(add("x"), cohort="d"))
        relay.run()
        assert relay.members("d") == {"x"}


def _fails_for(cohort_id: str) -> Any:
    run = Tasks.run

    def failing(_work: Any, record: Any) -> bool:
        if record.cohort_id == cohort_id:
            raise ZeroDivisionError
        return run(mock.Mock(), _work, record)

    return failing
