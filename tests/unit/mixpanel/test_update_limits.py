"""What Mixpanel does not take of an update of a profile or a group is found before it is sent."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.mixpanel.refused_ids import REFUSED_IDS
from app.mixpanel.update_limits import (
    GROUP_KINDS,
    MAX_PROPERTIES,
    PROFILE_KINDS,
    group_violations,
    profile_violations,
)
from app.mixpanel.violations import MAX_RECORD_BYTES

BODIES: dict[str, Any] = {
    "$set": {"a": {"b": [1, None]}},
    "$set_once": {"a": 1},
    "$add": {"a": -1.5},
    "$union": {"a": ["x"]},
    "$append": {"a": "x"},
    "$remove": {"a": "x"},
    "$unset": ["a"],
    "$delete": None,
}


def profile(**operation: Any) -> list[tuple[str, str]]:
    found = profile_violations({"$distinct_id": "u1", **operation})
    return [(violation.field, violation.rule) for violation in found]


def group(**operation: Any) -> list[tuple[str, str]]:
    found = group_violations({"$group_key": "company", "$group_id": "Acme", **operation})
    return [(violation.field, violation.rule) for violation in found]


@pytest.mark.parametrize("kind", BODIES)
def test_each_operation_is_taken_where_mixpanel_has_it(kind: str) -> None:
    assert set(BODIES) == set(PROFILE_KINDS)
    assert profile(**{kind: BODIES[kind]}) == []
    assert bool(group(**{kind: BODIES[kind]})) is (kind not in GROUP_KINDS)


@pytest.mark.parametrize(
    ("operation", "field", "rule"),
    [
        ({}, "", "operation"),
        ({"$set": {"a": 1}, "$unset": ["b"]}, "", "operation"),
        ({"$set": {}}, "$set", "operation"),
        ({"$set": [1]}, "$set", "operation"),
        ({"$unset": "a"}, "$unset", "operation"),
        ({"$unset": []}, "$unset", "operation"),
        ({"$unset": ["a", 5]}, "$unset", "operation"),
        ({"$add": {"a": "1"}}, "$add.a", "value"),
        ({"$add": {"a": True}}, "$add.a", "value"),
        ({"$union": {"a": "x"}}, "$union.a", "value"),
        ({"$remove": {"a": ["x"]}}, "$remove.a", "value"),
        ({"$set": {" ": 1}}, "$set", "property_name"),
        ({"$unset": [""]}, "$unset", "property_name"),
        ({"$set": {"a": 1}, "$token": "t"}, "$token", "unknown_field"),
    ],
)
def test_what_is_wrong_is_named_by_its_place_and_its_rule(
    operation: dict[str, Any], field: str, rule: str
) -> None:
    assert profile(**operation) == [(field, rule)]


@pytest.mark.parametrize("refused", sorted(REFUSED_IDS))
def test_refused_ids_have_no_profile_but_may_be_a_group(refused: str) -> None:
    found = profile_violations({"$distinct_id": refused, "$set": {"a": 1}})
    assert [(one.field, one.rule) for one in found] == [("$distinct_id", "refused_id")]
    assert group_violations({"$group_key": "company", "$group_id": refused, "$set": {"a": 1}}) == []


@pytest.mark.parametrize("value", [None, "", " ", 5, ["u1"], {}])
def test_whose_update_it_is_must_be_text(value: Any) -> None:
    (found,) = profile_violations({"$distinct_id": value, "$set": {"a": 1}})
    assert found[:2] == ("$distinct_id", "distinct_id")
    (found,) = group_violations({"$group_key": "company", "$group_id": value, "$set": {"a": 1}})
    assert found[:2] == ("$group_id", "group_id")


@pytest.mark.parametrize("anything", [None, 5, "u1", [], [{}]])
def test_what_is_no_object_is_refused(anything: Any) -> None:
    assert [found.rule for found in profile_violations(anything)] == ["update"]
    assert [found.rule for found in group_violations(anything)] == ["update"]


@given(st.integers(253, 257), st.sampled_from(["$set", "$append", "$unset"]))
def test_a_name_has_at_most_255_characters(length: int, kind: str) -> None:
    name = "x" * length
    body: Any = [name] if kind == "$unset" else {name: 1}
    assert [rule for _, rule in profile(**{kind: body})] == (["property_name"] if length > 255 else [])


@pytest.mark.parametrize("over", [-1, 0, 1])
@pytest.mark.parametrize("kind", ["$set", "$unset"])
def test_an_update_names_at_most_as_many_properties_as_a_profile_has(kind: str, over: int) -> None:
    names = [f"p{number}" for number in range(MAX_PROPERTIES + over)]
    body: Any = names if kind == "$unset" else dict.fromkeys(names, 1)
    expected = [(kind, "properties")] if over > 0 else []
    assert profile(**{kind: body}) == group(**{kind: body}) == expected


@pytest.mark.parametrize("over", [0, 1])
def test_an_update_is_smaller_than_a_mebibyte(over: int) -> None:
    size = MAX_RECORD_BYTES + over
    update = {"$distinct_id": "u1", "$set": {"a": 1}}
    assert [found.rule for found in profile_violations(update, size_bytes=size)] == (["size"] if over else [])


def test_something_nested_without_end_is_refused_without_failing() -> None:
    value: Any = 1
    for _ in range(900):
        value = [value]
    assert profile(**{"$set": {"a": value}}) == [("", "nesting")]


@pytest.mark.parametrize(("an_id", "fits"), [("é" * 127 + "x", True), ("é" * 128, False)])
def test_an_id_has_at_most_255_bytes(an_id: str, *, fits: bool) -> None:
    assert (profile(**{"$distinct_id": an_id, "$delete": True}) == []) == fits
    for name in ("$group_key", "$group_id"):
        assert (group(**{name: an_id, "$delete": True}) == []) == fits
