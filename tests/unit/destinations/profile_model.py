"""A tiny model of what Mixpanel's profile operations do, written from the ingestion API's documentation."""

import json
from typing import Any

Profile = dict[str, Any]
Profiles = dict[str, Profile]


def apply(profile: Profile, kind: str, body: Any) -> None:
    """Apply one operation object, such as `$set` with {"plan": "gold"}."""
    match kind:
        case "$delete":
            profile.clear()
        case "$unset":
            for name in body:
                profile.pop(name, None)
        case _:
            for name, value in body.items():
                _apply_to(profile, kind, name, value)


def _apply_to(profile: Profile, kind: str, name: str, value: Any) -> None:
    before = profile.get(name, [])
    match kind:
        case "$set":
            profile[name] = value
        case "$set_once":
            profile.setdefault(name, value)
        case "$add":
            number = 0 if before == [] else before  # what it does to an empty list is not documented
            profile[name] = number + value if isinstance(number, int) else number
        case "$append" if isinstance(before, list):
            profile[name] = [*before, value]
        case "$union" if isinstance(before, list):
            profile[name] = [*before, *(one for one in value if one not in before)]
        case "$remove" if isinstance(before, list) and name in profile:
            profile[name] = [one for one in before if one != value]


def send(profiles: Profiles, record: bytes) -> None:
    """Apply one encoded record of /engage."""
    decoded = json.loads(record)
    profile = profiles.setdefault(decoded.pop("$distinct_id"), {})
    decoded.pop("$token", None)
    [(kind, body)] = decoded.items()
    apply(profile, kind, body)


def seen(profile: Profile) -> Profile:
    """Give what counts of a profile: the order of a list does not, and an empty list is as good as none."""
    return {
        name: sorted(set(value)) if isinstance(value, list) else value
        for name, value in profile.items()
        if value != []
    }
