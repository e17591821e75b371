"""Check one event of `/import` or `/track`. Pure.

Source: https://docs.mixpanel.com/reference/import-events and /track-event, and the published OpenAPI
description. `/track` requires less: without `$insert_id` one is made up (such an event is never a duplicate),
without `distinct_id` it is nobody's, or with `ip=1` whoever has the client's address.
"""

import hashlib
import re
import uuid
from dataclasses import dataclass
from typing import Any

from app.sandbox.api.event_times import imported_time_ms, tracked_time_ms
from app.sandbox.api.event_values import checked_properties
from app.sandbox.api.records import REFUSED_IDS, RefusedRecordError, check_id
from app.sandbox.config import IdManagement, Limits
from app.sandbox.identity.systems import DEVICE_PREFIX, VERBS, device_node
from app.sandbox.identity.verbs import Link, read_link
from app.sandbox.store.events import NewEvent

INSERT_ID = re.compile(r"[A-Za-z0-9-]{1,36}")
OWN_COLUMNS = frozenset({"time", "distinct_id", "$insert_id", "token"})  # not among the properties kept
WRONG = "must not be missing"


@dataclass(frozen=True)
class Event:
    """A valid event, and what it says about who is who.

    Attributes:
        event: What is kept.
        token: The project's, where it came in the body.
        pair: A device (as it is named among ids) and the user seen on it, in a simplified project.
    """

    event: NewEvent
    token: str | None
    pair: tuple[str, str] | None


@dataclass(frozen=True)
class EventRules:
    """How a request's events are to be read.

    Attributes:
        source: `import` or `track`.
        system: The project's identity system.
        limits: The limits in force.
        now_ms: The sandbox's time.
        address: The client's own, where it may stand for a missing distinct_id.
    """

    source: str
    system: IdManagement
    limits: Limits
    now_ms: int
    address: str | None = None


def check_event(record: Any, rules: EventRules) -> Event | Link:
    """Turn a record into an event, or into a link if it is an identity verb.

    Raises:
        RefusedRecordError: The record is not valid.
    """
    if not isinstance(record, dict):
        raise RefusedRecordError("event", "each event must be an object")
    name, properties = record.get("event"), record.get("properties")
    if not isinstance(name, str) or not name:
        raise RefusedRecordError("event", "must be a string that is not empty")
    if not isinstance(properties, dict):
        raise RefusedRecordError("properties", "must be an object")
    if name in VERBS:
        return read_link(name, properties)
    return _checked(name, properties, rules)


def _checked(name: str, properties: dict[str, Any], rules: EventRules) -> Event:
    strict = rules.source == "import"
    token = properties.get("token")
    if not strict and (not isinstance(token, str) or not token):
        raise RefusedRecordError("properties.token", WRONG)
    given_time = properties.get("time")
    if strict:
        time_ms = imported_time_ms(given_time, rules.now_ms, rules.limits)
    else:
        time_ms = tracked_time_ms(given_time, rules.now_ms)
    insert_id = _insert_id(properties.get("$insert_id"), required=strict)
    distinct_id, pair = _person(properties, rules)
    kept = checked_properties(properties, rules.limits)
    event = NewEvent(
        name=name[: rules.limits.max_chars],
        time_ms=time_ms,
        distinct_id=distinct_id,
        insert_id=insert_id,
        properties={key: value for key, value in kept.items() if key not in OWN_COLUMNS},
        source=rules.source,
    )
    return Event(event, token, pair)


def _insert_id(value: Any, *, required: bool) -> str:
    if value is None and not required:
        return uuid.uuid4().hex
    if value is None or value == "":
        raise RefusedRecordError("properties.$insert_id", WRONG)
    if not isinstance(value, str) or not INSERT_ID.fullmatch(value):
        message = "must be a string of at most 36 bytes, of letters, digits and '-' only"
        raise RefusedRecordError("properties.$insert_id", message)
    if value in REFUSED_IDS:
        raise RefusedRecordError("properties.$insert_id", "this value is not allowed")
    return value


def _person(properties: dict[str, Any], rules: EventRules) -> tuple[str, tuple[str, str] | None]:
    """Return whose event it is; in a simplified project `$user_id` and `$device_id` decide, if given."""
    if rules.system != "simplified":
        return _distinct_id(properties, rules), None
    user, device = (_optional_id(properties, name) for name in ("$user_id", "$device_id"))
    if user is None and device is None:
        return _distinct_id(properties, rules), None
    if "distinct_id" in properties:
        _distinct_id(properties, rules)
    node = None if device is None else device_node(device)
    if user is None or node is None:
        return str(user or node), None
    # A user id that looks like a device would be a device to others: it is taken as it is, and links nothing.
    return user, None if user.startswith(DEVICE_PREFIX) else (node, user)


def _optional_id(properties: dict[str, Any], name: str) -> str | None:
    value = properties.get(name)
    return None if value in (None, "") else check_id(value, f"properties.{name}")


def _distinct_id(properties: dict[str, Any], rules: EventRules) -> str:
    field, value = "properties.distinct_id", properties.get("distinct_id")
    if value == "":  # "If the event is not associated with any user, set distinct_id to the empty string."
        return ""
    if value is not None:
        return check_id(value, field)
    if rules.source == "import":
        raise RefusedRecordError(field, WRONG)
    return "" if rules.address is None else hashlib.sha256(rules.address.encode()).hexdigest()[:36]
