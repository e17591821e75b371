"""Planning takes twice as long for twice as much, and no record that it makes passes Mixpanel's limits."""

import gc
import json
import time
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from app.destinations.checks.invalid import Invalid
from app.destinations.checks.updates import check_group, check_profile
from app.destinations.plan import Plan
from app.destinations.profiles.submitted import GroupsOutboxSource, ProfilesOutboxSource
from app.mixpanel.update_limits import group_violations, profile_violations
from tests.unit.destinations.test_submitted import NOBODY, UNASKED, planned

Update = dict[str, Any]
Make = Callable[[int], list[Update]]


def of_ann(kind: str, bodies: list[Any]) -> list[Update]:
    return [{"$distinct_id": "ann", kind: body} for body in bodies]


LARGE = [
    pytest.param(5_000, lambda n: of_ann("$union", [{"orders": list(range(n))}]), id="one large $union"),
    pytest.param(2_000, lambda n: of_ann("$union", [{"orders": [i]} for i in range(n)]), id="$unions"),
    pytest.param(
        8, lambda n: of_ann("$unset", [[f"p{k}_{i}" for i in range(500)] for k in range(n)]), id="$unsets"
    ),
    pytest.param(
        20,
        lambda n: of_ann("$set", [{f"p{k}_{i}": 1 for i in range(100)} for k in range(n)]),
        id="$sets of new names",
    ),
    pytest.param(
        8, lambda n: of_ann("$add", [{f"p{i}": 1 for i in range(500)} for _ in range(n)]), id="$adds"
    ),
    pytest.param(2_000, lambda n: of_ann("$append", [{"log": i} for i in range(n)]), id="$appends"),
    pytest.param(2_000, lambda n: of_ann("$set_once", [{"first": i} for i in range(n)]), id="$set_onces"),
    pytest.param(
        1_000,
        lambda n: of_ann("$union", [{"t": [i]} for i in range(n)]) + of_ann("$unset", [["t"]] * n),
        id="$unions and $unsets",
    ),
]


def profiles(updates: list[Update]) -> Plan:
    return planned(ProfilesOutboxSource(NOBODY, UNASKED), updates)


def seconds(updates: list[Update]) -> float:
    def once() -> float:
        began = time.process_time()
        profiles(updates)
        return time.process_time() - began

    gc.disable()  # its turns come as they like
    try:
        return min(once() for _ in range(3))
    finally:
        gc.enable()


@pytest.mark.parametrize(("number", "make"), LARGE)
def test_eight_times_as_much_is_planned_in_about_eight_times_the_time(number: int, make: Make) -> None:
    # Caches and neighbours have their part. What takes 64 times as long does so at every try.
    assert any(seconds(make(8 * number)) < 32 * seconds(make(number)) for _ in range(5))


def records(plan: Plan) -> list[Update]:
    return [
        json.loads(record)
        for one in plan.rounds
        for record in (*one.records, *(record for _, record in one.once))
    ]


def broken(update: Update) -> list[str]:
    """What the limits say of a record as it is sent, its token aside."""
    size = len(orjson.dumps(update))
    update.pop("$token")
    violations = group_violations if "$group_id" in update else profile_violations
    return [found.rule for found in violations(update, size_bytes=size)]


def test_two_sets_of_600_kb_are_two_records() -> None:
    sent = records(profiles(of_ann("$set", [{"a": "x" * 600_000}, {"b": "x" * 600_000}])))
    assert [list(update["$set"]) for update in sent] == [["a"], ["b"]]
    assert [broken(update) for update in sent] == [[], []]


def test_unsets_of_more_than_2000_names_are_several_records() -> None:
    names = [f"p{number}" for number in range(4_500)]
    sent = records(profiles(of_ann("$unset", [names[:1_500], names[1_500:3_000], names[3_000:]])))
    assert [len(update["$unset"]) for update in sent] == [2_000, 2_000, 500]
    assert [name for update in sent for name in update["$unset"]] == names


def test_a_union_that_grows_past_a_record_is_several_records_of_one_round() -> None:
    values = [f"{number:0>1000}" for number in range(2_500)]
    plan = profiles(
        of_ann("$union", [{"tags": some} for some in (values[:900], values[900:1_700], values[1_700:])])
    )
    sent = records(plan)
    assert [value for update in sent for value in update["$union"]["tags"]] == values
    assert [broken(update) for update in sent] == [[], [], []]
    assert [len(one.records) for one in plan.rounds] == [0, 3]


NAMES = st.sampled_from([f"{number}" * 20 for number in range(9)])
TEXTS = st.sampled_from(["", "é", "x" * 100, "y" * 1_048_000, "z" * 600_000, '"' * 300_000])
BODIES = {
    "$set": st.dictionaries(NAMES, TEXTS | st.lists(TEXTS), min_size=1),
    "$set_once": st.dictionaries(NAMES, TEXTS, min_size=1),
    "$union": st.dictionaries(NAMES, st.lists(TEXTS, min_size=1), min_size=1),
    "$remove": st.dictionaries(NAMES, TEXTS, min_size=1),
    "$unset": st.integers(1, 2_000).map(lambda n: [f"{n}.{number}" for number in range(n)]),
    "$append": st.dictionaries(NAMES, TEXTS, min_size=1),
}
OPERATIONS = st.sampled_from(list(BODIES)).flatmap(lambda kind: st.tuples(st.just(kind), BODIES[kind]))


@settings(max_examples=15, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(st.lists(OPERATIONS, max_size=6))
def test_whatever_is_accepted_is_planned_as_records_that_mixpanel_takes(
    operations: list[tuple[str, Any]],
) -> None:
    ann = [{"$distinct_id": "ann" * 80, kind: body} for kind, body in operations]
    acme = [
        {"$group_key": "k" * 200, "$group_id": "g" * 200, kind: body}
        for kind, body in operations
        if kind != "$append"
    ]
    for source, check, updates in (
        (ProfilesOutboxSource(NOBODY, UNASKED), check_profile, ann),
        (GroupsOutboxSource(NOBODY, "groups"), check_group, acme),
    ):
        accepted = [update for update in updates if is_accepted(check, update)]
        assert [found for update in records(planned(source, accepted)) for found in broken(update)] == []


def is_accepted(check: Callable[[Any], bytes], update: Update) -> bool:
    try:
        check(update)
    except Invalid:
        return False
    return True
