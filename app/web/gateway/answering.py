"""Answer with what Mixpanel said: without credentials, and as nothing that a browser would run."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson
from flask import Response
from structlog.stdlib import get_logger

from app.mixpanel.answers import Redact
from app.mixpanel.calling.failures import CallFailed, InvalidArguments
from app.mixpanel.calling.problems import PROBLEMS
from app.mixpanel.calling.results import Result
from app.mixpanel.calling.streams import Stream
from app.mixpanel.catalog.row import Endpoint
from app.web.api.bodies import NDJSON
from app.web.api.problems import Fault, Problem
from app.web.gateway.kinds import OF_CALLS
from app.web.gateway.offered import PICKLISTS

_TYPES: Final = frozenset({"application/json", "text/csv", "text/plain", NDJSON})
_CODES: Final = "surrogateescape"  # bytes that are no text stay what they are
_SAFE: Final = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
}


def whole(row: Endpoint, result: Result, redact: Redact) -> Response:
    """Answer as Mixpanel did."""
    usual = "application/json" if row.answer == "json" else "text/plain"
    said = result.content_type.partition(";")[0].strip().lower()
    body = _without_secrets(result.body, redact)
    answer = Response(body, status=result.status, mimetype=said if said in _TYPES else usual)
    return _told(answer, result)


def picklist(row: Endpoint, result: Result, redact: Redact) -> Response:
    """Answer with the label and the key of each thing in a list, by label."""
    label, key = PICKLISTS[row.key]
    try:
        items = [{"label": str(one[label]), "key": str(one[key])} for one in _things(result.json())]
    except (TypeError, KeyError, AttributeError):
        raise CallFailed(PROBLEMS["unreadable"], result.where, status=result.status) from None
    items.sort(key=lambda item: (item["label"].casefold(), item["key"]))
    return _told(Response(_without_secrets(orjson.dumps({"items": items}), redact)), result, json=True)


def streamed(stream: Stream, redact: Redact) -> Response:
    """Answer with lines as they come.

    Raises:
        CallFailed: What is wrong with the first of them; later, the connection is cut.
    """
    blocks = stream.blocks()
    first = next(blocks, b"")
    answer = Response(_pieces(first, blocks, redact), status=200, mimetype=NDJSON)
    answer.headers.extend(_SAFE)
    return answer


def problem_of(error: CallFailed) -> Problem:
    """Return the problem that a failed call is. What Mixpanel said is for whoever called, and for no log."""
    faults = []
    if isinstance(error, InvalidArguments):
        faults = [Fault(name or "body", what, "invalid") for name, what in error.problems]
    elif error.answered:
        faults = [Fault("mixpanel", error.answered, "answered")]
    retry_after_s = error.retry_after_s or None
    return Problem(OF_CALLS[error.problem.code], str(error), faults, retry_after_s=retry_after_s)


def _things(found: Any) -> Any:
    """Give the things of a list; that of pipelines stands under the project's id."""
    if isinstance(found, Mapping):
        return [one for listed in found.values() for one in listed]
    return found


def _told(answer: Response, result: Result, *, json: bool = False) -> Response:
    if json:
        answer.mimetype = "application/json"
    answer.headers.extend(_SAFE)
    answer.headers["Age"] = str(int(result.age_s))
    answer.headers["Computed-At"] = "".join(filter(str.isprintable, result.computed_at))[:100]
    if result.warnings:
        answer.headers["Relay-Warning"] = " ".join(result.warnings)
    return answer


def _pieces(first: bytes, blocks: Iterator[bytes], redact: Redact) -> Iterator[bytes]:
    try:
        yield _without_secrets(first, redact)
        for block in blocks:
            yield _without_secrets(block, redact)
    except Exception as error:
        get_logger().error("gateway_broken_off", error=type(error).__name__)
        raise


def _without_secrets(body: bytes, redact: Redact) -> bytes:
    return redact(body.decode(errors=_CODES)).encode(errors=_CODES)
