"""The record of a dead letter: as it is shown, and as it goes into an outbox again.

Shown is what somebody would hand in over the API: without the token, a link by the names of its ids. So what
was corrected is held to the same checks as what is handed in.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

import orjson

from app.destinations.checks.events import EventCheck
from app.destinations.checks.links import LinkCheck
from app.destinations.checks.updates import check_group, check_profile
from app.destinations.dead_letters.letter import StoredLetter
from app.destinations.identity.links import Link
from app.destinations.identity.preflight import System
from app.lanes.work import EVENTS, OUTBOX_LANES, PROFILES, OutboxName
from config.links import KEYS
from config.projects import Project

OUTBOX_OF: Final[Mapping[str, OutboxName]] = MappingProxyType(
    {
        PROFILES.name: "profiles",
        EVENTS.name: "events",
        **{lane.name: name for name, lane in OUTBOX_LANES.items()},
    }
)
"""Where a letter goes when it is sent again, by the destination whose it was."""
_SOURCE: Final = "$source"


def shown(stored: StoredLetter) -> dict[str, Any]:
    """Return the record of a letter as it may be looked at, corrected and handed in again."""
    if OUTBOX_OF.get(stored.destination) == "identity":
        return _shown_link(Link.from_json(stored.letter.record))
    record: dict[str, Any] = orjson.loads(stored.letter.record)
    record.pop("$token", None)
    if "$delete" in record:  # Mixpanel ignores what stands behind it; the API wants this
        record["$delete"] = True
    if isinstance(properties := record.get("properties"), dict):
        properties.pop("token", None)
    return record


def letter_json(stored: StoredLetter, *, whole: bool) -> dict[str, Any]:
    """Return a letter as programs get it; `whole` with its record, and what Mixpanel answered."""
    letter = stored.letter
    told: dict[str, Any] = {
        "id": stored.id,
        "destination": stored.destination,
        "code": letter.code,
        "reason": letter.reason,
        "time_ms": stored.time_ms,
        "size_bytes": stored.size_bytes,
    }
    return {**told, "response": letter.response, "record": shown(stored)} if whole else told


def to_submit(project: Project, stored: StoredLetter, now_ms: int, edited: Any = None) -> bytes:
    """Return the record as its outbox takes it, checked.

    Args:
        project: whose.
        stored: the letter, whole.
        now_ms: the time.
        edited: what to send instead of the letter's record; None for the record itself.

    Raises:
        Invalid: it breaks a limit, so it would only be given up again.
    """
    record = shown(stored) if edited is None else edited
    match OUTBOX_OF[stored.destination]:
        case "profiles":
            return check_profile(record)
        case "groups":
            return check_group(record)
        case "events":
            return _event(project, stored, now_ms, record)
        case "identity":
            return _link(project, stored, record)


def _event(project: Project, stored: StoredLetter, now_ms: int, record: Any) -> bytes:
    """Complete an event; the source that it had stays, for the relay filled that in."""
    source = _properties(shown(stored)).pop(_SOURCE, None)
    if source is not None and _properties(record).get(_SOURCE) == source:
        del record["properties"][_SOURCE]
    key = f"dead letter {stored.id}"
    return EventCheck(project.id_management, now_ms, key, "", source or project.source)(record)


def _properties(record: Any) -> dict[str, Any]:
    properties = record.get("properties") if isinstance(record, dict) else None
    return properties if isinstance(properties, dict) else {}


def _link(project: Project, stored: StoredLetter, record: Any) -> bytes:
    """Make the link again; when and why it was asked for stays as it was."""
    first = Link.from_json(stored.letter.record)
    link = LinkCheck(System.of(project), first.time_ms, "").link(record)
    return replace(link, why=first.why).to_json()


def _shown_link(link: Link) -> dict[str, Any]:
    if link.verb == "merge":
        return {"merge": [link.first, link.second], "allow_merge": link.allow_merge}
    return dict(zip(KEYS[link.verb], (link.first, link.second), strict=True))
