"""The limits that Mixpanel sets to one update of a user profile or a group, checked before it is sent.

Source: Mixpanel's documentation of `/engage` and `/groups`: one operation an update, 1 MB, property names of
up to 255 characters, 2,000 properties a profile. How many a profile has already only Mixpanel knows.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from app.mixpanel.refused_ids import REFUSED_IDS
from app.mixpanel.violations import Violation, path, size_violations
from config.fields import MAX_PROPERTY_NAME
from config.ids import TOO_LONG, is_too_long

MAX_PROPERTIES: Final = 2_000
PROFILE_KINDS: Final = (
    "$set",
    "$set_once",
    "$add",
    "$union",
    "$append",
    "$remove",
    "$unset",
    "$delete",
)
# Source: ingestion.openapi.yaml, the operations of /groups.
GROUP_KINDS: Final = ("$set", "$set_once", "$union", "$remove", "$unset", "$delete")


def profile_violations(update: Any, *, size_bytes: int | None = None) -> list[Violation]:
    """Find every limit that an update of a profile breaks: `$distinct_id` and one operation.

    Args:
        update: the decoded JSON, whatever it is.
        size_bytes: its size as JSON where that is known; else it is measured.
    """
    if not isinstance(update, dict):
        return [Violation("", "update", "must be an object with $distinct_id and one operation")]
    distinct_id = update.get("$distinct_id")
    found = list(_id_violations("$distinct_id", distinct_id))
    if isinstance(distinct_id, str) and distinct_id in REFUSED_IDS:
        message = "is one of the ids that Mixpanel refuses, such as anonymous or null"
        found.append(Violation("$distinct_id", "refused_id", message))
    found += _operation_violations(update, ("$distinct_id",), PROFILE_KINDS)
    return found + size_violations(update, size_bytes)


def group_violations(update: Any, *, size_bytes: int | None = None) -> list[Violation]:
    """Find every limit that an update of a group breaks: `$group_key`, `$group_id` and one operation.

    Args:
        update: the decoded JSON, whatever it is.
        size_bytes: its size as JSON where that is known; else it is measured.
    """
    if not isinstance(update, dict):
        return [Violation("", "update", "must be an object with $group_key, $group_id and one operation")]
    found = [
        *_id_violations("$group_key", update.get("$group_key")),
        *_id_violations("$group_id", update.get("$group_id")),
        *_operation_violations(update, ("$group_key", "$group_id"), GROUP_KINDS),
    ]
    return found + size_violations(update, size_bytes)


def _id_violations(field: str, value: Any) -> Iterator[Violation]:
    if not isinstance(value, str) or not value.strip():
        yield Violation(field, field.removeprefix("$"), "must be text that is not empty")
    elif is_too_long(value):
        yield Violation(field, field.removeprefix("$"), TOO_LONG)


def _operation_violations(
    update: Mapping[str, Any], ids: tuple[str, ...], kinds: tuple[str, ...]
) -> Iterator[Violation]:
    for name in update.keys() - {*ids, *kinds}:
        yield Violation(path(name), "unknown_field", f"is no operation; known are {', '.join(kinds)}")
    named = [kind for kind in kinds if kind in update]
    if len(named) != 1:
        yield Violation("", "operation", f"must have exactly one operation, of {', '.join(kinds)}")
    for kind in named:
        yield from _body_violations(kind, update[kind])


def _body_violations(kind: str, body: Any) -> Iterator[Violation]:
    if kind == "$delete":  # what stands behind it is ignored
        return
    if kind == "$unset":
        yield from _unset_violations(body)
        return
    if not isinstance(body, dict) or not body:
        yield Violation(kind, "operation", "must be an object of property names and values")
        return
    yield from _count_violations(kind, len(body))
    for name, value in body.items():
        yield from _name_violations(kind, name)
        wrong = _CHECKS[kind](value)
        if wrong:
            yield Violation(path(kind, name), "value", wrong)


def _unset_violations(body: Any) -> Iterator[Violation]:
    if not isinstance(body, list) or not body or not all(isinstance(name, str) for name in body):
        yield Violation("$unset", "operation", "must be a list of property names")
        return
    yield from _count_violations("$unset", len(body))
    for name in body:
        yield from _name_violations("$unset", name)


def _count_violations(kind: str, number: int) -> Iterator[Violation]:
    if number > MAX_PROPERTIES:
        yield Violation(kind, "properties", f"has more than {MAX_PROPERTIES} properties")


def _name_violations(kind: str, name: str) -> Iterator[Violation]:
    if not name.strip():
        yield Violation(kind, "property_name", "has a property without a name")
    elif len(name) > MAX_PROPERTY_NAME:
        message = f"has a name of more than {MAX_PROPERTY_NAME} characters"
        yield Violation(path(kind, name), "property_name", message)


def _anything(_value: Any) -> str:
    return ""


def _number(value: Any) -> str:
    fine = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return "" if fine else "must be a number"


def _list(value: Any) -> str:
    return "" if isinstance(value, list) else "must be a list of values"


def _scalar(value: Any) -> str:
    return "must be a single value, neither list nor object" if isinstance(value, list | dict) else ""


_CHECKS: Final[Mapping[str, Callable[[Any], str]]] = {
    "$set": _anything,
    "$set_once": _anything,
    "$append": _anything,
    "$add": _number,
    "$union": _list,
    "$remove": _scalar,
}
