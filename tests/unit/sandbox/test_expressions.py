import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sandbox.expressions.reading import read, read_condition
from app.sandbox.expressions.tokens import ExpressionError

PROPERTIES = {"plan": "pro", "n": 3, "x": 2.5, "yes": True, "no": "false", "tags": ["a", 1], "nothing": None}


def value(source: str) -> Any:
    return read(source)({"properties": PROPERTIES})


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('properties["plan"] == "pro"', True),
        ("properties['plan'] == 'pro'", True),
        ('properties["n"] + 2 * 3', 9),
        ('(properties["n"] + 2) * 3', 15),
        ('-properties["n"] - -1', -2),
        ('properties["n"] / 2 > 1.4 and properties["n"] % 2 == 1', True),
        ('not properties["yes"] or properties["n"] >= 3', True),
        ('not (properties["yes"] or false)', False),
        ('"ro" in properties["plan"]', True),
        ('"a" in properties["tags"]', True),
        ('true in properties["tags"]', False),
        ('properties["n"] in properties["plan"]', False),
        ('properties["yes"] == 1', False),
        ('properties["plan"] > 1', False),
        ('boolean(properties["no"])', False),
        ('number("12") + number("x")', None),
        ('number(" 1.5 ")', 1.5),
        ('string(properties["n"]) + "!"', "3!"),
        ('round(2.5) + floor(properties["x"]) + ceil(properties["x"])', 8),
        ('defined(properties["nothing"])', False),
        ('properties["nowhere"] == properties["nothing"]', True),
        ('properties["nowhere"] != "a"', True),
        ('properties["nowhere"] < 1 or properties["nowhere"] >= 1', False),
        ('properties["n"] / 0', None),
        ('properties["n"] + "a"', None),
        (r'"a\"b" == "a" + "\"" + "b"', True),
    ],
)
def test_an_expression_has_the_value_that_its_grammar_says(source: str, expected: Any) -> None:
    found = value(source)
    assert found == expected
    assert isinstance(found, bool) == isinstance(expected, bool)


@pytest.mark.parametrize(
    "source",
    [
        "",
        " ",
        "1 +",
        "(1",
        "1)",
        "1 2",
        "properties",
        "properties[1]",
        'properties["a"',
        'user["a"]',
        'datetime("2026-01-01")',
        'any("a", properties["b"])',
        'behaviors["b"] > 1',
        "1 ~ 2",
        "1 == 2 == 3",
        '"open',
        "(" * 60 + "1" + ")" * 60,
        "not " * 60 + "true",
        "-" * 60 + "1",
        "1" * 10_001,
    ],
)
def test_what_is_not_known_is_refused(source: str) -> None:
    with pytest.raises(ExpressionError):
        read(source)


def test_without_an_expression_everything_holds() -> None:
    assert read_condition(None)({})
    assert read_condition("")({})


@given(st.text(alphabet='pro"[]()<>=!+-*/% 12andoritfe', max_size=40))
def test_any_text_is_read_or_refused(source: str) -> None:
    with contextlib.suppress(ExpressionError):
        read(source)({"properties": PROPERTIES})


NUMBERS = st.integers(-9, 9)


@given(NUMBERS, NUMBERS, NUMBERS, st.sampled_from(["+", "-", "*"]), st.sampled_from(["+", "-", "*"]))
def test_arithmetic_is_as_everywhere(a: int, b: int, c: int, first: str, second: str) -> None:
    source = f"{a} {first} {b} {second} {c}"
    assert value(source) == eval(source)
