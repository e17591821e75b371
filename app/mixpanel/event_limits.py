"""The limits that Mixpanel's `/import` sets to an event, checked before anything is sent.

Source: https://developer.mixpanel.com/reference/import-events and, for `$device_id` and `$user_id`,
Mixpanel's documentation of identity management. Mixpanel cuts texts at 255 characters, which is a violation
only where they are names: others, then. For ids see `config.ids`. An empty `distinct_id` is none: it is how
Mixpanel wants an event that is nobody's.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from app.mixpanel.refused_ids import REFUSED_IDS
from app.mixpanel.violations import Violation, path, size_violations
from config.event_shape import IDENTITY_VERBS, MAX_NAME, misshapes
from config.ids import TOO_LONG, device_node, is_too_long
from config.links import DEVICE_PREFIX, IdManagement

_PROPERTIES: Final = "properties"
_DEVICE_ID: Final = "$device_id"
_INSERT_ID: Final = re.compile(r"[A-Za-z0-9-]{1,36}")
_YEAR_1971_S: Final = 31_536_000
# A number from here on is milliseconds: as such it is 1971, as seconds it would be the year 2969.
_MILLISECONDS_FROM: Final = _YEAR_1971_S * 1000
_HOUR_MS: Final = 3_600_000


def violations(
    event: Any, now_ms: int, *, size_bytes: int | None = None, id_management: IdManagement = "simplified"
) -> list[Violation]:
    """Find every limit that an event breaks.

    Args:
        event: the decoded JSON, whatever it is; complete, with its time and `$insert_id`.
        now_ms: the time, which the event's may be an hour ahead of.
        size_bytes: its size as JSON where that is known; else it is measured.
        id_management: the project's identity system. In a simplified one an event with both `$device_id` and
            `$user_id` merges two people, which is the identity destination's business.
    """
    if not isinstance(event, dict):
        return [Violation("", "event", "must be an object with event and properties")]
    found = [*_outer_violations(event), *name_violations(event.get("event"))]
    properties = event.get(_PROPERTIES)
    if isinstance(properties, dict):
        found += time_violations(properties.get("time"), now_ms)
        found += distinct_id_violations(properties.get("distinct_id"))
        found += insert_id_violations(properties.get("$insert_id"))
        found += shape_violations(properties)
        if id_management == "simplified":
            found += _identity_violations(properties)
    else:
        found.append(Violation(_PROPERTIES, _PROPERTIES, "must be an object"))
    too_deep = any(violation.rule == "nesting" for violation in found)
    return found if too_deep else found + size_violations(event, size_bytes)


def name_violations(name: Any) -> list[Violation]:
    """Check the name of an event."""
    if not isinstance(name, str) or not name.strip():
        message = "must be text that is not empty"
    elif len(name) > MAX_NAME:
        message = f"has more than {MAX_NAME} characters"
    elif name in IDENTITY_VERBS:
        message = "is an identity verb, not an event: submit an identity link instead"
    else:
        return []
    return [Violation("event", "event_name", message)]


def is_ahead(time: Any, now_ms: int) -> bool:
    """Say whether a time is ahead of now by so little that Mixpanel takes the event all the same.

    Mixpanel then writes the time at which it arrives: https://developer.mixpanel.com/reference/import-events.
    """
    return not time_violations(time, now_ms) and _in_ms(time) > now_ms


def time_violations(time: Any, now_ms: int) -> list[Violation]:
    """Check the time of an event, in seconds or milliseconds since 1970."""
    field = "properties.time"
    if isinstance(time, bool) or not (
        isinstance(time, int) or (isinstance(time, float) and time.is_integer())
    ):
        return [Violation(field, "time", "must be a whole number, in seconds or milliseconds since 1970")]
    if time < _YEAR_1971_S:
        return [Violation(field, "time_past", "is before 1971")]
    if _in_ms(time) > now_ms + _HOUR_MS:
        return [Violation(field, "time_future", "is more than an hour ahead")]
    return []


def distinct_id_violations(distinct_id: Any) -> list[Violation]:
    """Check whom an event is about."""
    return _id_violations("distinct_id", distinct_id)


def insert_id_violations(insert_id: Any) -> list[Violation]:
    """Check what tells an event from others."""
    field = "properties.$insert_id"
    if not isinstance(insert_id, str) or not _INSERT_ID.fullmatch(insert_id):
        return [Violation(field, "insert_id", "must be 1 to 36 letters (a to z), digits and '-'")]
    return _refused_id_violations(field, insert_id)


def shape_violations(properties: Mapping[str, Any]) -> list[Violation]:
    """Check how many properties there are, how deep they are nested and how long their lists are."""
    return [Violation(path(_PROPERTIES, *at), rule, message) for at, rule, message in misshapes(properties)]


def _outer_violations(event: Mapping[str, Any]) -> Iterator[Violation]:
    for name in event.keys() - {"event", _PROPERTIES}:
        message = "is no field of an event; properties stand in `properties`"
        yield Violation(path(name), "unknown_field", message)


def _id_violations(name: str, value: Any) -> list[Violation]:
    field = f"{_PROPERTIES}.{name}"
    if not isinstance(value, str):
        return [Violation(field, name.removeprefix("$"), "must be text")]
    if is_too_long(device_node(value) if name == _DEVICE_ID else value):
        prefixed = f" (with {DEVICE_PREFIX} before it)" if name == _DEVICE_ID else ""
        return [Violation(field, name.removeprefix("$"), f"{TOO_LONG}{prefixed}")]
    return _refused_id_violations(field, value)


def _refused_id_violations(field: str, value: str) -> list[Violation]:
    if value not in REFUSED_IDS:
        return []
    return [
        Violation(field, "refused_id", "is one of the ids that Mixpanel refuses, such as anonymous or null")
    ]


def _identity_violations(properties: Mapping[str, Any]) -> Iterator[Violation]:
    """Check the ids by which a simplified project tells whose event it is."""
    given = [name for name in ("$user_id", _DEVICE_ID) if properties.get(name) not in (None, "")]
    for name in given:
        yield from _id_violations(name, properties[name])
    if len(given) > 1:
        message = "would merge two identities together with $user_id: submit an identity link instead"
        yield Violation("properties.$device_id", "identity_link", message)


def _in_ms(time: float) -> float:
    return time if time >= _MILLISECONDS_FROM else time * 1000
