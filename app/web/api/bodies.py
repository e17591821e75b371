"""Read what a request hands in: records (a JSON array or NDJSON) or one object; gzip allowed, all bounded."""

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import orjson
from flask import Request, g

from app.mixpanel.violations import path
from app.web.api.kinds import (
    BODY_INCOMPLETE,
    BODY_TOO_LARGE,
    INVALID_BODY,
    INVALID_RECORDS,
    MEDIA_TYPE,
    TOO_MANY_RECORDS,
)
from app.web.api.problems import MOST_FAULTS, Fault, Problem
from app.web.api.whole_numbers import Place, beyond_64_bits
from app.web.bodies import Incomplete, discard, read_body
from app.web.unpacking import GZIP, PLAIN, BadEncoding, TooLarge

JSON: Final = "application/json"
NDJSON: Final = "application/x-ndjson"
MOST_RECORDS: Final = MOST_FAULTS
_TOO_DEEP: Final = "is nested too deep"
MOST_BYTES: Final = 4_000_000  # of one call, unpacked: what one script can copy in Redis within 10 ms


@dataclass(frozen=True, slots=True)
class Record:
    """A record as it arrived, or what is wrong with it (NDJSON: each line stands for itself).

    Attributes:
        index: from 0.
        line: from 1, in NDJSON.
        value: as decoded.
        fault: set where it could not be decoded.
    """

    index: int
    line: int | None
    value: Any
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class Received:
    """A body: its records, and the digest that equal bodies share (64 hexadecimal digits)."""

    records: tuple[Record, ...]
    digest: str


def read_records(request: Request, limit_bytes: int) -> Received:
    """Read up to 2,000 records.

    Args:
        request: with a body.
        limit_bytes: largest body, as sent and unpacked.

    Raises:
        Problem: 400 where nothing can be decoded, 413 over a limit, 415 for another type, 422 without any
            record, 503 for half a body.
    """
    kind = _media_type(request, (JSON, NDJSON))
    body = _read(request, limit_bytes)
    records = tuple(_lines(body) if kind == NDJSON else _array(body))
    if not records:
        fault = Fault("body", "There is no record.", "empty")
        raise Problem(INVALID_RECORDS, "The body holds no record.", [fault])
    return Received(records, hashlib.sha256(kind.encode() + b"\n" + body).hexdigest())


def read_object(request: Request, limit_bytes: int) -> dict[str, Any]:
    """Read one JSON object; raises as `read_records` does."""
    _media_type(request, (JSON,))
    body = _read(request, limit_bytes)
    value = _decoded(body)
    if not isinstance(value, dict):
        raise _no_json("must be an object", "not_an_object")
    for first, rest in _beyond(body).items():
        fault = _number_fault((first, *rest))
        raise Problem(INVALID_BODY, f"{fault.field} {fault.detail}.", [fault])
    return value


def read_text(request: Request, allowed: tuple[str, ...], limit_bytes: int) -> bytes:
    """Read a body of one of some media types as it is; raises as `read_records` does."""
    _media_type(request, allowed)
    return _read(request, limit_bytes)


def drop_body(request: Request) -> None:
    """Take what is left of an unread body: else its sender may see a broken connection, not our answer."""
    if not g.get("body_read"):
        with suppress(Incomplete):
            discard(request, MOST_BYTES)


def _media_type(request: Request, allowed: tuple[str, ...]) -> str:
    kind = request.mimetype
    if kind in allowed and request.mimetype_params.get("charset", "utf-8").lower() in ("utf-8", "utf8"):
        return kind
    detail = f"must be {' or '.join(allowed)}, in UTF-8"
    raise Problem(MEDIA_TYPE, f"Content-Type {detail}.", [Fault("Content-Type", detail, "unsupported")])


def _read(request: Request, limit_bytes: int) -> bytes:
    encoding = request.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in GZIP | PLAIN:
        fault = Fault("Content-Encoding", "must be gzip, or left out", "unsupported")
        headers = {"Accept-Encoding": "gzip"}
        raise Problem(MEDIA_TYPE, "Content-Encoding must be gzip, or left out.", [fault], headers)
    g.body_read = True
    try:
        return read_body(request, limit_bytes)
    except TooLarge as err:
        detail = f"must have at most {limit_bytes} bytes, also unpacked"
        raise Problem(BODY_TOO_LARGE, f"The body {detail}.", [Fault("body", detail, "too_large")]) from err
    except Incomplete as err:
        raise Problem(BODY_INCOMPLETE, "The body did not arrive completely; send the same again.") from err
    except BadEncoding as err:
        fault = Fault("Content-Encoding", err.message, "invalid_gzip")
        raise Problem(INVALID_BODY, "The body is broken, or is no gzip.", [fault]) from err


def _array(body: bytes) -> Iterator[Record]:
    value = _decoded(body)
    if not isinstance(value, list):
        raise _no_json("must be an array of records, also of a single one", "not_an_array")
    if len(value) > MOST_RECORDS:
        raise _too_many(len(value))
    beyond = _beyond(body)
    return (
        Record(index, None, each, _number_fault(beyond[index], index) if index in beyond else None)
        for index, each in enumerate(value)
    )


def _lines(body: bytes) -> Iterator[Record]:
    lines = [
        (number, line) for number, line in enumerate(body.split(b"\n"), 1) if line and not line.isspace()
    ]
    if len(lines) > MOST_RECORDS:
        raise _too_many(len(lines))
    return (_line(index, number, line) for index, (number, line) in enumerate(lines))


def _line(index: int, number: int, line: bytes) -> Record:
    try:
        value = orjson.loads(line)
        for first, rest in beyond_64_bits(line).items():
            return Record(index, number, None, _number_fault((first, *rest), index, number))
        return Record(index, number, value)
    except RecursionError:
        fault = Fault("", _TOO_DEEP, "nesting", index, number)
        return Record(index, number, None, fault)
    except orjson.JSONDecodeError as err:
        fault = Fault("", f"Line {number} is no JSON: {err.msg}.", "invalid_json", index, number)
        return Record(index, number, None, fault)


def _decoded(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as err:
        raise _no_json(
            f"is no JSON: {err.msg}, in line {err.lineno}, column {err.colno}", "invalid_json"
        ) from err


def _beyond(body: bytes) -> dict[str | int, Place]:
    try:
        return beyond_64_bits(body)
    except RecursionError as err:
        raise Problem(INVALID_BODY, f"The body {_TOO_DEEP}.", [Fault("body", _TOO_DEEP, "nesting")]) from err


def _number_fault(place: Place, index: int | None = None, line: int | None = None) -> Fault:
    field = path(*place)
    return Fault(field, "is a whole number beyond 64 bits: send it as a text", "number", index, line)


def _no_json(detail: str, code: str) -> Problem:
    return Problem(INVALID_BODY, f"The body {detail}.", [Fault("body", detail, code)])


def _too_many(count: int) -> Problem:
    detail = f"has {count} records; a call may have {MOST_RECORDS}"
    return Problem(TOO_MANY_RECORDS, f"The body {detail}.", [Fault("body", detail, "too_many")])
