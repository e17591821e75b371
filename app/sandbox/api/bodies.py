"""Read the body of `/engage`: a JSON list or object, or a form with either in `data` (plain or base64)."""

import base64
import binascii
from typing import Any
from urllib.parse import parse_qs

import orjson

FORM = "application/x-www-form-urlencoded"


class UnreadableBodyError(Exception):
    """The body holds no list of records."""


def read_records(body: bytes, mimetype: str) -> list[Any]:
    """Return the records of a request.

    Raises:
        UnreadableBodyError: The body is empty, or not JSON, or neither a list nor an object.
    """
    raw = _form_field(body) if mimetype == FORM else body
    if not raw.strip():
        raise UnreadableBodyError("data, missing or empty")
    decoded = _decode(raw)
    if isinstance(decoded, dict):
        return [decoded]
    if not isinstance(decoded, list) or not decoded:
        raise UnreadableBodyError("data, must be an object or a list of objects")
    return decoded


def _form_field(body: bytes) -> bytes:
    # Some clients post bare JSON under the form type that curl sends by default.
    if body.lstrip()[:1] in (b"[", b"{"):
        return body
    values = parse_qs(body.decode("utf-8", "replace")).get("data", [""])
    return values[0].encode()


def _decode(raw: bytes) -> Any:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        pass
    try:
        return orjson.loads(base64.b64decode(raw, validate=True))
    except (binascii.Error, ValueError) as err:
        raise UnreadableBodyError("data, not valid JSON") from err
