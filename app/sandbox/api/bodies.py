"""Read request bodies.

`/engage`, `/groups` and `/track` take a JSON list or object, or a form with either in `data` (plain or
base64); `/import` takes a JSON list or one object a line.
"""

import base64
import binascii
import gzip
import io
import zlib
from typing import Any
from urllib.parse import parse_qs

import orjson

FORM = "application/x-www-form-urlencoded"
NDJSON = "application/x-ndjson"


class UnreadableBodyError(Exception):
    """The body holds no list of records."""


class TooLargeBodyError(Exception):
    """The body has more bytes than a request may have."""


def unpacked(body: bytes, encoding: str, most_bytes: int) -> bytes:
    """Return a body without its compression.

    Args:
        body: As received.
        encoding: `gzip`, `identity` or nothing.
        most_bytes: Most bytes of an unpacked body; no more than that is unpacked.

    Raises:
        TooLargeBodyError: It is larger.
        UnreadableBodyError: It is not what its encoding says, or that is not known.
    """
    if encoding == "gzip":
        body = _gunzipped(body, most_bytes + 1)
    elif encoding not in {"", "identity"}:
        raise UnreadableBodyError("Content-Encoding, must be gzip or absent")
    if len(body) > most_bytes:
        raise TooLargeBodyError
    return body


def read_records(body: bytes, mimetype: str) -> list[Any]:
    """Return the records of a request to `/engage`, `/groups` or `/track`.

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


def read_events(body: bytes, mimetype: str) -> list[Any]:
    """Return the records of a request to `/import`.

    Raises:
        UnreadableBodyError: The body is empty, or not what its type says.
    """
    decoded = _lines(body) if mimetype == NDJSON else _json(body, "the body")
    if not isinstance(decoded, list) or not decoded:
        raise UnreadableBodyError("the body must be a JSON array of events, or one event a line")
    return decoded


def form_fields(body: bytes, mimetype: str) -> dict[str, str]:
    """Return the fields of a form, but for `data`; empty if the body is none."""
    if mimetype != FORM or body.lstrip()[:1] in (b"[", b"{"):
        return {}
    fields = parse_qs(body.decode("utf-8", "replace"))
    return {name: values[0] for name, values in fields.items() if name != "data"}


def _gunzipped(body: bytes, most_bytes: int) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(body)) as packed:
            return packed.read(most_bytes)
    except (OSError, EOFError, zlib.error) as err:
        raise UnreadableBodyError("the body is not valid gzip") from err


def _lines(body: bytes) -> list[Any]:
    lines = enumerate(body.splitlines(), start=1)
    return [_json(line, f"line {number}") for number, line in lines if line.strip()]


def _json(raw: bytes, where: str) -> Any:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as err:
        raise UnreadableBodyError(f"{where} is not valid JSON") from err


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
