"""Check updates of profiles and groups that a service hands in."""

from collections.abc import Callable
from typing import Any

from app.destinations.checks.invalid import ADDED_BYTES, Invalid, encode, refuse_first
from app.mixpanel.update_limits import group_violations, profile_violations
from app.mixpanel.violations import Violation

Violations = Callable[..., list[Violation]]


def check_profile(update: Any) -> bytes:
    """Return an update of a profile as it is to be sent; raises Invalid."""
    return _check(update, profile_violations)


def check_group(update: Any) -> bytes:
    """Return an update of a group as it is to be sent; raises Invalid."""
    return _check(update, group_violations)


def _check(update: Any, violations: Violations) -> bytes:
    if isinstance(update, dict):
        _refuse(update)
    encoded = encode(update)
    found = violations(update, size_bytes=len(encoded) + ADDED_BYTES)
    if found:
        refuse_first(found)
    return encoded


def _refuse(update: dict[str, Any]) -> None:
    """Refuse what the limits let through, but what cannot be meant."""
    if "$token" in update:
        raise Invalid("$token", "filled_by_relay", "The relay fills this in: leave it out.")
    # Mixpanel ignores what stands behind it: {"$delete": false} deletes.
    if "$delete" in update and not any(update["$delete"] is allowed for allowed in (True, None)):
        raise Invalid("$delete", "value", "$delete must be true.")
    union = update.get("$union")
    for name, values in union.items() if isinstance(union, dict) else ():
        if isinstance(values, list) and not (values and all(_is_plain(value) for value in values)):
            detail = "must be a list of one or more texts or numbers."
            raise Invalid(f"$union.{name[:255]}", "value", f"$union.{name[:255]} {detail}")


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)
