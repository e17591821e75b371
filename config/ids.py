"""How long an id may be, wherever one is taken in: of a person, a device, a group.

Mixpanel's reference states no limit for ids, only that texts are cut at 255 characters elsewhere; two ids
that are cut could become one. So this is a cautious limit, in bytes, which is the shorter reading of the two.
"""

from typing import Final

from config.links import DEVICE_PREFIX

MAX_ID_BYTES: Final = 255
TOO_LONG: Final = f"has more than {MAX_ID_BYTES} bytes: cut there, it could be somebody else's"
"""What to say of one, behind its name."""


def is_too_long(an_id: str) -> bool:
    """Say whether an id is longer than may be."""
    return len(an_id) > MAX_ID_BYTES or len(an_id.encode("utf-8", "replace")) > MAX_ID_BYTES


def device_node(device_id: str) -> str:
    """Return the distinct_id that a device has in a simplified project."""
    return DEVICE_PREFIX + device_id.removeprefix(DEVICE_PREFIX)
