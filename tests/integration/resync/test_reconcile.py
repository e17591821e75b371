"""Reconciles: exactly what differs from Mixpanel is made good, whatever happens meanwhile."""

from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from redis.exceptions import RedisError

from app.cohorts.applying.pages import SET_ASIDE
from app.destinations.operating import Operating
from app.mixpanel.errors import CredentialRefused, Retryable
from app.resync.resyncs import NoQueryAccess, NotExported
from app.resync.state import Wanted
from app.store import keys
from tests.depth import DEPTH
from tests.integration.cohorts.faulty import FaultyRedis, Line
from tests.integration.cohorts.invariants import check, check_drained
from tests.integration.cohorts.relay import PROJECT, P
from tests.integration.cohorts.scale import scaled_down
from tests.integration.resync.world import World
from tests.model.wire import COHORT, SentPage
from tests.redis_server import RedisServer

PEOPLE = tuple(f"u{number:02}" for number in range(20))


@pytest.fixture
def world(redis_server: RedisServer) -> Iterator[World]:
    redis_server.flush()
    made = World(redis_server)
    with scaled_down(chunk=2, load=2, list_limit=100_000):
        made.full(PEOPLE)
        made.mixpanel_has(PEOPLE)
        yield made
    made.close()


def test_planted_differences_are_repaired_and_nothing_else_is_touched(world: World) -> None:
    world.spoil(missing=("u01", "u02", "u03"), extra=("x", "y"))
    before = world.changelog.end(P)
    ended = world.through(world.ask().id)
    assert world.members() == set(PEOPLE)
    assert world.repairs() == ({"u01", "u02", "u03"}, {"x", "y"})
    assert (ended.state, ended.counts) == ("completed", {"read": 20, "entered": 3, "exited": 2})
    new = [entry for entry in world.log() if entry.sequence > before]
    assert sum(entry.changes for entry in new) == 5
    assert [entry.kind for entry in new if entry.kind != "changes"] == ["resync.started", "resync.completed"]
    check(world)
    check_drained(world.plain)


def test_exits_come_before_enters(world: World) -> None:
    world.spoil(missing=("u01",), extra=("x",))
    world.through(world.ask().id)
    of = [entry for entry in world.log() if entry.cause == "reconcile" and entry.kind == "changes"]
    assert [(len(entry.exited), len(entry.entered)) for entry in of] == [(1, 0), (0, 1)]


def test_without_differences_nothing_is_logged(world: World) -> None:
    ended = world.through(world.ask().id)
    assert (ended.state, world.repairs()) == ("completed", (set(), set()))


def test_a_dry_run_says_what_would_be_done_and_does_nothing(world: World) -> None:
    world.spoil(missing=("u01", "u02"), extra=("x",))
    before, members = world.changelog.end(P), world.members()
    ended = world.through(world.ask(Wanted("reconcile", dry_run=True)).id)
    assert ended.counts == {"read": 20, "entered": 2, "exited": 1}
    assert {kind: sorted(ids) for kind, ids in ended.sample.items()} == {
        "entered": ["u01", "u02"],
        "exited": ["x"],
    }
    assert (world.changelog.end(P), world.members()) == (before, members)
    check(world)


def test_whoever_a_page_names_meanwhile_is_left_alone(world: World) -> None:
    world.spoil(missing=("u01",), extra=("x",))
    asked = world.ask()
    world.read()  # counts
    world.drain()  # begins
    world.query.slots = 2
    assert world.read().kind == "later"
    world.diff(added=("new", "x"), removed=("u05", "u19"), session="d1")
    world.query.slots = None
    ended = world.through(asked.id)
    assert world.members() == (set(PEOPLE) | {"new", "x"}) - {"u05", "u19"}
    assert ended.counts == {"read": 20, "entered": 1, "left_alone": 4}
    check(world)


def test_who_left_long_ago_by_a_page_that_is_forgotten_does_not_come_back(world: World) -> None:
    asked = world.ask()
    world.read()
    world.drain()
    world.query.slots = 2
    world.read()
    world.diff(added=(), removed=("u05",), session="d1")
    for number in range(2, 9):  # by now nobody remembers that u05 was there
        world.diff(added=(f"n{number}",), removed=(), session=f"d{number}")
    world.query.slots = None
    world.through(asked.id)
    assert "u05" not in world.members()
    check(world)


def test_an_export_that_had_begun_before_wins_too(world: World) -> None:
    world.clock.now_s += 1800.0
    send_part(world, 1, ("n1",))
    asked = world.ask()
    world.read()
    world.drain()
    world.query.slots = 2
    world.read()
    send_part(world, 2, ("n2",))
    world.query.slots = None
    world.through(asked.id)
    assert world.members() == set(PEOPLE) | {"n1", "n2"}
    check(world)


