"""Skipping and rewinding a cursor: looked at first, then done to exactly that, while nothing runs."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from app.cohorts.commit import NewEntry
from app.destinations.identity.pending import PendingLinks
from app.destinations.moving.cursors import Cursors, OutdatedError, OutOfRangeError
from app.destinations.operating import Operating
from app.destinations.outbox import Outboxes
from app.destinations.waiting import hold
from app.lanes.lanes import LaneLost
from app.lanes.taking import LaneBusyError, NotPausedError
from app.lanes.work import LANES, PROFILES
from app.store import keys
from config.rules import DEFAULT_RULES, Operation, Rule, RuleSet
from tests.depth import DEPTH
from tests.integration.cohorts.faulty import FaultyRedis
from tests.integration.cohorts.relay import Clock, connect
from tests.integration.destinations.waiting_world import OUTBOX, WaitingWorld
from tests.integration.destinations.world import Mixpanel, P, World
from tests.integration.mixpanel.server import Reply
from tests.redis_server import RedisServer

COUNTING = RuleSet(
    (Rule(enter=(Operation("$union", "Cohorts", ["{cohort_name}"]), Operation("$add", "n", 1))),)
)
AWAY = Reply(503, b"{}")
Make = Callable[[str], WaitingWorld]


def cursors(world: World, outboxes: Outboxes | None = None) -> Cursors:
    outboxes = outboxes or Outboxes(world.redis, world.lanes, cap_bytes=10_000_000)
    return Cursors(world.redis, world.lanes, world.changelog, outboxes, PendingLinks(world.redis, outboxes))


def move(world: World, to: int, lane: str = PROFILES.name) -> None:
    """Pause, look, and do it; then let it go on."""
    made, operating = cursors(world), Operating(world.redis, world.lanes)
    operating.pause(P, lane, "ada", "")
    look = made.preview(world.project, LANES[lane], to)
    made.move(world.project, LANES[lane], to, look.confirmation)
    operating.resume(P, lane)


def test_what_is_skipped_is_never_sent_and_what_follows_is(world: World, mixpanel: Mixpanel) -> None:
    world.change(["ann"])
    world.change(["bob"], ["cyd"])
    world.change(["dan"])
    look = cursors(world).preview(world.project, PROFILES, 2)
    assert (look.action, look.entries, look.changes) == ("skip", 2, {"entered": 2, "exited": 1, "updated": 0})
    assert look.operations == {"$union": 2, "$remove": 1}
    assert look.twice == {}
    assert any("never sent" in sentence for sentence in look.means)
    assert any("exited keeps it" in sentence for sentence in look.means)
    move(world, 2)
    world.run()
    assert [record["$distinct_id"] for record in mixpanel.records] == ["dan"]
    assert world.hash()["cursor"] == "3"


def test_what_is_rewound_is_sent_again_and_what_counts_is_told_and_counts_twice(
    world: World, mixpanel: Mixpanel
) -> None:
    world.rules(COUNTING)
    world.change(["ann"])
    world.change(["bob"])
    world.run()
    look = cursors(world).preview(world.project, PROFILES, 1)
    assert (look.action, look.entries, look.twice) == ("rewind", 1, {"$add": 1})
    assert any("NOT REPEATABLE: 1 $add count" in sentence for sentence in look.means)
    move(world, 1)
    world.run()
    assert (mixpanel.profiles["ann"]["n"], mixpanel.profiles["bob"]["n"]) == (1, 2)
    assert mixpanel.cohorts_of("bob") == ["VIP"]


def test_what_goes_by_other_rules_is_counted_by_those(world: World) -> None:
    """As in the middle of a migration: what takes away old values is not told as nothing."""
    new = RuleSet((Rule(enter=(Operation("$union", "Lists", ["{cohort_name}"]),)),))
    for rules in (DEFAULT_RULES, new):
        world.redis.hset(keys.rule_sets(P), rules.digest, rules.to_json())
    about = ("1", world.known.cohorts["1"], "", 1)
    old = ((DEFAULT_RULES.digest, about[1]),)
    world._append_one(NewEntry("changes", "rules", *about, entered=["ann"], rules=new.digest, old_rules=old))
    look = cursors(world).preview(world.project, PROFILES, 1)
    assert look.operations == {"$remove": 1, "$union": 1}
    assert any("1 member of a rename or of a migration" in sentence for sentence in look.means)


def test_a_window_that_was_begun_is_forgotten_with_its_marks(world: World, mixpanel: Mixpanel) -> None:
    world.rules(COUNTING)
    world.change(["ann"])
    world.change(["bob"])
    mixpanel.script = lambda records: AWAY if any("$union" in record for record in records) else None
    world.run()
    assert world.hash()["window_end"] == "2"
    look = cursors(world).preview(world.project, PROFILES, 1)
    assert look.begun == 1
    assert any("counts twice" in sentence for sentence in look.means)
    move(world, 2)
    assert world.redis.exists(keys.destination_accepted(P, "profiles")) == 0
    assert {"window_end", "tries", "reason"} & world.hash().keys() == set()
    assert world.hash()["state"] == "ok"
    mixpanel.script = lambda _records: None
    before = len(mixpanel.batches)
    world.run()
    assert len(mixpanel.batches) == before


def test_only_what_is_paused_and_at_rest_is_moved(world: World) -> None:
    world.change(["ann"])
    made, operating = cursors(world), Operating(world.redis, world.lanes)
    look = made.preview(world.project, PROFILES, 1)
    with pytest.raises(NotPausedError):
        made.move(world.project, PROFILES, 1, look.confirmation)
    running = world.take()
    operating.pause(P, "profiles", "ada", "")
    with pytest.raises(LaneBusyError) as busy:
        made.move(world.project, PROFILES, 1, look.confirmation)
    assert 0 < busy.value.wait_s <= world.lanes.lease_s
    running.renew(inflight_s=30.0)  # and it dies, and the clock finds out
    world.redis.hset(running.key, "state", "queued")
    with pytest.raises(LaneBusyError) as busy:
        made.move(world.project, PROFILES, 1, look.confirmation)
    assert 20 < busy.value.wait_s <= 30
    assert world.hash().get("cursor") is None


def test_a_runner_that_wakes_up_afterwards_changes_nothing(world: World) -> None:
    world.change(["ann"])
    world.change(["bob"])
    frozen = world.take()
    world.cursor.open(frozen, 0, 2, b"{}", b"{}")
    world.redis.hset(frozen.key, "state", "queued")  # its lease ran out
    move(world, 1)
    with pytest.raises(LaneLost):
        world.cursor.advance(frozen, 0, 2)
    with pytest.raises(LaneLost):
        world.cursor.open(frozen, 1, 2, b"{}", b"{}")
    with pytest.raises(LaneLost):
        world.cursor.intend(frozen, ["ia"])
    assert world.hash()["cursor"] == "1"


def test_what_was_looked_at_is_what_is_done_or_nothing_is(world: World) -> None:
    world.change(["ann"])
    world.change(["bob"])
    made = cursors(world)
    look = made.preview(world.project, PROFILES, 2)
    world.run()
    world.change(["cyd"])
    Operating(world.redis, world.lanes).pause_project(P, "ada", "")
    again = made.preview(world.project, PROFILES, 3)
    with pytest.raises(OutdatedError):
        made.move(world.project, PROFILES, 3, look.confirmation)
    with pytest.raises(OutdatedError):
        made.move(world.project, PROFILES, 1, again.confirmation)
    assert world.hash()["cursor"] == "2"
    made.move(world.project, PROFILES, 3, again.confirmation)  # the project's pause will do
    assert world.hash()["cursor"] == "3"


def test_a_cursor_goes_back_only_as_far_as_the_log_is_there(world: World, redis_client: Redis) -> None:
    for name in ("ann", "bob", "cyd"):
        world.change([name])
    world.run()
    redis_client.xtrim(keys.log(P), minid="2-0", approximate=False)
    made = cursors(world)
    assert made.bounds(world.project, PROFILES).earliest == 1
    with pytest.raises(OutOfRangeError, match="between 1 and 3"):
        made.preview(world.project, PROFILES, 0)
    Operating(world.redis, world.lanes).pause(P, "profiles", "ada", "")
    look = made.preview(world.project, PROFILES, 1)
    original = made._checked

    def trimmed_meanwhile(*args: object) -> object:
        found = original(*args)  # type: ignore[arg-type]
        redis_client.xtrim(keys.log(P), minid="3-0", approximate=False)
        return found

    made._checked = trimmed_meanwhile  # type: ignore[method-assign,assignment]
    with pytest.raises(OutdatedError):
        made.move(world.project, PROFILES, 1, look.confirmation)
    assert world.hash()["cursor"] == "3"


def test_the_log_is_kept_for_who_was_rewound_and_trimmed_behind_who_skipped(world: World) -> None:
    world.changelog._keep = 0
    for name in ("ann", "bob", "cyd"):
        world.change([name])
    move(world, 2)
    assert cursors(world).bounds(world.project, PROFILES).earliest == 2


# --- outboxes --------------------------------------------------------------------------------------------


def test_submissions_that_are_skipped_are_dropped_and_counted_out(world: World) -> None:
    outboxes = Outboxes(world.redis, world.lanes, cap_bytes=10_000_000)
    for number in range(250):
        outboxes.submit(P, "groups", [b'{"$group_id":"%d","$set":{"a":1}}' % number] * 2)
    lane = LANES["groups-outbox"]
    look = cursors(world, outboxes).preview(world.project, lane, 230)
    assert (look.entries, look.records, look.operations) == (230, 460, {"$set": 460})
    move(world, 230, lane.name)
    assert outboxes.depth(P, "groups").records == 40
    assert sum(each.size for each in outboxes.read(P, "groups", 0, 1000)) == outboxes.depth(P, "groups").bytes
    with pytest.raises(OutOfRangeError, match="between 230 and 250"):
        cursors(world, outboxes).preview(world.project, lane, 229)


def test_submissions_of_a_window_that_was_begun_go_whole(make: Make, mixpanel: Mixpanel) -> None:
    world = make(OUTBOX)
    for number in range(150):
        world.submit({"$distinct_id": f"u{number}", "$add": {"n": 1}})
    mixpanel.script = lambda _records: AWAY
    world.run()
    assert int(world.redis.hget(keys.destination(P, OUTBOX), "window_end") or 0) == 150
    world.submit({"$distinct_id": "late", "$add": {"n": 1}})
    mixpanel.script = lambda _records: None
    move(world, 150, OUTBOX)
    assert world.outboxes.depth(P, "profiles").records == 1
    assert world.redis.exists(keys.destination_accepted(P, OUTBOX)) == 0
    before = len(mixpanel.batches)
    world.run()
    assert [each["$distinct_id"] for batch in mixpanel.batches[before:] for each in batch] == ["late"]


def test_nobody_waits_any_longer_for_links_that_are_skipped(world: World) -> None:
    outboxes = Outboxes(world.redis, world.lanes, cap_bytes=10_000_000)
    link = b'{"verb":"device","first":"%b","second":"d","allow_merge":false,"time_ms":1,"why":{}}'
    for user in (b"ann", b"bob"):
        outboxes.submit(P, "identity", [link % user])
    pending = PendingLinks(world.redis, outboxes)
    assert pending.pending(P, ["ann", "bob"]) == {"ann", "bob"}
    move(world, 1, "identity-outbox")
    assert pending.pending(P, ["ann", "bob", "$device:d"]) == {"bob", "$device:d"}
    assert world.redis.hlen(keys.identity_pending(P)) == 2


# --- waiting rooms ---------------------------------------------------------------------------------------


@pytest.fixture
def make(redis_server: RedisServer, redis_url: str, mixpanel: Mixpanel) -> Iterator[Make]:
    made: list[WaitingWorld] = []

    def world(lane: str) -> WaitingWorld:
        made.append(WaitingWorld(connect(redis_server, FaultyRedis, Clock()), mixpanel, lane))
        return made[-1]

    yield world
    for each in made:
        each.close()
        each.redis.close()


@pytest.fixture
def waiting(make: Make) -> WaitingWorld:
    return make(PROFILES.name)


def test_a_skipped_window_takes_what_it_put_into_the_waiting_room_with_it(
    waiting: WaitingWorld, mixpanel: Mixpanel
) -> None:
    waiting.log(["old"], linked={"old": "tablet"})
    waiting.run()  # `old` waits, of a window that is done
    waiting.log(["ann", "bob"], linked={"ann": "phone"})
    mixpanel.script = lambda _records: AWAY
    waiting.run()
    assert waiting.status_now().waiting == 4  # a member, and the device that it is linked with
    move(waiting, 2)
    mixpanel.script = lambda _records: None
    waiting.log(["ann", "old"])  # later updates, behind what waits
    waiting.run()
    assert waiting.trail("bob") == []
    waiting.pass_s(31)
    waiting.run()
    waiting.pass_s(31)
    waiting.run()
    assert waiting.trail("old") == ["+1", "+3"]
    assert waiting.trail("ann") == ["+3"]
    assert waiting.status_now().waiting == 0
    assert waiting.room.size(P) == (0, 0)


def test_a_window_that_is_begun_again_puts_everybody_into_the_room_once(
    waiting: WaitingWorld, mixpanel: Mixpanel
) -> None:
    waiting.log(["cyd"])
    waiting.run()
    waiting.log(["ann", "bob"], linked={"ann": "phone"})
    mixpanel.script = lambda _records: AWAY
    waiting.run()
    move(waiting, 0)
    mixpanel.script = lambda _records: None
    waiting.run()
    waiting.pass_s(31)
    waiting.run()
    assert waiting.trail("ann") == ["+2"]
    assert waiting.trail("bob") == ["+2"]
    assert waiting.trail("cyd") == ["+1", "+1"]
    assert waiting.status_now().waiting == 0


def test_skipping_twice_before_the_room_has_moved_on_leaves_nothing_of_either(
    waiting: WaitingWorld, mixpanel: Mixpanel
) -> None:
    waiting.log(["old"], linked={"old": "tablet"})
    waiting.run()
    mixpanel.script = lambda _records: AWAY
    for sequence, who in ((2, "ann"), (3, "eve")):
        waiting.log([who, "bob"], linked={who: f"phone-{who}"})
        waiting.run()
        move(waiting, sequence)
    mixpanel.script = lambda _records: None
    waiting.pass_s(31)
    waiting.run()
    assert waiting.trail("old") == ["+1"]
    assert waiting.trail("ann") == waiting.trail("eve") == waiting.trail("bob") == []
    assert waiting.room.size(P) == (0, 0)


def test_what_the_room_has_begun_to_send_is_sent_to_its_end(
    waiting: WaitingWorld, mixpanel: Mixpanel
) -> None:
    waiting.log(["ann", "bob"], linked={"ann": "phone"})
    mixpanel.script = lambda _records: AWAY
    waiting.run()
    waiting.pass_s(31)
    waiting.run()  # the room's window is begun, and fails
    assert waiting.redis.hexists(keys.destination(P, waiting.room.name), "window_end")
    move(waiting, 1)
    mixpanel.script = lambda _records: None
    waiting.run()
    assert waiting.trail("ann") == ["+1"]
    assert waiting.trail("bob") == []
    assert waiting.status_now().waiting == 0


def test_what_a_window_put_in_before_its_worker_died_is_forgotten_too(
    waiting: WaitingWorld, mixpanel: Mixpanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hold, "PROFILES_A_PART", 1)
    waiting.log(["ann", "bob"], linked={"ann": "phone", "bob": "tablet"})
    put, calls = waiting.room._hold, []

    def dies(**call: Any) -> Any:
        calls.append(call)
        if len(calls) > 1:
            raise RedisConnectionError
        return put(**call)

    monkeypatch.setattr(waiting.room, "_hold", dies)
    with pytest.raises(RedisConnectionError):
        waiting.run()
    monkeypatch.undo()
    waiting.redis.hset(keys.lane(P, "profiles"), "state", "queued")  # its lease ran out
    move(waiting, 1)
    waiting.run()
    assert waiting.room.size(P) == (0, 0)
    waiting.log(["ann"], linked={"ann": "phone"})
    for _ in range(2):
        waiting.run()
        waiting.pass_s(31)
    assert (waiting.trail("ann"), waiting.trail("bob")) == (["+2"], [])
    assert waiting.room.size(P) == (0, 0)


PEOPLE = ("ann", "bob", "cyd")
STEP = st.one_of(
    st.tuples(st.just("log"), st.sets(st.sampled_from(PEOPLE), min_size=1), st.booleans()),
    st.tuples(st.just("run"), st.booleans()),
    st.tuples(st.just("fail")),
    st.tuples(st.just("move"), st.floats(0, 1)),
)


@settings(max_examples=25 * DEPTH, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEP, max_size=14))
def test_everybody_gets_each_entry_as_often_as_the_cursor_passed_it_and_in_its_order(
    make: Make, mixpanel: Mixpanel, steps: list[tuple[Any, ...]]
) -> None:
    """The model: a run delivers what is behind the cursor, a failing one sends nothing, a move only moves."""
    mixpanel.profiles.clear()
    world = make(PROFILES.name)
    world.redis.flushall()
    log: list[set[str]] = []
    cursor = 0
    expected: dict[str, list[str]] = {each: [] for each in PEOPLE}

    def deliver() -> None:
        nonlocal cursor
        for number in range(cursor, len(log)):
            for each in log[number]:
                expected[each].append(f"+{number + 1}")
        cursor = len(log)

    for step in [*steps, ("run", True), ("run", True)]:
        match step:
            case ("log", people, linked):
                world.log(sorted(people), linked=dict.fromkeys(people, "phone") if linked else None)
                log.append(people)
            case ("run", later):
                world.run()
                deliver()
                if later:
                    world.pass_s(31)
                    world.run()
            case ("fail",):
                mixpanel.script = lambda _records: AWAY
                world.run()
                mixpanel.script = lambda _records: None
                if world.cursor_at() > cursor:  # all of the window wait for links: nothing was sent
                    deliver()
            case ("move", share):
                to = round(share * len(log))
                if to != cursor:
                    move(world, to)
                    cursor = to
    assert {each: world.trail(each) for each in PEOPLE} == expected
    assert world.room.size(P) == (0, 0)
    assert world.cursor_at() == len(log)
