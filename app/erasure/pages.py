"""Take a person out of a page of Mixpanel's that was kept whole. Pure."""

import json
from typing import Any

import orjson

from app.cohorts.page_json import DISTINCT_ID, NotJson, decode
from app.erasure.person import Person


def page_without(body: bytes, person: Person) -> bytes | None:
    """Return the page without the person; None where it does not name them, nothing where it cannot be read.

    Args:
        body: as it came: whoever sent it may have escaped what others would not.
        person: whom to take out.
    """
    try:
        page = decode(body)
        plain = orjson.dumps(page)
    except (NotJson, orjson.JSONEncodeError):
        return b"" if _mentions(body, person) else None
    members = _members(page)
    if members is not None:
        members[:] = [member for member in members if not _is(member, person)]
    kept = person.replaced(orjson.dumps(page))
    return None if kept == plain else kept


def _members(page: Any) -> list[Any] | None:
    parameters = page.get("parameters") if isinstance(page, dict) else None
    members = parameters.get("members") if isinstance(parameters, dict) else None
    return members if isinstance(members, list) else None


def _is(member: Any, person: Person) -> bool:
    distinct_id = member.get(DISTINCT_ID) if isinstance(member, dict) else None
    return isinstance(distinct_id, str | int) and str(distinct_id) in person.ids


def _mentions(body: bytes, person: Person) -> bool:
    """Say whether bytes that are no JSON hold an id, as it is or escaped."""
    forms = (form for word in person.words for form in (word, json.dumps(word)[1:-1]))
    return any(form.encode() in body for form in forms)
