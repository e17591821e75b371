import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cohorts.commit import candidate_generation
from app.feed.position import BEGINNING, InvalidPosition, Position

POSITIONS = st.builds(
    Position,
    generation=st.from_regex(r"[0-9a-f]{1,12}", fullmatch=True),
    sequence=st.integers(0, 10**17),
    part=st.none() | st.integers(0, 10**8),
)


@given(POSITIONS)
def test_what_is_written_is_read_the_same(position: Position) -> None:
    assert Position.parse(str(position)) == position


def test_logs_that_begin_in_the_same_millisecond_have_generations_of_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: 1_795_229_055_738_000_000)
    begun = [Position(candidate_generation(), 1, 1) for _ in range(20)]
    assert len(set(begun)) > 15
    assert [Position.parse(str(each)) for each in begun] == begun


def test_a_bare_sequence_is_of_whatever_generation_there_is() -> None:
    position = Position.parse("17")
    assert (position.sequence, position.part, str(position)) == (17, None, "17")
    assert position.is_of("g1")
    assert position.is_of("g2")


@pytest.mark.parametrize(
    "text", ["", "-", "a", "1-", "g-1-2-3", "G-1", "g-1-x", "g-\u0661", " 1", "1\n", "g--1", "1" * 19]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidPosition, match="must be an event's id"):
        Position.parse(text)


def test_two_numbers_are_a_generation_and_a_sequence() -> None:
    assert Position.parse("12-5") == Position("12", 5)


def test_places_are_in_order() -> None:
    places = [BEGINNING, *(Position("g", 1, part) for part in (1, 2)), Position("g", 1), Position("g", 2, 1)]
    for number, place in enumerate(places):
        assert [place.is_before(other) for other in places] == [False] * (number + 1) + [True] * (
            len(places) - number - 1
        )


def test_behind_a_whole_entry_is_before_the_first_part_of_the_next() -> None:
    whole, next_one = Position("g", 4), Position("g", 5, 0)
    assert not whole.is_before(next_one)
    assert not next_one.is_before(whole)


def test_somebody_who_has_seen_nothing_stands_in_any_generation() -> None:
    assert BEGINNING.is_of("g1")
    assert not Position("g0", 1).is_of("g1")
