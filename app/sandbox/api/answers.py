"""Put a request's outcome into the words the client asked for: plain, `verbose`, `strict`, `callback`."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import IO, Any

import orjson

from app.sandbox.api.ingest import Ingested

CALLBACK = re.compile(r"[A-Za-z_$][\w$.]*")
OK, NOT_FOUND, TOO_MANY = 200, 404, 429
SOME_FAILED = "some data points in the request failed validation"
PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")  # 1x1, transparent


@dataclass(frozen=True)
class Modes:
    """What the query string asks for."""

    strict: bool
    verbose: bool
    ip: bool
    callback: str | None
    img: bool = False
    redirect: str | None = None

    @classmethod
    def of(cls, query: Mapping[str, str], *, images: bool = False) -> "Modes":
        """Read the query string; `ip` counts as 1 if absent, as its description says of profiles.

        Args:
            query: Of the request.
            images: The endpoint knows `img`.
        """
        callback = query.get("callback", "")
        return cls(
            strict=query.get("strict") == "1",
            verbose=query.get("verbose") == "1",
            ip=query.get("ip", "1") != "0",
            callback=callback if CALLBACK.fullmatch(callback) else None,
            img=images and query.get("img") == "1",
            redirect=query.get("redirect") or None,
        )

    @classmethod
    def of_import(cls, query: Mapping[str, str]) -> "Modes":
        """Read the query string of `/import`, which is strict if nothing is said and knows nothing else."""
        return cls(strict=query.get("strict", "1") != "0", verbose=False, ip=False, callback=None)


@dataclass(frozen=True)
class Answer:
    """An HTTP answer; one that is too large for memory is a stream, which whoever sends it closes."""

    status: int
    body: bytes
    content_type: str = "application/json"
    retry_after_s: float | None = None
    encoding: str | None = None
    stream: IO[bytes] | None = None
    location: str | None = None


def outcome(ingested: Ingested, modes: Modes, strict_status: int) -> Answer:
    """Answer a batch that was read."""
    if modes.strict:
        return _strict(ingested, strict_status)
    first = ingested.failures[0].message if ingested.failures else None
    return _loose(modes, valid=ingested.imported > 0, error=first)


def imported(ingested: Ingested, modes: Modes) -> Answer:
    """Answer a batch of `/import`. Without `strict=1` what was refused is left out without a word."""
    body: dict[str, Any] = {"code": 200, "num_records_imported": ingested.imported, "status": "OK"}
    if not (ingested.failures and modes.strict):
        return Answer(200, orjson.dumps(body))
    failed = [
        {"index": one.index, "insert_id": one.insert_id or "", "field": one.field, "message": one.message}
        for one in ingested.failures
    ]
    body |= {"code": 400, "status": "Bad Request", "error": SOME_FAILED, "failed_records": failed}
    return Answer(400, orjson.dumps(body))


def unreadable(message: str, modes: Modes, strict_status: int) -> Answer:
    """Answer a body without records."""
    if modes.strict:
        body = {
            "code": 400,
            "error": message,
            "status": "Bad Request",
            "num_records_imported": 0,
            "failed_records": [],
        }
        return Answer(strict_status, orjson.dumps(body))
    return _loose(modes, valid=False, error=message)


def refusal(status: int, message: str, retry_after_s: float | None = None) -> Answer:
    """Answer with an error in the form of StrictTooLarge, RateLimitExceeded and their like."""
    body = {"code": status, "error": message, "status": _phrase(status)}
    return Answer(status, orjson.dumps(body), retry_after_s=retry_after_s)


def unauthorized(status: int, message: str) -> Answer:
    """Answer 401 or 403 in the form that `/engage` describes (ErrorResponse)."""
    return Answer(status, orjson.dumps({"error": message, "status": "error"}))


def wrapped(answer: Answer, modes: Modes) -> Answer:
    """Turn an answer into a redirection, an image or a JavaScript call, if the client asked for one.

    `redirect` is of Mixpanel's earlier HTTP specification: for links that track whoever follows them.
    """
    if modes.redirect and answer.status == OK:
        return Answer(302, b"", "text/plain", location=modes.redirect)
    if modes.img:
        return Answer(answer.status, PIXEL, "image/gif", answer.retry_after_s)
    if modes.callback is None:
        return answer
    body = modes.callback.encode() + b"(" + answer.body + b");"
    return Answer(answer.status, body, "text/javascript", answer.retry_after_s)


def _strict(ingested: Ingested, strict_status: int) -> Answer:
    body: dict[str, Any] = {"code": 200, "num_records_imported": ingested.imported, "status": "OK"}
    if not ingested.failures:
        return Answer(200, orjson.dumps(body))
    failed = [
        {"index": failure.index, "field": failure.field, "message": failure.message}
        for failure in ingested.failures
    ]
    body |= {"code": 400, "status": "Bad Request", "error": SOME_FAILED, "failed_records": failed}
    return Answer(strict_status, orjson.dumps(body))


def _loose(modes: Modes, *, valid: bool, error: str | None) -> Answer:
    if not modes.verbose:
        return Answer(200, b"1" if valid else b"0", "text/plain")
    # One valid record is a success here, whatever the others are: that is the documented behaviour.
    body = {"status": 1, "error": None} if valid else {"status": 0, "error": error}
    return Answer(200, orjson.dumps(body))


def _phrase(status: int) -> str:
    return {413: "Request Entity Too Large"}.get(status) or HTTPStatus(status).phrase
