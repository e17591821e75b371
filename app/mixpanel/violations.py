"""What breaks a limit of Mixpanel's, said so that a person and a program can act on it."""

from typing import Final, NamedTuple

import orjson

# Source: Mixpanel's ingestion documentation, "smaller than 1MB of uncompressed JSON".
MAX_RECORD_BYTES: Final = 1024 * 1024 - 1
_SHOWN: Final = 255


class Violation(NamedTuple):
    """A limit that a record breaks.

    Attributes:
        field: where, such as `properties.tags` or `$set.plan`; empty for the record as a whole.
        rule: the limit's name, such as `nesting` or `time_future`; stable, for programs.
        message: the limit in a sentence, without any value of the record.
    """

    field: str
    rule: str
    message: str


def path(*steps: str | int) -> str:
    """Write a place within a record, long names cut: `properties.tags[3].name`."""
    text = ""
    for step in steps:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += f".{step[:_SHOWN]}" if text else step[:_SHOWN]
    return text


def size_violations(record: object, size_bytes: int | None) -> list[Violation]:
    """Check the size of a record, measured here where it is not known (None)."""
    if size_bytes is None:
        try:
            size_bytes = len(orjson.dumps(record))
        except orjson.JSONEncodeError:  # it was JSON once, so its depth is what is wrong
            return [Violation("", "nesting", "is nested too deep")]
    if size_bytes <= MAX_RECORD_BYTES:
        return []
    return [Violation("", "size", f"is larger than {MAX_RECORD_BYTES} bytes as JSON")]
