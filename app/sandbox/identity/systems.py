"""The three identity systems of Mixpanel, and which verbs each knows.

Source: https://docs.mixpanel.com/docs/tracking-methods/id-management and the published OpenAPI description
of the identity API.
"""

from collections.abc import Mapping
from typing import get_args

from app.sandbox.config import IdManagement

DEVICE = "device"  # no verb: an event that carries a device and a user
IDENTIFY = "$identify"
CREATE_ALIAS = "$create_alias"
MERGE = "$merge"

ID_SYSTEMS: tuple[IdManagement, ...] = get_args(IdManagement)
VERBS = frozenset({IDENTIFY, CREATE_ALIAS, MERGE})
KNOWN_VERBS: Mapping[IdManagement, frozenset[str]] = {
    "simplified": frozenset(),
    "original": VERBS,
    "legacy": frozenset({CREATE_ALIAS}),
}
DEVICE_PREFIX = "$device:"


def device_node(device_id: str) -> str:
    """Return how a simplified project names a device among ids; a prefix that is there already stays one."""
    return DEVICE_PREFIX + device_id.removeprefix(DEVICE_PREFIX)


def refusal_of(verb: str, system: IdManagement) -> str | None:
    """Say why a system refuses a verb; None if it knows it."""
    if verb in KNOWN_VERBS[system]:
        return None
    known = ", ".join(sorted(KNOWN_VERBS[system]))
    return f"identity verbs refused in {system} projects" + (f" other than {known}" if known else "")
