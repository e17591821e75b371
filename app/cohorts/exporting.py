"""Pick what the change log has to carry of a member, and fingerprint it."""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson


def export(member: Mapping[str, Any], names: Iterable[str]) -> tuple[dict[str, Any], bytes]:
    """Pick the member's properties that a rule exports, and encode them; null counts as missing.

    A property nested too deeply to be written again is left out: it must not cost its page.
    """
    exported = {name: member[name] for name in names if member.get(name) is not None}
    if not exported:
        return exported, b""
    try:
        return exported, encode(exported)
    except orjson.JSONEncodeError:
        exported = {name: value for name, value in exported.items() if _can_be_written(value)}
        return exported, encode(exported)


def encode(value: Any) -> bytes:
    """Encode for a fingerprint.

    With some levels of nesting to spare, since the log's entries and requests hold it deeper.
    """
    return orjson.dumps([[[[[[[[value]]]]]]]], option=orjson.OPT_SORT_KEYS)


def _can_be_written(value: Any) -> bool:
    try:
        encode({"": value})
    except orjson.JSONEncodeError:
        return False
    return True
