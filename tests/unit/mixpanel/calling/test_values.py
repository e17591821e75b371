from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.mixpanel.calling.values import InvalidValue, pairs, read, read_object, written
from app.mixpanel.catalog.row import Parameter


def parameter(**facts: Any) -> Parameter:
    return Parameter("x", "query", **facts)


@pytest.mark.parametrize(
    ("facts", "given_", "expected"),
    [
        ({"type": "integer"}, "12", 12),
        ({"type": "integer"}, 12.0, 12),
        ({"type": "number"}, "1.5", 1.5),
        ({"type": "boolean"}, "TRUE", True),
        ({"type": "boolean"}, 0, False),
        ({"type": "string"}, 7, "7"),
        ({"type": "string", "format": "date"}, "2026-08-31", "2026-08-31"),
        ({"type": "string", "format": "uuid"}, "1" * 32, "1" * 32),
        ({"type": "array", "items": "integer"}, '["1", 2]', [1, 2]),
        ({"type": "array", "items": "string"}, "a", ["a"]),
        ({"type": "object"}, '{"a": 1}', {"a": 1}),
        ({"type": "any"}, None, None),
        ({"type": "string", "encoded": True}, ["a", "b"], '["a","b"]'),
        ({"type": "string", "encoded": True}, '[ "a" ]', '["a"]'),
        ({"type": "array", "encoded": True, "items": "string"}, "$email", '["$email"]'),
        ({"type": "string", "encoded": True}, {"id": 7}, '{"id":7}'),
        ({"type": "string", "nullable": True}, None, None),
    ],
)
def test_values_are_read_as_their_parameter_says(facts: dict[str, Any], given_: Any, expected: Any) -> None:
    assert read(parameter(**facts), given_) == expected


@pytest.mark.parametrize(
    ("facts", "given_", "what"),
    [
        ({"type": "integer"}, "a secret", "whole number"),
        ({"type": "integer"}, True, "whole number"),
        ({"type": "integer", "minimum": 1}, 0, "1 or more"),
        ({"type": "integer", "maximum": 9}, 10, "9 or less"),
        ({"type": "number"}, "nan", "number"),
        ({"type": "boolean"}, "a secret", "true or false"),
        ({"type": "string"}, [], "text"),
        ({"type": "string", "max_length": 2}, "abc", "2 characters"),
        ({"type": "string", "format": "date"}, "31.8.2026", "day"),
        ({"type": "string", "format": "date"}, "2026-02-30", "day"),
        ({"type": "string", "format": "date-time"}, "soon", "time"),
        ({"type": "string", "format": "uuid"}, "x", "UUID"),
        ({"type": "string", "format": "uuid4"}, "1" * 32, "version 4"),
        ({"type": "string", "enum": ("a", "b")}, "a secret", "one of: a, b"),
        ({"type": "array", "items": "integer"}, ["a secret"], "whole number"),
        ({"type": "array", "min_items": 2}, ["a"], "2 elements or more"),
        ({"type": "array", "max_items": 1}, ["a", "b"], "1 elements or fewer"),
        ({"type": "object"}, "a secret", "JSON"),
        ({"type": "object"}, [], "object"),
        ({"type": "string", "encoded": True}, "a secret", "JSON"),
        ({"type": "string", "encoded": True}, "7", "list or an object"),
    ],
)
def test_what_is_wrong_is_said_without_the_value(facts: dict[str, Any], given_: Any, what: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        read(parameter(**facts), given_)
    assert what in caught.value.what
    assert "secret" not in caught.value.what


def test_a_problem_within_an_object_has_its_place() -> None:
    inner = Parameter("time", "json", "integer", required=True)
    fields = (Parameter("properties", "json", "object", required=True, fields=(inner,)),)
    with pytest.raises(InvalidValue) as caught:
        read_object(fields, {"properties": {"time": "soon"}})
    assert caught.value.path == "properties.time"
    with pytest.raises(InvalidValue) as caught:
        read_object(fields, {"properties": {}})
    assert (caught.value.path, caught.value.what) == ("properties.time", "is missing")


def test_fields_that_are_not_documented_pass_and_required_ones_have_their_default() -> None:
    fields = (Parameter("event", "json", required=True, default="$merge"),)
    assert read_object(fields, {"Plan": None}) == {"event": "$merge", "Plan": None}


def test_repeated_values_are_one_pair_each_and_others_are_one() -> None:
    assert list(pairs(parameter(type="array", repeated=True), ["a", 1])) == [("x", "a"), ("x", "1")]
    assert list(pairs(parameter(type="array"), ["a"])) == [("x", '["a"]')]
    assert written(True) == "true"


@given(st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.text())))
def test_any_value_is_read_or_refused(value: Any) -> None:
    for type_ in ("string", "integer", "number", "boolean", "array", "object"):
        for encoded in (True, False):
            with suppress(InvalidValue):
                read(parameter(type=type_, encoded=encoded), value)
