"""The last resort for errors: JSON, no stack trace, nothing transient as a 4xx."""

import structlog
from flask import Flask, Response, request
from redis import RedisError
from werkzeug.exceptions import HTTPException

from app.store.faults import redis_word
from app.web.answers import failure
from app.web.causes import INTERNAL_ERROR, STORE_UNAVAILABLE, Cause
from app.web.faults import describe


def handle_errors(app: Flask) -> None:
    """Register the handlers."""
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(RedisError, _store)
    app.register_error_handler(Exception, _unexpected)


def _http(error: HTTPException) -> Response:
    """Answer what Flask itself decides (404, 405, ...) with its status and headers, in our shape."""
    if error.code is None or error.code in range(300, 400):
        return Response(error.get_response())  # type: ignore[arg-type]
    answer = failure(Cause("http", error.code), f"{error.name}.")
    for name, value in error.get_headers():
        if name.lower() in {"allow", "retry-after"}:
            answer.headers[name] = value
    return answer


def _store(error: RedisError) -> Response:
    structlog.get_logger().warning(
        "store_unavailable", path=request.path, error=type(error).__name__, redis=redis_word(error)
    )
    message = "The relay's store is not available at the moment."
    return failure(STORE_UNAVAILABLE, message, retry_after_s=STORE_UNAVAILABLE.retry_after_s)


def _unexpected(error: Exception) -> Response:
    structlog.get_logger().error("unexpected_error", path=request.path, **describe(error))
    message = "The relay made a mistake, which is in its log."
    return failure(INTERNAL_ERROR, message, retry_after_s=INTERNAL_ERROR.retry_after_s)
