"""One line a call: who, what, how it went; nothing of what was handed in.

Every address below `/api` begins one, so that the `instance` of every problem is found in the log.
"""

import logging
import time
from http import HTTPStatus
from typing import Any, cast

import structlog
from flask import Flask, Response, g, request

from app.web.api import is_of_api


def begin_line() -> None:
    """Let this request have a line of its own: it is a call."""
    g.begun_s = time.monotonic()
    fields()["route"] = f"{request.method} {request.url_rule or '-'}"


def drop_line() -> None:
    """Let this request have no line: it is counted elsewhere."""
    g.pop("begun_s", None)


def fields() -> dict[str, Any]:
    """Return the fields of this call's line; whoever knows something adds it."""
    if "line" not in g:
        g.line = {}
    return cast("dict[str, Any]", g.line)


def log_calls(app: Flask) -> None:
    """Write a line for each call."""
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> None:
    if is_of_api(request.path):
        begin_line()


def _end(answer: Response) -> Response:
    if "begun_s" in g:
        line = {"outcome": "ok", **fields(), "status": answer.status_code}
        line["ms"] = round((time.monotonic() - g.begun_s) * 1000, 1)
        structlog.get_logger().log(_level(answer.status_code), "api", **line)
    return answer


def _level(status: int) -> int:
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return logging.ERROR
    return logging.INFO if status < HTTPStatus.BAD_REQUEST else logging.WARNING
