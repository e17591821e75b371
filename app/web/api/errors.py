"""Every error below `/api` becomes a problem, whoever raised it."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Final

from flask import Response, request
from redis import RedisError
from werkzeug.exceptions import HTTPException

from app.cohorts.inbox import NotAccepting
from app.destinations.outbox import KeyReused, OutboxFull
from app.store.faults import redis_word
from app.web.api.bodies import drop_body
from app.web.api.kinds import (
    BAD_REQUEST,
    BODY_TOO_LARGE,
    CONFLICT,
    INTERNAL_ERROR,
    INVALID_HEADER,
    INVALID_QUERY,
    KEY_REUSED,
    MEDIA_TYPE,
    NOT_ACCEPTING,
    NOT_FOUND,
    OUTBOX_FULL,
    STORE_UNAVAILABLE,
    WRONG_METHOD,
    Kind,
)
from app.web.api.log import fields
from app.web.api.problems import Fault, Problem, named
from app.web.api.wording import UNKNOWN, worded
from app.web.faults import describe

_KNOWN: Final = (
    NOT_FOUND,
    WRONG_METHOD,
    CONFLICT,
    BODY_TOO_LARGE,
    MEDIA_TYPE,
    OUTBOX_FULL,
    STORE_UNAVAILABLE,
)
_OF_HTTP: Final = {kind.status: kind for kind in _KNOWN}
_PASSED_ON: Final = frozenset({"allow", "retry-after"})


def answer_error(error: Exception) -> Response:
    """Answer an error with its problem document, and note it for the log."""
    problem = problem_of(error)
    fields().update(outcome=problem.kind.code, instance=problem.instance)
    drop_body(request)
    return problem.answer()


def problem_of(error: Exception) -> Problem:
    """Return the problem that an error is."""
    match error:
        case Problem():
            return error
        case OutboxFull() | KeyReused() | NotAccepting():
            return _not_kept(error)
        case RedisError():
            fields().update(error=type(error).__name__, redis=redis_word(error))
            return Problem(
                STORE_UNAVAILABLE, "The relay's store is not available; send the same again later."
            )
        case HTTPException():
            return _of_http(error)
    fields().update(describe(error))
    return Problem(
        INTERNAL_ERROR, "The relay made a mistake, which is in its log; send the same again later."
    )


def _not_kept(error: OutboxFull | KeyReused | NotAccepting) -> Problem:
    """Say why an outbox has not kept what was handed in."""
    match error:
        case OutboxFull():
            detail = (
                f"So much of the outbox {error.name} waits to be sent to Mixpanel that this would pass its"
                f" {error.cap_bytes} bytes (OUTBOX_CAP_BYTES); send the same again later."
            )
            return Problem(OUTBOX_FULL, detail, retry_after_s=error.retry_after_s)
        case KeyReused():
            fault = Fault("Idempotency-Key", "stands for a call with another body", "reused")
            return Problem(KEY_REUSED, "This key came before, with another body.", [fault])
    detail = "An operator has stopped accepting for this project; send the same again later."
    return Problem(NOT_ACCEPTING, detail)


def _of_http(error: HTTPException) -> Problem:
    """Put what Flask, Werkzeug and webargs decide into our words."""
    messages = (getattr(error, "data", None) or {}).get("messages")
    if isinstance(messages, dict):
        return _of_arguments(messages)
    status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    kept = {name: value for name, value in error.get_headers() if name.lower() in _PASSED_ON}
    ours = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    kind = _OF_HTTP.get(status, INTERNAL_ERROR if ours else BAD_REQUEST)
    return Problem(kind, f"{error.name}.", headers=kept, status=status)


def _of_arguments(messages: dict[str, Any]) -> Problem:
    faults = [
        Fault(str(name), worded(text), "unknown" if text == UNKNOWN else "invalid")
        for names in messages.values()
        for name, texts in _named(names)
        for text in texts
    ]
    kind: Kind = INVALID_HEADER if "headers" in messages else INVALID_QUERY
    return Problem(kind, f"Wrong: {named(faults)}.", faults)


def _named(names: Any) -> Iterator[tuple[str, list[str]]]:
    if isinstance(names, dict):
        for name, texts in names.items():
            yield name, texts if isinstance(texts, list) else [str(texts)]
    else:
        yield "request", list(names)
