"""Check an event that a service hands in, and complete it so that a repeated call cannot duplicate it.

Mixpanel takes two events with equal (event, time, distinct_id, $insert_id) for one. So what is missing of
these is derived from what a repetition has in common with the first call, and from nothing else:

- `time`: the time of the call, also where it is ahead, since Mixpanel would write the time of arrival then. A
  repetition would come at another time; therefore a call with such an event is remembered as a whole
  (`app.web.api.submitting`), and its repetition adds nothing, also once that time has passed.
- `$insert_id`: from the event's content and its occurrence number among equal ones in the call (two equal
  events in one call are two events). With an Idempotency-Key from the key, too: two calls with different keys
  are two events. Without a key, but also without a time, from the call's body: the times of two different
  calls can be equal to the millisecond.
- `$source`: the project's; it is no part of what the `$insert_id` is derived from, so that a change of it
  makes no second event.
- `distinct_id`, in a simplified project: what Mixpanel itself makes of `$user_id` and `$device_id`.
"""

import hashlib
from collections import Counter
from typing import Any, Final

import orjson

from app.destinations.checks.invalid import ADDED_BYTES, Invalid, encode, refuse_first
from app.mixpanel.event_limits import is_ahead, violations
from config.event_shape import IDENTITY_VERBS
from config.links import IdManagement

FILLED: Final = ("token", "$source")
_LINKS: Final = "POST .../identity-links"
_PLACEHOLDER: Final = "x"


class EventCheck:
    """Checks the events of one call.

    Args:
        id_management: the project's identity system.
        now_ms: the time of the call.
        key: its Idempotency-Key.
        digest: what equal bodies share.
        source: what the events name as their `$source`.
    """

    def __init__(
        self, id_management: IdManagement, now_ms: int, key: str | None, digest: str, source: str
    ) -> None:
        self._simplified = id_management == "simplified"
        self._id_management = id_management
        self._now_ms = now_ms
        self._key = key
        self._digest = digest
        self._source = source
        self._seen: Counter[bytes] = Counter()
        self.filled_a_time = False

    def __call__(self, event: Any) -> bytes:
        """Return the event, complete; raises Invalid."""
        properties = event.get("properties") if isinstance(event, dict) else None
        if not isinstance(properties, dict):
            refuse_first(violations(event, self._now_ms, id_management=self._id_management))
            raise Invalid("properties", "properties", "properties must be an object.")
        _refuse(event.get("event"), properties, simplified=self._simplified)
        if self._simplified and "distinct_id" not in properties:
            _fill_distinct_id(properties)
        timeless = "time" not in properties or is_ahead(properties["time"], self._now_ms)
        if timeless:
            properties["time"] = self._now_ms
        encoded = self._complete(event, properties, timeless=timeless)
        self.filled_a_time |= timeless
        return encoded

    def _complete(self, event: dict[str, Any], properties: dict[str, Any], *, timeless: bool) -> bytes:
        if "$insert_id" in properties:
            properties["$source"] = self._source
            encoded = encode(event)
            self._refuse_violations(event, len(encoded))
            return encoded
        properties["$insert_id"] = _PLACEHOLDER
        content = _content(event)
        properties["$source"] = self._source
        self._refuse_violations(event, len(content))
        properties["$insert_id"] = self._insert_id(content, timeless=timeless)
        return encode(event)

    def _refuse_violations(self, event: dict[str, Any], size_bytes: int) -> None:
        size_bytes += ADDED_BYTES
        found = violations(event, self._now_ms, size_bytes=size_bytes, id_management=self._id_management)
        if found:
            refuse_first(found)

    def _insert_id(self, content: bytes, *, timeless: bool) -> str:
        digest = hashlib.blake2b(content, digest_size=16)
        known = digest.digest()
        occurrence = self._seen[known]
        self._seen[known] += 1
        salt = f"key {self._key}" if self._key is not None else f"body {self._digest}" if timeless else ""
        digest.update(f"\0{occurrence}\0{salt}".encode())
        return digest.hexdigest()


def _refuse(name: Any, properties: dict[str, Any], *, simplified: bool) -> None:
    """Refuse what the relay itself has to do."""
    if isinstance(name, str) and name in IDENTITY_VERBS:
        raise Invalid("event", "identity_event", f"{name} changes who is who: use {_LINKS}.")
    for field in FILLED:
        if field in properties:
            raise Invalid(f"properties.{field}", "filled_by_relay", "The relay fills this in: leave it out.")
    if simplified and properties.get("$device_id") and properties.get("$user_id"):
        detail = (
            f"An event with $device_id and $user_id links two identities: use {_LINKS}, and send one of them."
        )
        raise Invalid("properties.$device_id", "identity_link", detail)


def _fill_distinct_id(properties: dict[str, Any]) -> None:
    """Write who it is; source: Mixpanel's documentation of the simplified identity system."""
    for name, prefix in (("$user_id", ""), ("$device_id", "$device:")):
        value = properties.get(name)
        if value in (None, ""):
            continue
        if not isinstance(value, str):
            raise Invalid(f"properties.{name}", name.removeprefix("$"), f"properties.{name} must be text.")
        properties["distinct_id"] = prefix + value
        return
    detail = "properties.distinct_id is missing, and so are $user_id and $device_id."
    raise Invalid("properties.distinct_id", "distinct_id", detail)


def _content(event: dict[str, Any]) -> bytes:
    """Return the same bytes for equal events, whatever the order of their fields."""
    try:
        return orjson.dumps(event, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError as err:
        raise Invalid("properties", "nesting", "The properties are nested too deep.") from err
