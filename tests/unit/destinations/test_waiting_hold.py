"""Taking out of a window what waits, and putting it back, loses nothing and mixes nothing up."""

from random import Random

import orjson
from hypothesis import given
from hypothesis import strategies as st

from app.destinations.plan import HeldBack, Round
from app.destinations.profiles.encoding import encode, profile_head, profile_start
from app.destinations.profiles.known import Known
from app.destinations.profiles.operations import Op
from app.destinations.profiles.programs import History
from app.destinations.waiting.hold import BYTES_A_PART, NOBODY, PROFILES_A_PART, Hold, put_back, take_out

TOKEN = "token-1"
IDS = st.sampled_from(["ann", "$device:1\t2", 'b"o\nb', "Zoë", "5"])
OPS = st.lists(
    st.one_of(
        st.builds(lambda value, out: Op("$set", "p", value, leaving=out), st.text(max_size=3), st.booleans()),
        st.builds(lambda value: Op("$remove", "p", value, leaving=True, key=b"k"), st.text(max_size=3)),
        st.builds(
            lambda number: Op("$add", "n", number, leaving=False, mark=f"g-{number}.0"), st.integers(0, 9)
        ),
    ),
    max_size=4,
)
HISTORIES = st.dictionaries(IDS, st.builds(lambda ops: History().then_only(ops), OPS))


def sorted_rounds(rounds: tuple[Round, ...]) -> list[tuple[list[bytes], list[tuple[str, bytes]]]]:
    return [(sorted(one.records), sorted(one.once)) for one in rounds if one.records or one.once]


@given(histories=HISTORIES, waiting=st.sets(IDS))
def test_what_waits_and_what_does_not_are_together_what_there_was(
    histories: dict[str, History], waiting: set[str]
) -> None:
    head, start = profile_head(TOKEN), profile_start(TOKEN)
    alone = {each: history for each, history in histories.items() if each in waiting}
    others = {each: history for each, history in histories.items() if each not in waiting}
    left = dict(histories)
    parts = take_out(left, sorted(waiting))
    assert left == others
    assert [each for part in parts for each in part.ids] == sorted(waiting)
    assert sorted_rounds(put_back([part.updates for part in parts], start)) == sorted_rounds(
        encode(alone, head)
    )


@given(histories=HISTORIES, waiting=st.sets(IDS))
def test_every_try_takes_out_the_same_bytes(histories: dict[str, History], waiting: set[str]) -> None:
    items = list(histories.items())
    Random(1).shuffle(items)
    assert take_out(dict(items), sorted(waiting)) == take_out(dict(histories), sorted(waiting))


def test_a_round_of_what_waited_is_still_the_same_round() -> None:
    ops = (Op("$remove", "p", "x", leaving=True, key=b"k"), Op("$set", "q", 1, leaving=False))
    [part] = take_out({"ann": History().then_only(ops)}, ["ann"])
    first, second = put_back([part.updates], profile_start(TOKEN))
    assert [b"$remove" in first.records[0], b"$set" in second.records[0]] == [True, True]
    assert orjson.loads(first.records[0]) == {"$token": TOKEN, "$distinct_id": "ann", "$remove": {"p": "x"}}


def test_one_script_never_has_too_much_to_do() -> None:
    ids = sorted(f"u{number}" for number in range(2 * PROFILES_A_PART + 1))
    histories = {each: History().then_only([Op("$set", "p", each, leaving=False)]) for each in ids}
    assert [len(part.ids) for part in take_out(histories, ids)] == [PROFILES_A_PART, PROFILES_A_PART, 1]
    large = Op("$set", "p", "x" * (BYTES_A_PART // 2), leaving=False)
    histories = {each: History().then_only([large]) for each in "abc"}
    assert [part.ids for part in take_out(histories, list("abc"))] == [("a",), ("b",), ("c",)]


def test_who_has_nothing_to_wait_with_waits_all_the_same() -> None:
    assert take_out({}, ["ann"]) == (HeldBack(("ann",), b""),)
    assert put_back([b"", b""], b"") == ()


def test_who_waits_is_kept_with_the_window() -> None:
    hold = Hold(("ann", "bob"), needs=7, until_ms=1_000)
    assert Hold.from_json(orjson.loads(orjson.dumps(hold.to_json()))) == hold
    known = Known(cohorts=(("1", "VIP"),), hold=hold)
    assert Known.from_json(known.to_json()) == known


def test_a_window_that_was_begun_before_anybody_could_wait_is_read() -> None:
    assert Known.from_json(b'{"cohorts":[],"present":{}}').hold == NOBODY
    assert Hold.from_json(orjson.loads(b"{}")) == NOBODY
