"""Whose turn it is, and what a turn writes."""

import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from redis.exceptions import OutOfMemoryError, RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError
from standardwebhooks import Webhook

from app.cohorts.commit import candidate_generation
from app.feed.position import Position
from app.feed.types import ENTERED, GAP
from app.installation.restored import Restoring
from app.store import keys
from app.subscriptions import deliveries
from app.subscriptions.schedule import RETRIES_S
from app.subscriptions.settling import TurnLost
from app.subscriptions.subscription import MOST_SECRETS
from app.subscriptions.turns import AWAY, FAILING
from tests.integration.feed.written_log import P
from tests.integration.subscriptions.entries import entry_of
from tests.integration.subscriptions.world import TAKEN, Message, World, answered
from tests.waiting import wait_until


def test_a_new_subscription_begins_with_what_comes_now_and_is_told_each_event_once(world: World) -> None:
    world.log.tell(3)
    wanted = world.subscribe()
    assert world.turn() == 0
    world.log.tell(2)
    assert world.turn() == 1
    assert world.turn() == 0
    told = world.told()
    assert [event["sequence"][-1] for event in told] == ["4", "5"]
    assert "previous" not in told[0]
    assert told[1]["previous"] == told[0]["id"]
    standing = world.standing(wanted)
    assert (standing.state, standing.taken, standing.position.sequence) == ("active", 2, 5)


def test_one_that_begins_at_a_sequence_is_told_what_lies_behind_it(world: World) -> None:
    world.log.tell(5)
    world.subscribe(Position("", 2))
    world.turn()
    assert [event["sequence"][-1] for event in world.told()] == ["3", "4", "5"]


def test_a_message_is_signed_with_every_secret_that_is_valid(world: World) -> None:
    wanted = world.subscribe()
    old = wanted.signing[0].secret.reveal()
    now_ms = int(datetime.now(UTC).timestamp() * 1000)
    new = world.subscriptions.rotate(wanted, now_ms + 60_000)
    assert new is not None
    world.log.tell()
    world.turn()
    (message,) = world.poster.messages
    for secret in (old, new.reveal()):
        assert Webhook(secret).verify(message.body, dict(message.headers))["id"] == message.event["id"]
    assert message.headers["webhook-id"] == message.event["id"]

    rotated = world.subscriptions.get(wanted.id)
    assert rotated
    again = world.subscriptions.rotate(rotated, now_ms - 1)
    assert again is not None
    world.log.tell()
    world.turn()
    assert len(world.poster.messages[1].headers["webhook-signature"].split()) == 1


def test_a_rotation_that_is_asked_for_again_leaves_the_secret_that_the_receiver_has(world: World) -> None:
    wanted = world.subscribe()
    known = wanted.signing[0].secret.reveal()
    now_ms = int(datetime.now(UTC).timestamp() * 1000)
    for again in range(20):
        world.subscriptions.rotate(wanted, now_ms + 60_000)  # nobody got the answer
        if again == 1:
            world.log.tell()
            world.turn()
    world.log.tell()
    world.turn()
    first, last = world.poster.messages
    assert Webhook(known).verify(first.body, dict(first.headers))
    assert len(last.headers["webhook-signature"].split()) == MOST_SECRETS


