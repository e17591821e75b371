"""What becomes of a batch: some records are taken in, the others refused by index."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from app.sandbox.api.records import RefusedRecordError, check_size
from app.sandbox.config import Limits

Checked = TypeVar("Checked")


@dataclass(frozen=True)
class Failure:
    """A record that was refused; `insert_id` is an event's."""

    index: int
    field: str
    message: str
    insert_id: str | None = None


@dataclass(frozen=True)
class Ingested:
    """What became of a batch.

    Attributes:
        imported: Number of records that were valid.
        failures: The others, by index.
        misdirected: Number of valid records with a token that is not this project's: accepted, and gone.
        expired: Number of valid events that were too old for `/track`: likewise.
    """

    imported: int
    failures: tuple[Failure, ...]
    misdirected: int = 0
    expired: int = 0


def checked(
    records: Sequence[Any],
    check: Callable[[Any], Checked],
    limits: Limits,
    *,
    size_bytes: int,
    refused: Mapping[int, str],
    blamed: str,
) -> tuple[dict[int, Checked], list[Failure]]:
    """Check each record of a batch.

    Args:
        records: Decoded, in the order of the request.
        check: Turns a record into what it means, or raises `RefusedRecordError`.
        limits: The limits in force.
        size_bytes: Size of the whole request; above the limit of one record each record is measured.
        refused: Records to refuse whatever they hold, with a message each (an injected fault).
        blamed: The field that an injected fault names.

    Returns:
        What the valid records mean, and the others, by index.
    """
    measure = size_bytes > limits.max_record_bytes
    valid: dict[int, Checked] = {}
    failures: list[Failure] = []
    for index, record in enumerate(records):
        try:
            if index in refused:
                raise RefusedRecordError(blamed, refused[index])  # noqa: TRY301 -- an injected fault is refused like any other
            if measure:
                check_size(record, limits)
            valid[index] = check(record)
        except RefusedRecordError as err:
            failures.append(Failure(index, err.field, err.message, insert_id_of(record)))
    return valid, failures


def ingested(count: int, failures: Sequence[Failure], *, misdirected: int = 0, expired: int = 0) -> Ingested:
    """Sum up a batch of `count` records."""
    ordered = tuple(sorted(failures, key=lambda failure: failure.index))
    return Ingested(count - len(ordered), ordered, misdirected, expired)


def insert_id_of(record: Any) -> str | None:
    """Return the `$insert_id` that an answer names a refused event by; None if the record has none."""
    properties = record.get("properties") if isinstance(record, dict) else None
    insert_id = properties.get("$insert_id") if isinstance(properties, dict) else None
    return insert_id if isinstance(insert_id, str) else None
