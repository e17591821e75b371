"""Make pages: from templates, with strict headers, and with errors that a person can read."""

import math
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from flask import Blueprint, Flask, Response, abort, render_template, request
from jinja2 import StrictUndefined
from redis import RedisError
from structlog.stdlib import get_logger
from werkzeug.exceptions import HTTPException

from app.store.faults import redis_word
from app.web.api.kinds import INTERNAL_ERROR, STORE_UNAVAILABLE
from app.web.api.log import fields
from app.web.faults import describe

HOME: Final = "/queues"
TEMPLATES: Final = Path(__file__).parents[1] / "templates"
_ASSETS: Final = Path(__file__).parents[1] / "assets"
_MEDIA_TYPES: Final = {"pages.css": "text/css"}
# Pages have no scripts, no styles of their own and nothing of another host.
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # the check for forged forms reads it
    "Cross-Origin-Opener-Policy": "same-origin",
}
log = get_logger(__name__)


class Refused(Exception):  # noqa: N818 - it is an answer, not a fault of ours
    """The page is not shown, or what was asked for is not done.

    Attributes:
        status: of HTTP.
        message: for the person.
        retry_after_s: when to try again.
    """

    def __init__(self, status: int, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.retry_after_s = retry_after_s


def add_pages(app: Flask) -> None:
    """Let the application make pages; their style sheet is public."""
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.filters["moment"] = moment
    app.add_url_rule("/assets/<name>", "assets", _asset)


def page_blueprint(name: str, most_bytes: int = 10_000) -> Blueprint:
    """Make a blueprint for pages.

    Args:
        name: of it.
        most_bytes: that a form of its pages may have.
    """
    blueprint = Blueprint(name, __name__)
    blueprint.before_request(lambda: setattr(request, "max_content_length", most_bytes))
    blueprint.after_request(_add_headers)
    for kind in (Refused, HTTPException, RedisError, Exception):
        blueprint.register_error_handler(kind, _tell)
    return blueprint


def page(template: str, status: int = 200, *, retry_after_s: float | None = None, **told: Any) -> Response:
    """Make a page from a template."""
    answer = Response(render_template(template, **told), status, mimetype="text/html")
    if retry_after_s is not None:
        answer.headers["Retry-After"] = str(max(1, math.ceil(retry_after_s)))
    return answer


def see(address: str) -> Response:
    """Send the browser to another page of ours."""
    return Response(status=HTTPStatus.SEE_OTHER, headers={"Location": address})


def moment(when: datetime | None) -> str:
    """Write a time; a dash for none."""
    return when.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S") if when else "-"


def _asset(name: str) -> Response:
    if name not in _MEDIA_TYPES:
        abort(HTTPStatus.NOT_FOUND)
    answer = Response((_ASSETS / name).read_bytes(), mimetype=_MEDIA_TYPES[name])
    answer.headers["Cache-Control"] = "public, max-age=3600"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer


def _add_headers(answer: Response) -> Response:
    answer.headers.update(_HEADERS)
    return answer


def _tell(error: Exception) -> Response:
    """Answer an error with a page."""
    match error:
        case Refused():
            return _problem(error.status, error.message, error.retry_after_s)
        case HTTPException():
            status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
            fields().setdefault("outcome", "bad_request")
            return _problem(status, error.description or error.name)
        case RedisError():
            log.warning(
                "store_unavailable", path=request.path, error=type(error).__name__, redis=redis_word(error)
            )
            fields().update(outcome=STORE_UNAVAILABLE.code)
            message = "Redis is not available at the moment; `flask doctor` may say why."
            return _problem(STORE_UNAVAILABLE.status, message, STORE_UNAVAILABLE.retry_after_s)
    log.error("unexpected_error", path=request.path, **describe(error))
    fields().update(outcome=INTERNAL_ERROR.code)
    return _problem(INTERNAL_ERROR.status, "The relay made a mistake, which is in its log.")


def _problem(status: int, message: str, retry_after_s: float | None = None) -> Response:
    try:
        title = HTTPStatus(status).phrase
    except ValueError:
        title = str(status)
    return page("problem.html", status, retry_after_s=retry_after_s, title=title, message=message)