def test_a_crash_while_it_is_deleted_leaves_something_to_delete(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = world.subscribe()

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(world.subscriptions, "forget", crash)
        with pytest.raises(KeyboardInterrupt):
            world.subscriptions.delete(wanted)
    (left,) = world.subscriptions.all()
    world.subscriptions.delete(left)
    assert world.subscriptions.lowest_place(P) is None


def test_an_event_that_is_not_taken_comes_again_as_it_was_and_holds_up_what_is_behind_it(
    world: World,
) -> None:
    wanted = world.subscribe()
    world.log.tell(2)
    world.poster.answer = lambda _message: answered(503)
    world.turn()
    assert world.turn() == 0  # it waits
    failing = world.standing(wanted)
    assert (failing.state, failing.tries, failing.failed, failing.why) == ("failing", 1, 1, "answered 503")
    score = world.score(wanted)
    assert score is not None
    assert score > FAILING
    world.log.tell()
    world.let_time_pass(wanted, RETRIES_S[0] * 1.3)
    world.poster.answer = lambda _message: TAKEN
    world.turn()
    first, *rest = world.poster.messages
    assert rest[0].body == first.body
    assert rest[0].headers["webhook-id"] == first.headers["webhook-id"]
    assert [message.event["sequence"][-1] for message in rest] == ["1", "2", "3"]
    well = world.standing(wanted)
    assert (well.state, well.tries, well.why, well.since_ms) == ("active", 0, "", None)


def test_one_whose_message_is_not_wanted_any_more_has_no_trouble_left(world: World) -> None:
    wanted = world.subscribe()
    world.log.tell()
    world.poster.answer = lambda _message: answered(500)
    world.turn()
    world.subscriptions.edit(wanted.id, lambda found: replace(found, types=frozenset({ENTERED})))
    world.let_time_pass(wanted, RETRIES_S[0] * 1.3)
    assert world.turn() == 1
    standing = world.standing(wanted)
    assert (standing.state, standing.why, standing.since_ms, standing.tries) == ("active", "", None, 0)
    assert len(world.poster.messages) == 1


def test_after_a_restore_it_is_told_so_and_then_all_that_is_there_once(world: World) -> None:
    world.subscribe(batch=1)
    world.log.tell(40)
    world.turn()
    (before,) = {event["generation"] for event in world.told()}
    wait_until(lambda: candidate_generation() != before)
    generation = Restoring(world.redis).run(P).generation
    world.log.tell()
    while world.turn():
        pass
    lost, *rest = world.told()[40:]
    assert lost["type"] == GAP
    assert [event["id"] for event in rest] == [f"{generation}-{each}-1" for each in range(1, 42)]


def test_a_merged_event_comes_again_without_what_the_log_has_got_since(world: World) -> None:
    def entered(sequence: int, *people: str) -> None:
        world.log.write([entry_of(sequence, entered=people)])

    entered(1, "a", "b")
    wanted = world.subscribe(Position("g1", 0))
    world.poster.answer = lambda _message: answered(500)
    world.turn()
    entered(2, "c")
    world.let_time_pass(wanted, 10)
    world.poster.answer = lambda _message: TAKEN
    world.turn()
    first, again, behind = world.poster.messages
    assert again.body == first.body
    assert [member["distinct_id"] for member in behind.event["data"]["members"]] == ["c"]
    # The same after a crash between sending and noting: what was about to be sent had been noted.
    entered(3, "d")
    turn = world.turns.take(P, 1, 1, 0)[0]
    before = len(world.poster.messages)

    def crash(_message: Message) -> None:
        raise KeyboardInterrupt

    world.poster.answer = crash  # type: ignore[assignment]
    with pytest.raises(KeyboardInterrupt):
        world.sending.run(P, turn)
    entered(4, "e")
    world.let_time_pass(wanted, 60)
    world.poster.answer = lambda _message: TAKEN
    world.turn()
    sent = world.poster.messages[before:]
    assert sent[0].body == sent[1].body


def test_after_three_days_it_is_paused_and_says_so_in_the_log_and_a_person_resumes_it(world: World) -> None:
    wanted = world.subscribe()
    world.log.tell()
    world.poster.answer = lambda _message: answered(500)
    for _ in RETRIES_S:
        assert world.turn() == 1
        world.let_time_pass(wanted, 30 * 3_600)
    assert world.standing(wanted).state == "failing"
    assert world.turn() == 1
    paused = world.standing(wanted)
    assert (paused.state, paused.by) == ("paused", "relay")
    assert "13 tries" in paused.why
    assert world.score(wanted) is None
    entry = world.log.changelog.read(P, 1, 10)[0]
    assert (entry.kind, entry.detail["subscription_id"]) == ("subscription.paused", wanted.id)

    world.poster.answer = lambda _message: TAKEN
    world.subscriptions.resume(wanted)
    world.turn()
    assert world.standing(wanted).state == "active"
    assert len({message.headers["webhook-id"] for message in world.poster.messages}) == 2


def test_410_ends_it_at_once_and_it_holds_the_log_no_longer(world: World) -> None:
    wanted = world.subscribe()
    world.log.tell(3)
    world.poster.answer = lambda _message: answered(410)
    world.turn()
    assert len(world.poster.messages) == 1
    assert world.standing(wanted).state == "ended"
    assert world.redis.zscore(keys.subscription_places(P), wanted.id) is None
    assert world.turn() == 0


def test_a_receiver_can_ask_for_a_longer_pause(world: World) -> None:
    wanted = world.subscribe()
    world.log.tell()
    world.poster.answer = lambda _message: answered(429, "1800")
    world.turn()
    world.let_time_pass(wanted, 1_500)
    assert world.turn() == 0
    world.let_time_pass(wanted, 400)
    assert world.turn() == 1


def test_a_filter_lets_through_what_is_wanted_and_the_place_moves_on_all_the_same(world: World) -> None:
    wanted = world.subscribe(types=frozenset({"cohort-relay.sync.completed"}))
    world.log.tell(3, "sync.started")
    world.turn()
    assert world.poster.messages == []
    assert world.standing(wanted).position.sequence == 3
    world.log.tell(1, "sync.completed")
    world.turn()
    assert [event["type"] for event in world.told()] == ["cohort-relay.sync.completed"]


def test_a_rate_gives_the_turn_back_until_the_next_message_may_go(world: World) -> None:
    wanted = world.subscribe(rate=0.5)
    world.log.tell(2)
    world.turn()
    assert len(world.poster.messages) == 1
    score = world.score(wanted)
    assert score is not None
    assert AWAY < score < FAILING
    assert world.turn() == 0
    world.let_time_pass(wanted, 2)
    world.turn()
    assert len(world.poster.messages) == 2


def test_whoever_lost_the_turn_writes_nothing(world: World) -> None:
    wanted = world.subscribe()
    world.log.tell(2)
    (turn,) = world.turns.take(P, 1, 1, 30)
    world.subscriptions.pause(wanted, "somebody", "maintenance", 5)
    with pytest.raises(TurnLost):
        world.settling.over(P, turn, Position("", 2), passed=False)
    world.sending.run(P, turn)  # says so and goes
    assert world.poster.messages == []
    assert world.standing(wanted).position.sequence == 0
    assert world.turn() == 0
    world.subscriptions.resume(wanted)
    assert world.turn() == 0, "the other's message may still be on its way"
    world.let_time_pass(wanted, 31)
    assert world.turn() == 1
    assert len(world.poster.messages) == 2


def test_a_turn_whose_worker_died_is_given_again_when_its_lease_is_over(world: World) -> None:
    wanted = world.subscribe()
    world.log.tell()
    world.turns.take(P, 1, 1, 30)
    assert world.turn() == 0
    world.let_time_pass(wanted, 31)
    assert world.turn() == 1
    assert len(world.poster.messages) == 1


def test_it_can_be_told_again_from_a_point_whoever_has_its_turn(world: World) -> None:
    wanted = world.subscribe()
    world.log.tell(4)
    world.turn()
    world.subscriptions.move(wanted, P, Position("", 2))
    world.turn()
    assert [event["sequence"][-1] for event in world.told()] == ["1", "2", "3", "4", "3", "4"]


def test_what_is_gone_from_the_log_is_told_as_a_gap_and_counted(world: World) -> None:
    wanted = world.subscribe()
    world.log.tell(5)
    world.log.trim(3)
    world.turn()
    gap, *rest = world.told()
    assert (gap["type"], gap["data"]["from"], gap["data"]["to"]) == ("cohort-relay.gap", 1, 3)
    assert len(rest) == 2
    assert world.standing(wanted).lost == 3


def test_failing_ones_get_a_share_of_the_turns_and_the_others_the_rest(world: World) -> None:
    failing = [world.subscribe() for _ in range(6)]
    world.log.tell()
    world.poster.answer = lambda _message: answered(500)
    world.turn()
    for each in failing:
        world.let_time_pass(each, 60)
    well = [world.subscribe(Position("", 0)) for _ in range(6)]
    turns = world.turns.take(P, 6, 2, 30)
    assert sum(turn.failing for turn in turns) == 2
    assert {turn.subscription_id for turn in turns if not turn.failing} <= {each.id for each in well}
    assert len(turns) == 6


def test_its_deliveries_tell_what_came_of_each_try(world: World) -> None:
    wanted = world.subscribe()
    world.log.tell()
    world.poster.answer = lambda _message: answered(500)
    world.turn()
    world.let_time_pass(wanted, 60)
    world.poster.answer = lambda _message: TAKEN
    world.turn()
    noted = [each.delivery for each in deliveries.latest(world.redis, P, wanted.id)]
    assert [(each.tries, each.status) for each in noted] == [(2, 204), (1, 500)]
    assert noted[0].event_id == noted[1].event_id


def test_one_that_is_deleted_is_gone_whoever_has_its_turn(world: World) -> None:
    wanted = world.subscribe()
    world.log.tell()
    (turn,) = world.turns.take(P, 1, 1, 30)
    world.subscriptions.delete(wanted)
    world.sending.run(P, turn)
    assert world.poster.messages == []
    assert not list(world.redis.scan_iter("cr:*subscription*"))
    assert world.subscriptions.edit(wanted.id, lambda found: found) is None
    assert world.subscriptions.all() == []


def test_a_frozen_worker_that_wakes_up_writes_nothing_once_its_turn_was_given_again(world: World) -> None:
    wanted = world.subscribe()
    world.log.tell()
    (frozen,) = world.turns.take(P, 1, 1, 30)
    world.let_time_pass(wanted, 31)
    (current,) = world.turns.take(P, 1, 1, 60)
    with pytest.raises(TurnLost):
        world.settling.passed(P, frozen, Position("", 1))
    assert world.standing(wanted).position.sequence == 0
    world.settling.passed(P, current, Position("", 1))


@pytest.mark.parametrize("paused", [True, False])
def test_while_a_message_is_on_its_way_no_other_is_sent_whatever_a_person_does(
    world: World, *, paused: bool
) -> None:
    world.log.tell(3)
    wanted = world.subscribe(Position("", 0))
    (turn,) = world.turns.take(P, 1, 1, 30)
    for _ in range(2):
        if paused:
            world.subscriptions.pause(wanted, "somebody", "", 5)
            world.subscriptions.resume(wanted)
        else:
            world.subscriptions.move(wanted, P, Position("", 1))
        assert world.turn() == 0
    with pytest.raises(TurnLost):
        world.settling.passed(P, turn, Position("", 3))
    world.let_time_pass(wanted, 31)
    assert world.turn() == 1
    assert [event["sequence"][-1] for event in world.told()] == (["1", "2", "3"] if paused else ["2", "3"])


def test_those_with_much_to_be_told_and_those_with_news_take_turns(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.subscriptions.sending.TURN_S", 0.0)  # a message a turn
    world.log.tell(30)
    behind = [world.subscribe(Position("", 0), url=f"https://behind.example.com/{each}") for each in "ab"]
    with_news = [world.subscribe(url=f"https://news.example.com/{each}") for each in "ab"]
    world.turn()
    world.log.tell()
    for _ in range(4):
        time.sleep(0.002)  # who waits since when is told apart by milliseconds
        world.turn(most=1)
    told = [message.url for message in world.poster.messages][len(behind) :]
    assert sorted(told) == sorted(each.url for each in (*behind, *with_news))


@pytest.mark.parametrize("error", [OutOfMemoryError, RedisTimeoutError])
def test_a_redis_that_is_full_or_silent_leaves_no_half_of_a_subscription(
    world: World, monkeypatch: pytest.MonkeyPatch, error: type[RedisError]
) -> None:
    def refused(**_: object) -> None:
        raise error

    monkeypatch.setattr(world.subscriptions, "_steer", refused)
    with pytest.raises(error):
        world.subscribe(Position("", 0))
    assert world.subscriptions.all() == []
