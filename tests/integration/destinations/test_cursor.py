from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.destinations.cursor import Cursor
from app.destinations.dead_letters import DeadLetter
from app.lanes.lanes import HeldLane, LaneLost
from app.store import keys
from tests.integration.destinations.world import P, World

LETTER = DeadLetter("refused", "no good", "{}", b"{}")

STEPS: list[Callable[[Cursor, HeldLane], object]] = [
    lambda cursor, lane: cursor.open(lane, 0, 3, b"[]", b"{}"),
    lambda cursor, lane: cursor.intend(lane, ["i1"]),
    lambda cursor, lane: cursor.take_back(lane, ["i1"]),
    lambda cursor, lane: cursor.settle_batch(lane, "b1", 2, [LETTER]),
    lambda cursor, lane: cursor.settle_each(lane, [("s1", None), ("s2", LETTER)]),
    lambda cursor, lane: cursor.retry_later(lane, "503", "retryable"),
    lambda cursor, lane: cursor.stop(lane, "401", "digest", "credential_refused"),
    lambda cursor, lane: cursor.advance(lane, 0, 3),
]


@pytest.mark.parametrize("step", STEPS)
def test_nothing_is_written_without_the_lane(
    world: World, step: Callable[[Cursor, HeldLane], object]
) -> None:
    held = world.take()
    stale = replace(held, token=str(int(held.token) - 1))
    before = set(world.redis.scan_iter())
    with pytest.raises(LaneLost):
        step(world.cursor, stale)
    assert set(world.redis.scan_iter()) == before
    assert world.hash() == {}


def test_the_cursor_moves_from_where_the_window_began_only(world: World) -> None:
    held = world.take()
    world.cursor.advance(held, 0, 5)
    with pytest.raises(LaneLost):
        world.cursor.advance(held, 0, 5)
    with pytest.raises(LaneLost):
        world.cursor.open(held, 4, 9, b"[]", b"{}")
    assert world.cursor.position(P).cursor == 5


def test_settling_the_same_batch_twice_counts_once(world: World) -> None:
    held = world.take()
    for _ in range(2):
        world.cursor.settle_batch(held, "b1", 7, [LETTER] * 600)
    position = world.cursor.position(P)
    assert (position.delivered, position.dead_lettered, world.dead_letters.count(P)) == (7, 600, 600)


def test_of_many_letters_each_is_kept_with_the_batch_it_belongs_to(world: World) -> None:
    held = world.take()
    letters = [replace(LETTER, record=b"%d" % number) for number in range(600)]
    world.cursor.settle_batch(held, "b1", 0, letters)
    kept = [stored.letter for stored in world.dead_letters.read(P, limit=1000)]
    assert kept == letters
    halfway = world.dead_letters.read(P, limit=300)[-1].id
    assert [stored.letter for stored in world.dead_letters.read(P, after=halfway, limit=1000)] == letters[
        300:
    ]


def test_intents_are_found_until_they_are_taken_back_or_the_cursor_moves(world: World) -> None:
    held = world.take()
    marks = [f"i{number}" for number in range(2500)]
    world.cursor.intend(held, marks)
    world.cursor.take_back(held, marks[1000:])
    assert world.cursor.settled(held, marks) == [True] * 1000 + [False] * 1500
    world.cursor.advance(held, 0, 1)
    assert not any(world.cursor.settled(held, marks))


def test_a_lowered_cap_is_reached_in_small_steps(world: World) -> None:
    held = world.take()
    world.cursor.settle_batch(held, "b1", 0, [LETTER] * 1000)
    smaller = Cursor(world.redis, "profiles", dead_letter_cap=100)
    lengths = []
    for number in range(5):
        smaller.settle_batch(held, f"c{number}", 0, [LETTER])
        lengths.append(world.dead_letters.count(P))
    assert world.dead_letters.counters(P)["dropped"] == 1005 - lengths[-1]
    assert lengths == [501, 100, 100, 100, 100]


# --- against a model -------------------------------------------------------------------------------------

OUTCOMES = st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=4)


@given(st.lists(st.one_of(st.tuples(st.just("settle"), OUTCOMES), st.just(("advance", [])))))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
def test_settling_counts_like_a_plain_set(
    world: World, steps: list[tuple[str, list[tuple[int, bool]]]]
) -> None:
    world.redis.flushall()
    held = world.take()
    marks: set[str] = set()
    delivered = dead = end = 0
    for kind, outcomes in steps:
        if kind == "advance":
            world.cursor.advance(held, end, end + 1)
            end += 1
            marks.clear()
            continue
        named = [(f"s{number}", LETTER if bad else None) for number, bad in outcomes]
        world.cursor.settle_each(held, named)
        if named[0][0] not in marks:  # the first mark stands for the step
            marks |= {mark for mark, _ in named}
            dead += sum(letter is not None for _, letter in named)
            delivered += sum(letter is None for _, letter in named)
    position = world.cursor.position(P)
    assert (position.cursor, position.delivered, position.dead_lettered) == (end, delivered, dead)
    assert world.redis.scard(keys.destination_accepted(P, "profiles")) == len(marks)
