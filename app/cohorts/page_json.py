"""From a page's bytes to JSON values that every later step can hold.

orjson is an order of magnitude faster than the standard library and refuses what strict JSON refuses. Real
senders cut strings by length, and a cut emoji is a lone surrogate: one such member must not cost a page of
1,000. So what orjson refuses is read again by the standard library, which takes lone surrogates, NaN,
Infinity and numbers of any length. The few values that could not be written as JSON again are then replaced,
ids apart: those are kept, for the check of the members to refuse.
"""

import json
import math
from typing import Any

import orjson

# The longest whole number that becomes an int. Python refuses to convert more than 4,300 digits
# (CVE-2020-10735), and nothing of 255 digits or more can be an id: such a number stays a string and is
# refused as one that is too long.
MAX_DIGITS = 300
_INT64_MIN, _UINT64_MAX = -(2**63), 2**64 - 1

# The property that names a member's person.
DISTINCT_ID = "mixpanel_distinct_id"
# All that are ids: whole numbers beyond 64 bits keep their digits there, as text.
IDS = (DISTINCT_ID, "mixpanel_project_id", "mixpanel_cohort_id", "mixpanel_session_id")


class NotJson(ValueError):  # noqa: N818 - it is what the body is, in the words of the answer
    """The bytes are no JSON document; the text says why, in words for a person, without quoting the body."""


def decode(body: bytes) -> Any:
    """Read a JSON document, liberally where a person's data would otherwise be lost.

    Raises:
        NotJson: the bytes are not UTF-8, not JSON, or nested too deeply to be read.
    """
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return _decode_liberally(body)
    return _decode_liberally(body) if _lost_digits(document) else document


def text(value: str) -> str:
    """Return the string with surrogate pairs joined and lone surrogates replaced by U+FFFD."""
    return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _decode_liberally(body: bytes) -> Any:
    try:
        document = _LIBERAL.decode(body.decode("utf-8", "surrogatepass").removeprefix("\ufeff"))
        return _encodable(document)
    except UnicodeDecodeError as err:
        raise NotJson(f"it is not valid UTF-8 (byte {err.start})") from err
    except json.JSONDecodeError as err:
        raise NotJson(f"it is not JSON ({err.msg} at character {err.pos})") from err
    except RecursionError as err:
        raise NotJson("it is nested too deeply") from err


def _whole_number(digits: str) -> int | str:
    return int(digits) if len(digits) <= MAX_DIGITS else digits


_LIBERAL = json.JSONDecoder(strict=False, parse_int=_whole_number, parse_constant=lambda _: None)


def _lost_digits(document: Any) -> bool:
    """Tell whether orjson made a float of an id: it does so with whole numbers beyond 64 bits."""
    parameters = document.get("parameters") if type(document) is dict else None
    if type(parameters) is not dict:
        return False
    if any(type(parameters.get(name)) is float for name in IDS):
        return True
    members = parameters.get("members")
    if type(members) is not list:
        return False
    return any(type(member) is dict and type(member.get(DISTINCT_ID)) is float for member in members)


def _encodable(value: Any) -> Any:
    """Replace what JSON writers refuse: lone surrogates, infinite numbers and integers beyond 64 bits."""
    match value:
        case str():
            return value if value.isascii() else text(value)
        case dict():
            clean = {text(key): _encodable(item) for key, item in value.items()}
            clean.update((name, _id(name, value[name], clean[name])) for name in IDS if name in value)
            return clean
        case list():
            return [_encodable(item) for item in value]
        case float() if not math.isfinite(value):
            return None
        case int() if not _INT64_MIN <= value <= _UINT64_MAX:
            return float(value)
        case _:
            return value


def _id(name: str, sent: Any, clean: Any) -> Any:
    """Keep an id's digits, and a person's id as sent: a replaced character would make it another person's."""
    if type(sent) is int:
        return sent if clean == sent and type(clean) is int else str(sent)
    return sent if name == DISTINCT_ID and type(sent) is str else clean
