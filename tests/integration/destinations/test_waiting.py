"""The profile updates of a member that is being linked wait for its link, those of others do not."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, cast

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import OutOfMemoryError

from app.destinations.operating import Operating
from app.destinations.plan import HeldBack
from app.destinations.waiting import gate
from app.destinations.waiting.hold import Hold
from app.lanes.lanes import LaneLost
from app.lanes.work import PROFILES
from app.store import keys
from config.rules import DEFAULT_RULES, RuleSet
from tests.conftest import StartRedis
from tests.integration.cohorts.faulty import FaultyRedis, Line
from tests.integration.cohorts.relay import Clock, connect
from tests.integration.destinations.waiting_world import OUTBOX, WaitingWorld
from tests.integration.destinations.world import Mixpanel, P, refused
from tests.integration.mixpanel.server import Reply
from tests.redis_server import RedisServer

Make = Callable[[str], WaitingWorld]


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
def world(make: Make) -> WaitingWorld:
    return make(PROFILES.name)


def people(number: int, prefix: str = "u") -> list[str]:
    return [f"{prefix}{index}" for index in range(number)]


def test_who_is_being_linked_waits_and_the_others_of_the_window_do_not(
    world: WaitingWorld, mixpanel: Mixpanel
) -> None:
    world.log(["ann", "bob"], linked={"ann": "phone"})
    outcome = world.run()
    assert (world.trail("ann"), world.trail("bob")) == ([], ["+1"])
    assert world.cursor_at() == 1
    assert outcome.kind == "later"
    assert 0 < outcome.delay_s <= 1
    assert outcome.reason == "2 profiles wait for their identity links, 30 s at the most"

    world.identity.submit("ann", "$device:phone")
    world.identity.moved_to(1)
    assert world.run().kind == "later"
    assert world.trail("ann") == []
    world.identity.settle()
    assert world.run().kind == "drained"
    assert world.trail("ann") == ["+1"]
    assert mixpanel.cohorts_of("ann") == ["VIP"]


def test_in_later_windows_others_do_not_wait_and_what_waits_keeps_its_order(
    world: WaitingWorld, mixpanel: Mixpanel
) -> None:
    world.log(["ann"], linked={"ann": "phone"})
    world.run()
    world.identity.moved_to(1)  # her link was made at once; what she has in the room goes first all the same
    for _ in range(2):
        world.log(exited=["ann"], entered=["bob"])
        world.log(entered=["ann"], exited=["bob"])
    held = world.take()
    assert world.main.turn(held, world.project) is None  # the window alone, before anybody looks at the room
    assert world.trail("ann") == []
    assert world.trail("bob") == ["+2", "-3", "+4", "-5"]
    assert world.cursor_at() == 5
    assert world.run().kind == "drained"
    assert world.trail("ann") == ["+1", "-2", "+3", "-4", "+5"]
    assert mixpanel.cohorts_of("ann") == ["VIP"]


def test_both_ids_of_a_link_wait_also_in_windows_that_link_nobody(world: WaitingWorld) -> None:
    world.log(["ann"], linked={"ann": "phone"})
    world.run()
    world.log(["$device:phone", "bob"])
    world.run()
    assert (world.trail("$device:phone"), world.trail("bob")) == ([], ["+2"])
    world.identity.moved_to(2)
    assert world.run().kind == "drained"
    assert world.trail("$device:phone") == ["+2"]


def test_nobody_waits_longer_than_was_said(world: WaitingWorld) -> None:
    world.log(["ann"], linked={"ann": "phone"})
    world.run()
    world.pass_s(29.9)
    assert world.run().kind == "later"
    assert world.trail("ann") == []
    world.pass_s(0.1)
    assert world.run().kind == "drained"
    assert world.trail("ann") == ["+1"]


def test_each_update_has_the_whole_time(world: WaitingWorld) -> None:
    world.identity.submit("ann")
    world.log(["ann"])
    world.run()
    world.pass_s(20)
    world.log(exited=["ann"])
    world.run()
    world.pass_s(10)
    assert world.run().kind == "later"
    assert world.trail("ann") == ["+1"]
    world.pass_s(20)
    assert world.run().kind == "drained"
    assert world.trail("ann") == ["+1", "-2"]


def test_a_link_that_waits_in_the_outbox_is_waited_for_though_no_rule_causes_it(world: WaitingWorld) -> None:
    world.rules(DEFAULT_RULES)
    world.identity.submit("ann")
    world.log(["ann", "bob"])
    assert world.run().kind == "later"
    assert (world.mixpanel.cohorts_of("ann"), world.mixpanel.cohorts_of("bob")) == ([], ["VIP"])
    world.identity.settle("ann")
    assert world.run().kind == "drained"
    assert world.mixpanel.cohorts_of("ann") == ["VIP"]


def test_submitted_updates_wait_in_a_room_of_their_own(make: Make, mixpanel: Mixpanel) -> None:
    world = make(OUTBOX)
    world.identity.submit("ann")
    world.submit({"$distinct_id": "ann", "$append": {"trail": 1}}, {"$distinct_id": "bob", "$set": {"a": 1}})
    world.submit({"$distinct_id": "ann", "$append": {"trail": 2}})
    assert world.run().kind == "later"
    assert mixpanel.profiles == {"bob": {"a": 1}}
    assert world.status_now().waiting == 1
    assert not world.redis.exists(keys.waiting(P, PROFILES.name))
    world.identity.settle("ann")
    assert world.run().kind == "drained"
    assert mixpanel.profiles["ann"] == {"trail": [1, 2]}
    assert world.redis.xlen(keys.outbox(P, "profiles")) == 0


def test_with_no_time_to_wait_nobody_waits_and_whoever_waited_goes_first(world: WaitingWorld) -> None:
    world.log(["ann"], linked={"ann": "phone"})
    world.run()
    world.wait_s = 0.0
    world.build()
    world.log(exited=["ann"], entered=["bob"], linked={"bob": "tablet"})
    assert world.run().kind == "drained"
    assert (world.trail("ann"), world.trail("bob")) == (["+1", "-2"], ["+2"])


def test_when_too_many_wait_the_oldest_go_at_once(
    world: WaitingWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "MAX_WAITING", 3)
    monkeypatch.setattr("app.destinations.source.WINDOW", 1)
    for name in people(4):
        world.log([name], linked={name: f"phone-{name}"})
    assert world.run().kind == "later"
    assert [world.trail(name) for name in people(4)] == [["+1"], ["+2"], ["+3"], []]


def test_a_room_of_too_many_bytes_empties_too(world: WaitingWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "MAX_WAITING_BYTES", 10)
    world.log(["ann"], linked={"ann": "phone"})
    world.run()
    assert world.run().kind == "drained"
    assert world.trail("ann") == ["+1"]


def test_a_room_of_many_parts_goes_as_one(world: WaitingWorld, mixpanel: Mixpanel) -> None:
    phones = {name: f"p-{name}" for name in people(600)}
    for start in (0, 250, 500):
        some = people(600)[start : start + 250]
        world.log(some, linked={name: phones[name] for name in some})
    world.run()
    world.identity.moved_to(3)
    world.identity.submit("u599")
    world.run()
    assert mixpanel.batches == []  # nothing of a window goes before all of it may
    world.identity.settle()
    assert world.run().kind == "drained"
    assert {name for name in phones if mixpanel.cohorts_of(name) == ["VIP"]} == set(phones)
    assert [len(batch) for batch in mixpanel.batches] == [600, 1200]
    assert world.redis.zcard(keys.waiting_ids(P, world.lane)) == 0
    assert world.redis.xlen(keys.waiting(P, world.lane)) == 0
    assert world.redis.hget(keys.waiting_meta(P, world.lane), "bytes") == b"0"


def test_exits_of_a_window_still_go_before_what_enters_when_both_waited(
    world: WaitingWorld, mixpanel: Mixpanel
) -> None:
    world.log(["ann"], linked={"ann": "phone"})
    world.log(exited=["$device:phone"])
    world.run()
    world.identity.moved_to(2)
    world.run()
    kinds = [
        (record["$distinct_id"], "$remove" in record)
        for record in mixpanel.records
        if "$append" not in record
    ]
    assert kinds[0] == ("$device:phone", True)


def test_the_cursor_of_the_identity_lane_may_go_away_with_the_last_link_rule(world: WaitingWorld) -> None:
    world.log(["ann"], linked={"ann": "phone"})
    world.run()
    world.readers = (PROFILES,)
    world.rules(RuleSet())
    assert world.run().kind == "drained"
    assert world.trail("ann") == ["+1"]


# --- failures ----------------------------------------------------------------------------------------------


def test_after_a_failure_what_waits_is_tried_again_in_order(world: WaitingWorld, mixpanel: Mixpanel) -> None:
    world.log(["ann"], linked={"ann": "phone"})
    world.run()
    world.identity.moved_to(1)
    replies = iter([Reply(503)])
    mixpanel.script = lambda _records: next(replies, None)
    world.log(exited=["ann"])
    outcome = world.run()
    assert outcome.kind == "later"
    assert outcome.delay_s > 1
    status = world.status_now()
    assert (status.state, status.tries, status.waiting) == ("retrying", 1, 2)
    assert "503" in status.reason
    assert world.run().kind == "drained"
    assert world.status_now().state == "ok"
    assert mixpanel.cohorts_of("ann") == []
    letters = world.letters()  # the request that failed counted once, with an outcome that nobody knows
    assert [code for code, _ in letters] == ["outcome_unknown"] * len(letters)


@pytest.mark.parametrize("arrives", [True, False])
def test_what_counts_is_sent_once_though_the_answer_is_lost(
    world: WaitingWorld, mixpanel: Mixpanel, arrives: bool
) -> None:
    world.log(["ann"], linked={"ann": "phone"})
    world.run()
    world.identity.moved_to(1)
    replies = iter([Reply(503)])
    mixpanel.script = lambda records: next(replies, None) if "$union" not in records[0] else None
    mixpanel.also_apply = arrives
    assert world.run().kind == "later"
    world.build()
    assert world.run().kind == "drained"
    assert [("$add" in record) + ("$append" in record) for record in mixpanel.records].count(1) == 2
    assert world.trail("ann") == (["+1"] if arrives else [])
    assert [code for code, _ in world.letters()] == ["outcome_unknown"] * 2


def test_while_a_window_is_tried_again_what_it_held_back_may_go(
    world: WaitingWorld, mixpanel: Mixpanel
) -> None:
    replies = iter([Reply(429)])
    mixpanel.script = lambda _records: next(replies, None)
    world.log(["ann", "bob"], linked={"ann": "phone"})
    assert world.run().kind == "later"
    assert world.cursor_at() == 0
    world.identity.moved_to(1)
    assert world.run().kind == "drained"
    assert (world.trail("ann"), world.trail("bob")) == (["+1"], ["+1"])
    assert [record["$distinct_id"] for record in mixpanel.records if "$add" in record].count("ann") == 1


def test_what_mixpanel_refuses_of_it_is_a_dead_letter_of_the_lane(
    world: WaitingWorld, mixpanel: Mixpanel
) -> None:
    world.log(["ann"], linked={"ann": "phone"})
    world.run()
    world.identity.moved_to(1)
    mixpanel.script = lambda records: refused(len(records), 0) if "$union" in records[0] else None
    assert world.run().kind == "drained"
    [stored] = world.dead_letters.read(P)
    assert (stored.destination, stored.letter.code) == ("profiles", "refused")
    assert json.loads(stored.letter.record)["$distinct_id"] == "ann"
    assert world.status_now().dead_lettered == 1
    assert world.status_now().delivered == 2
    [event] = [entry for entry in world.changelog.read(P, 0, 100) if entry.kind == "batch.dead_lettered"]
    assert event.detail == {"destination": "profiles", "records": {"refused": 1}}


def test_a_new_token_is_used_for_what_waited_under_the_old_one(
    world: WaitingWorld, mixpanel: Mixpanel
) -> None:
    world.log(["ann"], linked={"ann": "phone"})
    world.run()
    world.identity.moved_to(1)
    mixpanel.script = lambda _records: Reply(401)
    assert world.run().delay_s == 60
    assert world.status_now().state == "stopped"
    assert world.run().delay_s == 60
    mixpanel.script = lambda _records: None
    mixpanel.batches.clear()
    world.token("token-2")
    assert world.run().kind == "drained"
    assert {record["$token"] for record in mixpanel.records} == {"token-2"}
    assert world.trail("ann") == ["+1"]


def test_it_works_while_redis_is_full(start_redis: StartRedis, mixpanel: Mixpanel) -> None:
    client = connect(start_redis(), FaultyRedis, Clock())
    world = WaitingWorld(client, mixpanel)
    world.log(["ann", "bob"], linked={"ann": "phone"})
    held = world.take()
    client.config_set("maxmemory", 1)
    with pytest.raises(OutOfMemoryError):
        client.set("more", "x")
    assert world.destination.run(held, world.project, float("inf")).kind == "later"
    assert world.trail("bob") == ["+1"]
    client.config_set("maxmemory", 0)
    world.identity.moved_to(1)
    client.config_set("maxmemory", 1)
    assert world.destination.run(held, world.project, float("inf")).kind == "drained"
    assert world.trail("ann") == ["+1"]
    world.close()
    client.close()


def test_nothing_of_a_window_goes_before_all_that_waits_of_it_is_in_the_room(world: WaitingWorld) -> None:
    held = world.take()
    parts = [HeldBack(("ann",), b'0\t\t"ann","$set":{"a":1}}'), HeldBack(("bob",), b"")]
    hold = Hold(("ann", "bob"), needs=0, until_ms=0)
    names = iter([True, False])
    script = world.room._hold

    def broken(**call: Any) -> Any:
        if not next(names):
            raise RedisConnectionError
        return script(**call)

    world.room._hold = cast("Any", broken)
    with pytest.raises(RedisConnectionError):
        world.room.hold(held, hold, parts)
    assert world.run().kind == "drained"
    assert world.mixpanel.profiles == {}
    assert world.room.having(P, 0, ["ann", "bob"]) == {"ann"}
    world.room._hold = script
    world.room.hold(world.take(), hold, parts)
    assert world.run().kind == "drained"
    assert world.mixpanel.profiles == {"ann": {"a": 1}}


def test_only_the_lanes_holder_puts_anything_into_the_room(world: WaitingWorld) -> None:
    stale = replace(world.take(), token="0")
    with pytest.raises(LaneLost):
        world.room.hold(stale, Hold(("ann",)), [HeldBack(("ann",), b"")])
    assert not world.redis.exists(keys.waiting(P, world.lane), keys.waiting_ids(P, world.lane))


# --- what it costs, and what it shows ----------------------------------------------------------------------


def test_where_nobody_is_linked_it_costs_two_looks_a_window(world: WaitingWorld) -> None:
    def sent(do: Callable[[], Any]) -> int:
        world.redis.line = Line()
        do()
        sent = world.redis.line.sent
        world.redis.line = Line()
        return sent

    world.rules(DEFAULT_RULES)
    world.log(["ann"])
    held = world.take()
    position = world.main._cursor.position(P)
    delivery = world.main._source.next(world.project, position)
    plan = world.main._source.plan
    assert sent(lambda: plan(world.project, delivery)) == 4  # in one round trip
    plain = sent(lambda: world.main.run(held, world.project, float("inf")))
    world.log(["bob"])
    assert sent(lambda: world.destination.run(held, world.project, float("inf"))) == plain + 2
    assert world.identity.asked == 0


def test_the_status_says_how_many_wait(world: WaitingWorld) -> None:
    assert world.status_now().waiting == 0
    world.log(people(3), linked={"u1": "phone"})
    world.run()
    status = world.status_now()
    assert (status.waiting, status.behind, status.state) == (2, 0, "ok")
    world.identity.moved_to(1)
    world.run()
    assert world.status_now().waiting == 0
    assert world.status_now().delivered == 9


def test_a_lane_whose_waiting_room_was_refused_goes_on_once_it_is_resumed(
    make: Make, mixpanel: Mixpanel
) -> None:
    world = make(PROFILES.name)
    world.log(["ann"], linked={"ann": "phone"})
    world.run()
    world.identity.moved_to(10)
    mixpanel.script = lambda _records: Reply(401, b"{}")
    world.run()
    assert world.status_now().state == "stopped"
    mixpanel.script = lambda _records: None
    world.run()
    assert world.trail("ann") == []
    assert Operating(world.redis, world.lanes).resume(P, world.lane).was_stopped
    world.run()
    assert world.trail("ann") == ["+1"]


@pytest.mark.parametrize("lane", [PROFILES.name, OUTBOX])
def test_a_paused_lane_sends_nothing_of_its_room_either(make: Make, lane: str) -> None:
    world = make(lane)
    world.identity.submit("ann")
    if lane == OUTBOX:
        world.submit({"$distinct_id": "ann", "$append": {"trail": "+1"}})
    else:
        world.log(["ann"])
    world.run()
    operating = Operating(world.redis, world.lanes)
    assert operating.pause(P, lane, "ann", "trying something out")
    world.identity.settle()
    assert world.run().kind == "later"
    assert world.status_now().state == "paused"
    assert world.trail("ann") == []
    assert operating.resume(P, lane).was_paused
    world.run()
    assert world.trail("ann") == ["+1"]
