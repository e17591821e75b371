"""Find whole numbers that the JSON decoder cannot hold: it makes floats of them, and their digits get lost.

Two events that differ in such a number only would become one. Few bodies have as many digits in a row, so
only those are decoded a second time.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

Place = tuple[str | int, ...]

_MANY_DIGITS: Final = re.compile(rb"\d{19}")
_SMALLEST, _LARGEST = -(2**63), 2**64 - 1
_MOST_DIGITS: Final = 21  # with the sign; more are beyond, and take long to read


class _Beyond:
    """Stands for a number that is beyond."""


_BEYOND: Final = _Beyond()


def beyond_64_bits(body: bytes) -> dict[str | int, Place]:
    """Return for each part of a JSON array or object where in it the first such number is.

    Raises:
        RecursionError: the text is nested very deep.
    """
    if not _MANY_DIGITS.search(body):
        return {}
    found: dict[str | int, Place] = {}
    for first, *rest in _places(json.loads(body, parse_int=_read), ()):
        found.setdefault(first, tuple(rest))
    return found


def _read(digits: str) -> int | _Beyond:
    if len(digits) > _MOST_DIGITS or not _SMALLEST <= (number := int(digits)) <= _LARGEST:
        return _BEYOND
    return number


def _places(value: Any, steps: Place) -> Iterator[Place]:
    if value is _BEYOND and steps:
        yield steps
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _places(inner, (*steps, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _places(inner, (*steps, index))
