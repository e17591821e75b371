"""Check one record of a profile update. Pure.

Source: the published OpenAPI description of `/engage`, and https://docs.mixpanel.com/reference/import-events
for the refused ids. A token that is well formed is never refused, right or wrong: "This does not signify a
valid project token".
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from app.sandbox.api.operations import OPERATIONS, is_number
from app.sandbox.config import Limits

REFUSED_IDS = frozenset(
    (
        *("00000000-0000-0000-0000-000000000000", "anon", "anonymous", "nil", "none", "null", "n/a", "na"),
        *("undefined", "unknown", "<nil>", "0", "-1", "true", "false", "[]", "{}"),
    )
)
MAX_ID_BYTES = 255
NO_GEOLOCATION = (0, "0")


class RefusedRecordError(Exception):
    """A record that does not become an update: the field at fault, and a message for people."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"'{field}' is invalid: {message}")
        self.field = field
        self.message = f"'{field}' is invalid: {message}"


@dataclass(frozen=True)
class Update:
    """A valid record: one operation on one profile."""

    token: str
    distinct_id: str
    kind: str
    operand: Any
    geolocated: bool


def check_record(record: Any, limits: Limits, *, ip: bool) -> Update:
    """Turn a record into an update.

    Args:
        record: What the client sent, decoded.
        limits: The limits in force.
        ip: Whether the request asks for geolocation by its own address (`ip` other than 0).

    Raises:
        RefusedRecordError: The record is not valid.
    """
    if not isinstance(record, dict):
        raise RefusedRecordError("record", "must be an object")
    token = record.get("$token")
    if not isinstance(token, str) or not token:
        raise RefusedRecordError("$token", "missing or empty")
    distinct_id = check_id(record.get("$distinct_id"))
    kinds = [kind for kind in OPERATIONS if kind in record]
    if len(kinds) != 1:
        raise RefusedRecordError("operation", f"one operation an object, found {len(kinds)}")
    kind, operand = kinds[0], record[kinds[0]]
    CHECKS[kind](kind, operand)
    _check_names(kind, operand, limits)
    return Update(token, distinct_id, kind, operand, ip and record.get("$ip", 1) not in NO_GEOLOCATION)


def check_size(record: Any, limits: Limits) -> None:
    """Refuse a record above the size limit.

    Raises:
        RefusedRecordError: It is too large.
    """
    if len(orjson.dumps(record)) > limits.max_record_bytes:
        raise RefusedRecordError("record", f"exceeds max limit of {limits.max_record_bytes} bytes")


def check_id(value: Any) -> str:
    """Return a distinct_id as a string.

    Raises:
        RefusedRecordError: It is missing, of the wrong type, or among the values that Mixpanel refuses.
    """
    if value is None or value == "":
        raise RefusedRecordError("$distinct_id", "missing or empty")
    if not isinstance(value, str) and not is_number(value):
        raise RefusedRecordError("$distinct_id", "must be a string")
    text = str(value)
    if text in REFUSED_IDS:
        raise RefusedRecordError("$distinct_id", "this value is not allowed")
    if len(text.encode()) > MAX_ID_BYTES:
        raise RefusedRecordError("$distinct_id", f"longer than {MAX_ID_BYTES} bytes")
    return text


def _check_object(kind: str, operand: Any) -> None:
    if not isinstance(operand, dict):
        raise RefusedRecordError(kind, "must be an object")


def _check_add(kind: str, operand: Any) -> None:
    _check_object(kind, operand)
    for name, value in operand.items():
        if not is_number(value):
            raise RefusedRecordError(f"{kind}.{name}", "must be a number")


def _check_union(kind: str, operand: Any) -> None:
    _check_object(kind, operand)
    if not operand:
        raise RefusedRecordError(kind, "must not be empty")
    for name, values in operand.items():
        if not isinstance(values, list) or not values:
            raise RefusedRecordError(f"{kind}.{name}", "must be a list with at least one value")
        if not all(isinstance(value, str) or is_number(value) for value in values):
            raise RefusedRecordError(f"{kind}.{name}", "values must be strings or numbers")


def _check_remove(kind: str, operand: Any) -> None:
    _check_object(kind, operand)
    for name, value in operand.items():
        if isinstance(value, list | dict):
            raise RefusedRecordError(f"{kind}.{name}", "must be a single value")


def _check_unset(kind: str, operand: Any) -> None:
    if not isinstance(operand, list) or not operand or not all(isinstance(name, str) for name in operand):
        raise RefusedRecordError(kind, "must be a list of property names")


def _check_nothing(_kind: str, _operand: Any) -> None:
    """Accept any value: `$delete` ignores it."""


def _check_names(kind: str, operand: Any, limits: Limits) -> None:
    if kind == "$delete":
        return
    for name in operand:
        if not name or len(name) > limits.max_name_chars:
            raise RefusedRecordError(kind, f"property names have 1 to {limits.max_name_chars} characters")
    if len(operand) > limits.max_properties:
        raise RefusedRecordError(kind, f"more than {limits.max_properties} properties")


CHECKS: Mapping[str, Callable[[str, Any], None]] = {
    "$set": _check_object,
    "$set_once": _check_object,
    "$add": _check_add,
    "$union": _check_union,
    "$append": _check_object,
    "$remove": _check_remove,
    "$unset": _check_unset,
    "$delete": _check_nothing,
}
