"""What the operators and functions of expressions do. Pure.

A property that is missing, or null, is None here; whatever is computed of it is None as well, and no
comparison but `!=` holds for it. The types are those of JSON: nothing is cast unless asked to (`number`,
`string`, `boolean`).
"""

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

Binary = Callable[[Any, Any], Any]
Unary = Callable[[Any], Any]


def is_number(value: Any) -> bool:
    """Tell whether a value is a number (a boolean is none)."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _of_numbers(compute: Binary) -> Binary:
    def computed(left: Any, right: Any) -> Any:
        return compute(left, right) if is_number(left) and is_number(right) else None

    return computed


def _nonzero(compute: Binary) -> Binary:
    def computed(left: Any, right: Any) -> Any:
        return None if right == 0 else compute(left, right)

    return computed


def _plus(left: Any, right: Any) -> Any:
    if isinstance(left, str) and isinstance(right, str):
        return left + right
    return left + right if is_number(left) and is_number(right) else None


def _ordered(compare: Binary) -> Binary:
    def compared(left: Any, right: Any) -> bool:
        alike = (is_number(left) and is_number(right)) or (isinstance(left, str) and isinstance(right, str))
        return alike and bool(compare(left, right))

    return compared


def equal(left: Any, right: Any) -> bool:
    """Tell whether two values are the same; true is not 1."""
    return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)


def _within(left: Any, right: Any) -> bool:
    if isinstance(right, str):
        return isinstance(left, str) and left in right
    return isinstance(right, list) and any(equal(left, one) for one in right)


def number(value: Any) -> Any:
    """Cast to a number; what is none is None."""
    if isinstance(value, bool):
        return int(value)
    if is_number(value):
        return value
    try:
        found = float(value)
    except (TypeError, ValueError):
        return None
    if not math.isfinite(found):
        return None
    return int(found) if found.is_integer() else found


def string(value: Any) -> Any:
    """Cast to a text."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def boolean(value: Any) -> bool:
    """Cast to true or false; the text `false` is false."""
    return value not in ("false", "False") if isinstance(value, str) and value else bool(value)


def _rounding(compute: Callable[[float], int]) -> Unary:
    def rounded(value: Any) -> Any:
        return compute(value) if is_number(value) else None

    return rounded


BINARY: Mapping[str, Binary] = {
    "+": _plus,
    "-": _of_numbers(operator.sub),
    "*": _of_numbers(operator.mul),
    "/": _of_numbers(_nonzero(operator.truediv)),
    "%": _of_numbers(_nonzero(operator.mod)),
    "==": equal,
    "!=": lambda left, right: not equal(left, right),
    "<": _ordered(operator.lt),
    "<=": _ordered(operator.le),
    ">": _ordered(operator.gt),
    ">=": _ordered(operator.ge),
    "in": _within,
}
FUNCTIONS: Mapping[str, Unary] = {
    "number": number,
    "string": string,
    "boolean": boolean,
    "floor": _rounding(math.floor),
    "ceil": _rounding(math.ceil),
    "round": _rounding(lambda value: math.floor(value + 0.5)),
    "defined": lambda value: value is not None,
}
