"""Who may follow which events, and how a wrong wish is told; `../stream/` reads them."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import session
from werkzeug.test import TestResponse

from app.web.login.session import begin
from tests.integration.web.api.whole import Whole
from tests.integration.web.services import BLOG, SHOP


@contextmanager
def follow(whole: Whole, query: str, authorization: str, **headers: str) -> Iterator[TestResponse]:
    sent = {"Authorization": authorization, **headers}
    answer = whole.app.test_client().get(f"/api/v1/events?{query}", headers=sent)
    try:
        yield answer
    finally:
        answer.close()


def test_a_reader_of_one_project_need_not_name_it_and_reaches_no_other(whole: Whole) -> None:
    reader = whole.token("read", project_id=SHOP)
    with follow(whole, "from=oldest", reader) as answer:
        assert answer.status_code == 200
        assert next(answer.iter_encoded()) == b"retry: 3000\n\n"
    with follow(whole, f"project={BLOG}", reader) as answer:
        assert (answer.status_code, answer.get_json()["code"]) == (404, "unknown_project")


def test_a_reader_of_several_projects_must_name_one(whole: Whole) -> None:
    reader = whole.token("read")
    with follow(whole, "", reader) as answer:
        assert answer.status_code == 422
        assert answer.get_json()["errors"][0]["field"] == "project"
    with follow(whole, f"project={SHOP}", reader) as answer:
        assert answer.status_code == 200


@pytest.mark.parametrize(
    ("query", "header", "status", "field"),
    [
        ("types=no.such.type", "", 422, "types"),
        ("from=yesterday", "", 422, "from"),
        ("batch=0", "", 422, "batch"),
        ("batch=1001", "", 422, "batch"),
        ("", "not an id", 400, "Last-Event-ID"),
    ],
)
def test_a_wrong_wish_is_named(whole: Whole, query: str, header: str, status: int, field: str) -> None:
    with follow(whole, f"project={SHOP}&{query}", whole.token("read"), **{"Last-Event-ID": header}) as answer:
        assert answer.status_code == status
        assert answer.get_json()["errors"][0]["field"] == field


def test_a_browser_that_is_logged_in_needs_no_token_and_one_that_is_not_gets_nothing(whole: Whole) -> None:
    token = whole.token("read").removeprefix("Bearer ")
    client = whole.app.test_client()
    assert client.get(f"/api/v1/events?project={SHOP}").status_code == 401
    found = whole.services.tokens.find(token)
    assert found
    with whole.app.test_request_context("/"):
        begin(found, token)
        held = dict(session)
    with client.session_transaction() as kept:
        kept.update(held)
    answer = client.get(f"/api/v1/events?project={SHOP}")
    assert answer.status_code == 200
    answer.close()
    # Only what is made for browsers: everything else of the API asks for a token.
    assert client.get("/api/v1/projects").status_code == 401
    whole.services.tokens.revoke(found.id)
    assert client.get(f"/api/v1/events?project={SHOP}").status_code == 401
