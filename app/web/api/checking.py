"""Sort what a call hands in into what is kept and what is not.

One bulk check instead of a schema's load a record: there are up to 2,000 in a call.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from app.destinations.checks.invalid import Check, Invalid
from app.web.api.bodies import Record
from app.web.api.problems import Fault


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
        except Invalid as wrong:
            rejected.append(Fault(wrong.field, wrong.detail, wrong.code, record.index, record.line))
    return Sorted(kept, rejected)
