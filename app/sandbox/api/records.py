"""Check one record of a profile update, or of a group profile's. Pure.

Source: the published OpenAPI description of `/engage` and `/groups`, and
https://docs.mixpanel.com/reference/import-events for the refused ids. A token that is well formed is never
refused, right or wrong: "This does not signify a valid project token".
"""

from collections.abc import Callable, Collection, Mapping
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
GROUP_KINDS = frozenset({"$set", "$set_once", "$add", "$union", "$remove", "$unset", "$delete"})


class RefusedRecordError(Exception):
    """A record that does not become an update: the field at fault, and a message for people."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"'{field}' is invalid: {message}")
        self.field = field
        self.message = f"'{field}' is invalid: {message}"


@dataclass(frozen=True)
class Update:
    """A valid record: one operation on one profile.

    Attributes:
        token: Of the project.
        distinct_id: Whose profile.
        kind: The operation.
        operand: Its operand.
        geolocated: Whether the sender's address decides the profile's location.
        ignore_alias: Take the distinct_id as it is, linked or not (`$delete` only).
    """

    token: str
    distinct_id: str
    kind: str
    operand: Any
    geolocated: bool
    ignore_alias: bool = False


@dataclass(frozen=True)
class GroupUpdate:
    """A valid record of `/groups`: one operation on one group profile; `group` is its key and id."""

    token: str
    group: tuple[str, str]
    kind: str
    operand: Any
    geolocated: bool


def check_record(record: Any, limits: Limits, *, ip: bool) -> Update:
    """Turn a record of `/engage` into an update.

    Args:
        record: What the client sent, decoded.
        limits: The limits in force.
        ip: Whether the request asks for geolocation by its own address (`ip` other than 0).

    Raises:
        RefusedRecordError: The record is not valid.
    """
    token = _checked_token(record)
    distinct_id = check_id(record.get("$distinct_id"))
    kind, operand = _checked_operation(record, OPERATIONS, limits)
    ignore_alias = kind == "$delete" and record.get("$ignore_alias") is True
    return Update(token, distinct_id, kind, operand, _geolocated(record, ip=ip), ignore_alias)


def check_group_record(record: Any, limits: Limits, *, ip: bool) -> GroupUpdate:
    """Turn a record of `/groups` into an update; `$append` is none of its operations.

    Raises:
        RefusedRecordError: The record is not valid.
    """
    token = _checked_token(record)
    group_key, group_id = (_checked_part(record, name) for name in ("$group_key", "$group_id"))
    kind, operand = _checked_operation(record, GROUP_KINDS, limits)
    return GroupUpdate(token, (group_key, group_id), kind, operand, _geolocated(record, ip=ip))


def check_size(record: Any, limits: Limits) -> None:
    """Refuse a record above the size limit.

    Raises:
        RefusedRecordError: It is too large.
    """
    if len(orjson.dumps(record)) > limits.max_record_bytes:
        raise RefusedRecordError("record", f"exceeds max limit of {limits.max_record_bytes} bytes")


def check_id(value: Any, field: str = "$distinct_id") -> str:
    """Return a distinct_id as a string.

    Raises:
        RefusedRecordError: It is missing, of the wrong type, or among the values that Mixpanel refuses.
    """
    if value is None or value == "":
        raise RefusedRecordError(field, "missing or empty")
    if not isinstance(value, str) and not is_number(value):
        raise RefusedRecordError(field, "must be a string")
    text = str(value)
    if text in REFUSED_IDS:
        raise RefusedRecordError(field, "this value is not allowed")
    if len(text.encode()) > MAX_ID_BYTES:
        raise RefusedRecordError(field, f"longer than {MAX_ID_BYTES} bytes")
    return text


def _checked_token(record: Any) -> str:
    if not isinstance(record, dict):
        raise RefusedRecordError("record", "must be an object")
    token = record.get("$token")
    if not isinstance(token, str) or not token:
        raise RefusedRecordError("$token", "missing or empty")
    return token


def _checked_part(record: Mapping[str, Any], name: str) -> str:
    """Return a part of a group's name: any string that is not empty (a number counts as its text)."""
    value = record.get(name)
    if value is None or value == "":
        raise RefusedRecordError(name, "missing or empty")
    if not isinstance(value, str) and not is_number(value):
        raise RefusedRecordError(name, "must be a string")
    if len(str(value).encode()) > MAX_ID_BYTES:
        raise RefusedRecordError(name, f"longer than {MAX_ID_BYTES} bytes")
    return str(value)


def _checked_operation(record: Mapping[str, Any], known: Collection[str], limits: Limits) -> tuple[str, Any]:
    kinds = [kind for kind in known if kind in record]
    if len(kinds) != 1:
        raise RefusedRecordError("operation", f"one operation an object, found {len(kinds)}")
    kind, operand = kinds[0], record[kinds[0]]
    CHECKS[kind](kind, operand)
    _check_names(kind, operand, limits)
    return kind, operand


def _geolocated(record: Mapping[str, Any], *, ip: bool) -> bool:
    return ip and record.get("$ip", 1) not in NO_GEOLOCATION


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
