"""Whatever raises what: which problem it is."""

import pytest
from flask import Flask
from redis import RedisError
from werkzeug import exceptions
from werkzeug.exceptions import HTTPException

from app.destinations.outbox import KeyReused, OutboxFull
from app.web.api.errors import problem_of
from app.web.api.kinds import CONFLICT, KINDS
from app.web.api.problems import Problem


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Problem(CONFLICT, "It is so."), 409, "conflict"),
        (OutboxFull("events", 1_000), 429, "outbox_full"),
        (KeyReused(), 422, "idempotency_key_reused"),
        (RedisError("secret:6379"), 503, "store_unavailable"),
        (KeyError("secret"), 500, "internal_error"),
        (exceptions.NotFound(), 404, "not_found"),
        (exceptions.MethodNotAllowed(["GET"]), 405, "method_not_allowed"),
        (exceptions.Conflict(), 409, "conflict"),
        (exceptions.RequestEntityTooLarge(), 413, "body_too_large"),
        (exceptions.UnsupportedMediaType(), 415, "unsupported_media_type"),
        (exceptions.BadRequest("secret"), 400, "bad_request"),
        (exceptions.ImATeapot(), 418, "bad_request"),
        (exceptions.ServiceUnavailable(), 503, "store_unavailable"),
        (exceptions.NotImplemented(), 501, "internal_error"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_every_error_is_a_problem_with_its_status(error: Exception, status: int, code: str) -> None:
    with Flask("test").test_request_context():
        problem = problem_of(error)
        answer = problem.answer()
    assert (answer.status_code, problem.kind.code) == (status, code)
    assert "secret" not in answer.get_data(as_text=True)
    assert ("Retry-After" in answer.headers) == (status == 429 or status >= 500)


def test_what_http_says_about_methods_is_passed_on() -> None:
    with Flask("test").test_request_context():
        answer = problem_of(exceptions.MethodNotAllowed(["GET", "PUT"])).answer()
    assert answer.headers["Allow"] == "GET, PUT"


def test_an_error_without_a_status_is_ours() -> None:
    with Flask("test").test_request_context():
        assert problem_of(HTTPException()).answer().status_code == 500


def test_every_status_that_the_api_promises_has_a_kind() -> None:
    promised = {400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 500, 503}
    assert {kind.status for kind in KINDS} == promised
