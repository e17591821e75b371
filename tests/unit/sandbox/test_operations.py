from typing import Any

import pytest

from app.sandbox.api.operations import apply_operation

CASES: list[tuple[str, Any, Any, Any]] = [
    # operation, profile before, operand, profile after
    ("$set", None, {"a": 1}, {"a": 1}),
    ("$set", {"a": 1, "b": 2}, {"a": None}, {"a": None, "b": 2}),
    ("$set", None, {}, {}),
    ("$set_once", None, {"a": 1}, {"a": 1}),
    ("$set_once", {"a": 1}, {"a": 2, "b": 3}, {"a": 1, "b": 3}),
    ("$set_once", {"a": None}, {"a": 2}, {"a": None}),
    ("$add", None, {"n": 5}, {"n": 5}),
    ("$add", {"n": 5}, {"n": -2.5}, {"n": 2.5}),
    ("$add", {"n": "text"}, {"n": 1}, {"n": "text"}),
    ("$add", {"n": True}, {"n": 1}, {"n": True}),
    ("$add", {"n": 2**63 - 1}, {"n": 1}, {"n": float(2**63)}),
    ("$union", None, {"l": ["a"]}, {"l": ["a"]}),
    ("$union", {"l": ["a"]}, {"l": ["a", "b", "b"]}, {"l": ["a", "b"]}),
    ("$union", {"l": [True]}, {"l": [1, 1.0]}, {"l": [True, 1]}),
    ("$union", {"l": "text"}, {"l": ["a"]}, {"l": "text"}),
    ("$append", None, {"l": "a"}, {"l": ["a"]}),
    ("$append", {"l": ["a"]}, {"l": "a"}, {"l": ["a", "a"]}),
    ("$append", {"l": ["a"]}, {"l": ["b"]}, {"l": ["a", ["b"]]}),
    ("$append", {"l": 1}, {"l": 2}, {"l": 1}),
    ("$remove", {"l": ["a", "b", "a"]}, {"l": "a"}, {"l": ["b"]}),
    ("$remove", {"l": ["a"]}, {"l": "b"}, {"l": ["a"]}),
    ("$remove", {"l": ["a"]}, {"l": "a"}, {"l": []}),
    ("$remove", {"l": [1, True]}, {"l": 1}, {"l": [True]}),
    ("$remove", {"l": "a"}, {"l": "a"}, {"l": "a"}),
    ("$remove", {}, {"l": "a"}, {}),
    ("$remove", None, {"l": "a"}, None),
    ("$unset", {"a": 1, "b": 2}, ["a", "c"], {"b": 2}),
    ("$unset", None, ["a"], None),
    ("$delete", {"a": 1}, "", None),
    ("$delete", None, None, None),
]


@pytest.mark.parametrize(("kind", "before", "operand", "after"), CASES)
def test_an_operation_does_what_the_documentation_says(
    kind: str, before: Any, operand: Any, after: Any
) -> None:
    found = apply_operation(kind, before, operand)

    assert found == after
    assert repr(found) == repr(after)  # 1 and true are equal in Python


@pytest.mark.parametrize(("kind", "before", "operand", "after"), CASES)
def test_an_operation_leaves_the_profile_it_was_given_alone(
    kind: str, before: Any, operand: Any, after: Any
) -> None:
    copy = (
        None
        if before is None
        else {name: list(value) if isinstance(value, list) else value for name, value in before.items()}
    )

    apply_operation(kind, before, operand)

    assert before == copy