def send_part(world: World, number: int, members: tuple[str, ...]) -> None:
    world.accept(SentPage("long", "add_members", number, 3, members, world.clock.now_s))
    world.drain()


def test_the_next_sync_names_whom_it_brought_in_without_alarm_and_removes_nobody_for_it(
    world: World,
) -> None:
    """Whoever joined since the last sync is repaired early; the sync that follows adds them all the same."""
    joined = [f"j{number:02}" for number in range(40)]
    world.mixpanel_has([*PEOPLE[1:], *joined])
    world.through(world.ask().id)
    world.diff(added=joined, removed=("u00",), session="d1")
    assert world.members() == {*PEOPLE[1:], *joined}
    world.diff(added=(), removed=("j00",), session="d2")
    assert world.members() == {*PEOPLE[1:], *joined[1:]}
    check(world)


def test_it_waits_exactly_as_long_as_the_budget_says(world: World) -> None:
    asked = world.ask()
    world.read()
    world.drain()
    world.query.slots = 3
    outcome = world.read()
    assert (outcome.kind, outcome.delay_s) == ("later", 1234.5)
    found = world.resyncs.get(asked.id)
    assert found
    assert (found.state, found.pages, found.read) == ("reading", 3, 9)
    world.query.slots = None
    world.through(asked.id)
    assert [page for page, _ in world.query.asked] == list(range(7)), "no page is asked for twice"


def test_it_goes_on_at_the_page_where_it_stopped_after_faults(world: World) -> None:
    world.spoil(missing=("u01",))
    asked = world.ask()
    world.read()
    world.drain()
    world.query.errors = [Retryable("the server answered 503", status=503)]
    outcome = world.read()
    assert outcome.kind == "later"
    assert outcome.delay_s >= 2
    assert world.through(asked.id).state == "completed"
    assert world.members() == set(PEOPLE)


def test_a_session_that_mixpanel_forgot_is_begun_anew_and_nothing_of_it_counts(world: World) -> None:
    asked = world.ask()
    world.read()
    world.drain()
    world.query.slots = 3
    world.read()
    world.query.sessions.clear()
    world.mixpanel_has(PEOPLE[10:])
    world.query.slots = None
    ended = world.through(asked.id)
    assert world.members() == set(PEOPLE[10:])
    assert ended.counts == {"read": 10, "exited": 10}


def test_nobody_goes_when_a_part_of_what_was_read_is_lost(world: World) -> None:
    asked = world.ask()
    world.read()
    world.drain()
    world.query.slots = 3
    world.read()
    lost = next(iter(world.plain.scan_iter("*:resync:read:*")))
    world.plain.delete(lost)
    world.query.slots = None
    ended = world.through(asked.id)
    assert (ended.state, ended.reason) == ("failed", "a part of what was read is gone from Redis")
    assert world.members() == set(PEOPLE)
    check(world)


@pytest.mark.parametrize("lacking", ["not listed", "credential", "nobody"])
def test_nobody_goes_when_mixpanel_cannot_be_read(world: World, lacking: str) -> None:
    asked = world.ask()
    if lacking == "not listed":
        world.query.listed = False
    if lacking == "credential":
        world.query.errors = [CredentialRefused(403, "the credential was refused (403)")]
    world.read()
    if lacking == "nobody":
        world.mixpanel_has(())
    ended = world.through(asked.id)
    assert (ended.state, bool(ended.reason)) == ("failed", True)
    assert world.members() == set(PEOPLE)
    assert world.log()[-1].kind == "resync.failed"
    check(world)


def test_an_empty_cohort_is_emptied(world: World) -> None:
    world.mixpanel_has(())
    assert world.through(world.ask().id).counts == {"read": 0, "exited": 20}
    assert world.members() == set()
    check(world)


def test_a_lost_copy_is_restored(world: World) -> None:
    world.spoil(missing=PEOPLE)
    assert world.members() == set()
    world.through(world.ask().id)
    assert world.members() == set(PEOPLE)
    check(world)


def test_properties_are_compared_where_they_are_read(world: World) -> None:
    world.full(PEOPLE, session="s2", plan="basic")
    world.mixpanel_has(PEOPLE, plan="basic")
    world.query.present["u03"] = {"plan": "pro", "other": 1}
    world.query.present["new"] = {"plan": "pro"}
    ended = world.through(world.ask(Wanted("reconcile", output_properties=("plan",))).id)
    assert ended.counts == {"read": 21, "entered": 1, "updated": 1}
    of = [entry for entry in world.log() if entry.cause == "reconcile" and entry.kind == "changes"]
    assert [each for entry in of for each in entry.updated] == [("u03", {"plan": "pro"})]
    assert [each for entry in of for each in entry.entered] == [("new", {"plan": "pro"})]
    again = world.through(world.ask(Wanted("reconcile", output_properties=("plan",))).id)
    assert again.counts == {"read": 21}
    check(world)


