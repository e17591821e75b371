"""What all checks have in common: they return a record as an outbox holds it, or say what is wrong first."""

from collections.abc import Callable, Iterable
from typing import Any, Final

import orjson

from app.mixpanel.violations import Violation

Check = Callable[[Any], bytes]
"""Returns a record as it is to be sent; raises Invalid."""

# To what a record weighs comes what the relay adds: token, source, a time and an id.
ADDED_BYTES: Final = 200


class Invalid(Exception):  # noqa: N818 - a state of the record, not a mistake of ours
    """A record cannot be taken in.

    Attributes:
        field: the path of what is wrong first, within the record.
        code: stable, for programs.
        detail: for people; holds no value of the record.
    """

    def __init__(self, field: str, code: str, detail: str) -> None:
        super().__init__(code)
        self.field = field
        self.code = code
        self.detail = detail


def encode(record: Any) -> bytes:
    """Return a record as JSON; raises Invalid where it is nested deeper than can be encoded."""
    try:
        return orjson.dumps(record)
    except orjson.JSONEncodeError as err:
        raise Invalid("", "nesting", "The record is nested too deep.") from err


def refuse_first(violations: Iterable[Violation]) -> None:
    """Raise Invalid if there is a violation."""
    for field, rule, message in violations:
        raise Invalid(field, rule, f"{field or 'The record'} {message}.")
