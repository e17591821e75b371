"""Sort what a call hands in into what is kept and what is not.

One bulk check instead of a schema's load a record: there are up to 2,000 in a call.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson

from app.mixpanel.violations import Violation
from app.web.api.bodies import Record
from app.web.api.problems import Fault

Check = Callable[[Any], bytes]
"""Returns a record as it is to be sent; raises Invalid."""

# To what a record weighs comes what the relay adds: token, source, a time and an id.
ADDED_BYTES: Final = 200


class Invalid(Exception):  # noqa: N818 - a state of the record, not a mistake of ours
    """A record cannot be taken in.

    Attributes:
        fault: the first thing that is wrong with it.
    """

    def __init__(self, field: str, code: str, detail: str) -> None:
        super().__init__(code)
        self.fault = Fault(field, detail, code)


@dataclass(frozen=True, slots=True)
class Sorted:
    """What became of the records: those to keep, encoded, and one fault for each of the others."""

    kept: list[bytes]
    rejected: list[Fault]


def sort_records(records: Iterable[Record], check: Check) -> Sorted:
    """Check every record."""
    kept: list[bytes] = []
    rejected: list[Fault] = []
    for record in records:
        if record.fault is not None:
            rejected.append(record.fault)
            continue
        try:
            kept.append(check(record.value))
        except Invalid as invalid:
            rejected.append(replace(invalid.fault, index=record.index, line=record.line))
    return Sorted(kept, rejected)


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
