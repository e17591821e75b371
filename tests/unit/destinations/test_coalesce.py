import json
from collections.abc import Sequence
from random import Random
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.destinations.profiles.coalesce import fold
from app.destinations.profiles.operations import Op, expand
from app.destinations.profiles.rounds import in_rounds, parts
from tests.unit.destinations import profile_model
from tests.unit.destinations.profile_model import Profile, seen

NAMES = st.sampled_from(["p", "q"])
VALUES = st.sampled_from(["a", "b", "c"])
LEAVING = st.booleans()


def op(kind: str, name: str = "p", value: object = None, *, leaving: bool = False, mark: str = "") -> Op:
    [made] = expand(kind, name, value, leaving=leaving, mark=mark)
    return made


def marked(kind: str, name: str, value: object, leaving: bool) -> Op:
    return op(kind, name, value, leaving=leaving, mark="m")


OPS = st.one_of(
    st.builds(lambda n, v, out: op("$set", n, v, leaving=out), NAMES, VALUES | st.just(["a"]), LEAVING),
    st.builds(lambda n, v, out: op("$set_once", n, v, leaving=out), NAMES, VALUES, LEAVING),
    st.builds(lambda n, v, out: op("$union", n, v, leaving=out), NAMES, VALUES, LEAVING),
    st.builds(lambda n, v, out: op("$remove", n, v, leaving=out), NAMES, VALUES, LEAVING),
    st.builds(lambda n, out: op("$unset", n, leaving=out), NAMES, LEAVING),
    st.builds(lambda out: op("$delete", "", leaving=out), LEAVING),
    st.builds(lambda n, v, out: marked("$add", n, v, out), NAMES, st.integers(1, 3), LEAVING),
    st.builds(lambda n, v, out: marked("$append", n, v, out), NAMES, VALUES, LEAVING),
)
PROFILES = st.dictionaries(NAMES, st.one_of(VALUES, st.integers(0, 5), st.lists(VALUES, unique=True)))


def in_log_order(profile: Profile, ops: Sequence[Op]) -> Profile:
    after = dict(profile)
    for one in ops:
        body = {one.property: [one.value] if one.kind == "$union" else one.value}
        profile_model.apply(after, one.kind, [one.property] if one.kind == "$unset" else body)
    return after


def as_planned(profile: Profile, ops: Sequence[Op], shuffle: Random) -> Profile:
    profiles = {"x": dict(profile)}
    planned = parts(fold(ops))
    counting = [part for part in planned if part.mark]  # a batch of these is applied in order
    shuffled = [part for part in planned if not part.mark]
    shuffle.shuffle(shuffled)
    counting.sort(key=lambda part: shuffle.random() if part.tail.startswith(b',"$add"') else 0.5)
    together = [*counting, *shuffled] if shuffle.random() < 0.5 else [*shuffled, *counting]
    for part in sorted(together, key=lambda part: part.round):  # a stable sort
        profile_model.send(profiles, b'{"$distinct_id":"x"' + part.tail)
    return profiles["x"]


@given(PROFILES, st.lists(OPS, max_size=8), st.randoms(use_true_random=False))
@example({}, [op("$union", value="a"), op("$remove", value="a"), op("$set_once", value="b")], Random(0))
@example({}, [op("$append", value="a", mark="1"), op("$remove", value="a", leaving=True)], Random(0))
def test_planned_rounds_end_as_the_operations_in_log_order_would(
    profile: Profile, ops: list[Op], shuffle: Random
) -> None:
    assert seen(as_planned(profile, ops, shuffle)) == seen(in_log_order(profile, ops))


@given(PROFILES, st.lists(OPS, max_size=8), st.randoms(use_true_random=False), st.integers(0, 20))
def test_sending_again_what_may_be_sent_again_changes_nothing(
    profile: Profile, ops: list[Op], shuffle: Random, sent: int
) -> None:
    ops = [one for one in ops if not one.mark]
    planned = sorted(parts(fold(ops)), key=lambda part: part.round)
    half = {"x": dict(profile)}
    for part in planned[:sent]:
        profile_model.send(half, b'{"$distinct_id":"x"' + part.tail)
    assert seen(as_planned(half["x"], ops, shuffle)) == seen(in_log_order(profile, ops))


@given(st.lists(OPS, max_size=12))
def test_what_counts_is_never_dropped_but_by_a_delete(ops: list[Op]) -> None:
    since = max((place for place, one in enumerate(ops) if one.kind == "$delete"), default=-1)
    assert [one for one in fold(ops) if one.mark] == [one for one in ops[since + 1 :] if one.mark]


@given(st.lists(OPS, max_size=12))
def test_only_what_commutes_shares_a_round(ops: list[Op]) -> None:
    by_round: dict[tuple[int, str], list[str]] = {}
    for number, one in in_rounds(fold(ops)):
        by_round.setdefault((number, one.property), []).append(one.kind)
    for kinds in by_round.values():
        assert len(kinds) == 1 or set(kinds) <= {"$union", "$remove"} or set(kinds) in ({"$add"}, {"$append"})