def test_only_what_a_rule_uses_can_be_read(world: World) -> None:
    with pytest.raises(NotExported):
        world.ask(Wanted("reconcile", output_properties=("plan", "email")))


def test_without_a_service_account_it_is_refused(world: World) -> None:
    with pytest.raises(NoQueryAccess):
        world.resyncs.ask(PROJECT, COHORT, Wanted("reconcile"))


def test_a_complete_one_clears_doubts_and_a_dry_run_does_not(world: World) -> None:
    world.diff(added=("a",), removed=(), session="d1")
    record = keys.cohort(P, COHORT)
    world.plain.hset(record, mapping={"suspect": SET_ASIDE})
    world.through(world.ask(Wanted("reconcile", dry_run=True)).id)
    assert world.plain.hget(record, "suspect") == SET_ASIDE.encode()
    world.through(world.ask().id)
    assert world.plain.hget(record, "suspect") == b""


@pytest.mark.parametrize("turns", range(4))
def test_it_can_be_cancelled_at_any_time_and_leaves_nothing_behind(world: World, turns: int) -> None:
    world.spoil(missing=("u01",))
    asked = world.ask()
    world.query.slots = turns
    for _ in range(turns):
        world.turn()
    assert world.resyncs.cancel(asked.id)
    world.drain()
    world.query.slots = None
    assert world.through(asked.id).state == "cancelled"
    world.read()
    check(world)
    assert not list(world.plain.scan_iter("*:resync:read:*"))
    assert world.plain.zcard(keys.resyncs_due(P)) == 0
    assert world.ask().id != asked.id


def test_what_was_read_is_dropped_at_the_end(world: World) -> None:
    world.diff(added=(), removed=("u01",), session="d1")
    world.through(world.ask().id)
    world.read()
    left = [key for name in ("read", "gone") for key in world.plain.scan_iter(f"*:resync:{name}:*")]
    assert left == []
    assert world.plain.zcard(keys.resyncs_due(P)) == 0


@pytest.mark.timeout(1800)  # a deep run breaks it at every command
def test_a_connection_that_breaks_at_any_command_changes_nothing_in_the_end(
    redis_server: RedisServer,
) -> None:
    """Both lanes, differences, and pages in the middle of the reading; the worker dies at every step."""
    people = PEOPLE[:6]

    def story(world: World) -> None:
        again(lambda: world.full(people))
        again(world.drain)
        assert isinstance(world.redis, FaultyRedis)
        line, world.redis.line = world.redis.line, Line()  # what plants the differences is no worker
        world.spoil(missing=("u01", "u02", "u03"), extra=("x", "y"))
        world.redis.line = line
        again(world.drain)
        world.mixpanel_has(people)
        asked = world.ask()
        world.query.slots = 2
        for _ in range(3):
            again(world.turn)
        again(lambda: world.diff(added=("n",), removed=("u05",), session="d1"))
        again(lambda: world.diff(added=("n",), removed=("u05",), session="d1"))
        world.query.slots = None
        for _ in range(60):
            again(world.turn)
        found = world.resyncs.get(asked.id)
        assert found
        assert found.state == "completed"
        counts = {name: found.counts[name] for name in ("entered", "exited", "left_alone")}
        assert counts == {"entered": 3, "exited": 2, "left_alone": 2}

    with scaled_down(chunk=2, load=2, list_limit=100_000):
        undisturbed = Line()
        told(redis_server, story, undisturbed)
        for place in range(5, undisturbed.sent, 1 if DEPTH > 1 else 53):
            for answer_lost in (False, True):
                told(redis_server, story, Line(place, answer_lost=answer_lost))


def told(server: RedisServer, story: Callable[[World], None], line: Line) -> None:
    server.flush()
    world = World(server, FaultyRedis)
    try:
        assert isinstance(world.redis, FaultyRedis)
        world.redis.line = line
        story(world)
        check(world)
        check_drained(world.plain)
        assert world.members() == (set(PEOPLE[:6]) | {"n"}) - {"u05"}
        assert world.repairs() == ({"u01", "u02", "u03"}, {"x", "y"})
        assert not list(world.plain.scan_iter("*:resync:read:*"))
    finally:
        world.close()


def again(do: Callable[[], object]) -> None:
    with suppress(RedisError):
        do()
        return
    do()


def test_nothing_is_asked_of_mixpanel_while_the_project_is_paused(world: World) -> None:
    world.spoil(missing=("u01",))
    asked = world.ask()
    operating = Operating(world.plain, world.lanes)
    operating.pause_project(P, "ada", "their maintenance")
    for _ in range(5):
        world.turn()
    assert world.query.asked == []
    assert world.members() == set(PEOPLE) - {"u01"}
    operating.resume_project(P, [])
    assert world.through(asked.id).state == "completed"
    assert world.members() == set(PEOPLE)
