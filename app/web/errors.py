"""The last resort for errors: JSON, no stack trace, nothing transient as a 4xx.

Below `/api` it is a problem document, below `/webhooks` what Mixpanel reads and displays (also where its
address was mistyped), elsewhere one short object.
"""

from collections.abc import Mapping

import structlog
from flask import Flask, Response, jsonify, request
from redis import RedisError
from werkzeug.exceptions import HTTPException

from app.store.faults import redis_word
from app.web.answers import failure
from app.web.api import is_of_api
from app.web.api.errors import answer_error
from app.web.causes import INTERNAL_ERROR, STORE_UNAVAILABLE, Cause
from app.web.faults import describe

_PASSED_ON = frozenset({"allow", "retry-after"})


def handle_errors(app: Flask) -> None:
    """Register the handlers."""
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(RedisError, _store)
    app.register_error_handler(Exception, _unexpected)


def _http(error: HTTPException) -> Response:
    """Answer what Flask itself decides (404, 405, ...) with its status and headers."""
    if error.code is None or error.code in range(300, 400):
        return Response(error.get_response())  # type: ignore[arg-type]
    if is_of_api(request.path):
        return answer_error(error)
    kept = {name: value for name, value in error.get_headers() if name.lower() in _PASSED_ON}
    return _answer(Cause("http", error.code), f"{error.name}.", kept)


def _store(error: RedisError) -> Response:
    if is_of_api(request.path):
        return answer_error(error)
    structlog.get_logger().warning(
        "store_unavailable", path=request.path, error=type(error).__name__, redis=redis_word(error)
    )
    return _answer(STORE_UNAVAILABLE, "The relay's store is not available at the moment.")


def _unexpected(error: Exception) -> Response:
    if is_of_api(request.path):
        return answer_error(error)
    structlog.get_logger().error("unexpected_error", path=request.path, **describe(error))
    return _answer(INTERNAL_ERROR, "The relay made a mistake, which is in its log.")


def _answer(cause: Cause, message: str, headers: Mapping[str, str] | None = None) -> Response:
    if request.path.startswith("/webhooks/"):
        answer = failure(cause, message, retry_after_s=cause.retry_after_s)
    else:
        answer = jsonify(status=cause.status, error=message)
        answer.status_code = cause.status
        if cause.retry_after_s is not None:
            answer.headers["Retry-After"] = str(cause.retry_after_s)
    answer.headers.extend(headers or {})
    return answer