@given(st.lists(st.booleans(), max_size=9))
def test_appends_keep_their_order_whatever_caused_them(leaving: list[bool]) -> None:
    ops = [op("$append", "p", number, leaving=out, mark=f"{number}") for number, out in enumerate(leaving)]
    planned = sorted(parts(fold(ops)), key=lambda part: part.round)
    assert [part.mark for part in planned] == [one.mark for one in ops]


SENT = [
    pytest.param(
        [op("$union", value="a"), op("$union", value="b")], [(1, {"$union": {"p": ["a", "b"]}})], id="union"
    ),
    pytest.param(
        [op("$union", value="a"), op("$remove", value="a")], [(1, {"$remove": {"p": "a"}})], id="removed"
    ),
    pytest.param(
        [op("$set", "p", 1), op("$set", "q", 2)], [(1, {"$set": {"p": 1, "q": 2}})], id="sets merge"
    ),
    pytest.param([op("$set", "p", 1), op("$unset", "p")], [(1, {"$unset": ["p"]})], id="unset wins"),
    pytest.param([op("$unset", "p"), op("$unset", "q")], [(1, {"$unset": ["p", "q"]})], id="unsets merge"),
    pytest.param(
        [op("$set_once", "p", 1), op("$set_once", "p", 2)], [(1, {"$set_once": {"p": 1}})], id="first stays"
    ),
    pytest.param(
        [op("$set", "p", 1), op("$set_once", "p", 2)], [(1, {"$set": {"p": 1}})], id="set before once"
    ),
    pytest.param(
        [op("$unset", "p"), op("$set_once", "p", 2)], [(1, {"$set": {"p": 2}})], id="unset before once"
    ),
    pytest.param([op("$set", "p", 1), op("$delete", "")], [(1, {"$delete": ""})], id="delete wipes"),
    pytest.param(
        [op("$union", value="a", leaving=False), op("$remove", value="b", leaving=True)],
        [(0, {"$remove": {"p": "b"}}), (1, {"$union": {"p": ["a"]}})],
        id="removals go first",
    ),
    pytest.param(
        [op("$remove", value="a", leaving=True), op("$remove", value="b", leaving=True)],
        [(0, {"$remove": {"p": "a"}}), (0, {"$remove": {"p": "b"}})],
        id="one value a remove",
    ),
    pytest.param(
        [op("$add", "p", 1, mark="1"), op("$add", "p", 1, mark="2")],
        [(1, {"$add": {"p": 1}}), (1, {"$add": {"p": 1}})],
        id="adds never merge",
    ),
    pytest.param(
        [op("$append", "p", "b", mark="1"), op("$append", "p", "a", mark="2")],
        [(1, {"$append": {"p": "b"}}), (1, {"$append": {"p": "a"}})],
        id="appends keep their order",
    ),
    pytest.param(
        [op("$delete", "", leaving=True), op("$remove", value="a", leaving=True), op("$set", "q", 1)],
        [(0, {"$delete": ""}), (1, {"$set": {"q": 1}}), (1, {"$remove": {"p": "a"}})],
        id="a delete goes before all that follows",
    ),
]


@pytest.mark.parametrize(("ops", "expected"), SENT)
def test_what_is_left_is_sent_as_one_kind_a_record(
    ops: list[Op], expected: list[tuple[int, dict[str, Any]]]
) -> None:
    sent = [(part.round, json.loads(b'{"_":0' + part.tail)) for part in parts(fold(ops))]
    assert sorted(sent, key=lambda pair: pair[0]) == [(number, {"_": 0} | body) for number, body in expected]


def test_values_of_different_json_types_are_different_values() -> None:
    ops = [op("$union", value=value) for value in (1, "1", True, 1.5)]
    assert len(fold(ops)) == 4


@given(st.lists(OPS, max_size=30))
def test_operations_are_collapsed_as_the_plain_rules_say(ops: list[Op]) -> None:
    plain: list[Op] = []
    for one in ops:
        fold_plainly(plain, one)
    assert fold(ops) == tuple(plain)


def fold_plainly(ops: list[Op], new: Op) -> None:
    """What `fold` does, by looking at every operation on the property since the last that counts."""
    places = []
    for place in reversed([place for place, one in enumerate(ops) if one.property == new.property]):
        if ops[place].mark:
            break
        places.append(place)
    if new.kind == "$delete":
        ops.clear()
    elif new.kind in ("$set", "$unset"):
        for place in places:
            del ops[place]
    elif new.kind == "$set_once" and places:
        if ops[places[0]].kind == "$unset":
            del ops[places[0]]
            new = new._replace(kind="$set")
        elif ops[places[0]].kind != "$remove" or listed([ops[place] for place in places]):
            return
    elif new.kind in ("$union", "$remove"):
        for place in places:
            if ops[place].key == new.key:
                old = ops.pop(place)
                new = new._replace(after_union=old.after_union or old.kind == "$union")
                break
    ops.append(new)


def listed(backwards: Sequence[Op]) -> bool:
    for one in backwards:
        if one.kind not in ("$union", "$remove"):
            return False
        if one.kind == "$union" or one.after_union:
            return True
    return False
