"""Every operation of the document, asked wrongly in every way: what it answers is what the document says.

The operations come from the document itself, so that a new one is asked, too.
"""

import time
from collections.abc import Callable
from typing import Any, Final

import orjson
import pytest
from werkzeug.test import TestResponse

from app.access.scopes import SCOPES, Scope
from tests.integration.web.api.relay import JSON, problem
from tests.integration.web.api.whole import OF_A_PROJECT, STREAM, Operation, Whole
from tests.integration.web.services import BLOG, SHOP

ENOUGH: Final[dict[Scope, set[Scope]]] = {
    "read": {"read", "operate", "admin"},
    "operate": {"operate", "admin"},
    "ingest": {"ingest", "admin"},
    "admin": {"admin"},
}
OF_ANOTHER_TYPE: Final[dict[str, list[Any]]] = {
    "string": [7, True, ["text"], {"a": "text"}, None],
    "integer": ["seven", True, [7], {"a": 7}, 7.5],
    "number": ["seven", True, [7], {"a": 7}],
    "boolean": ["true", 1, [True], {"a": True}, "yes"],
    "array": ["text", 7, True, {"a": 1}],
    "object": ["text", 7, True, [1]],
}
"""JSON values that are none of the type."""
NO_TEXT_OF: Final[dict[str, list[str]]] = {
    "integer": ["seven", "7.5", "", "7 8", "1e3", "0x7", "9" * 40, "-1"],
    "boolean": ["maybe", "", "2"],
    "number": ["seven", ""],
}
"""Texts of a query that are none of the type, or out of every range."""


def each(whole: Whole, ask: Callable[[Operation], None]) -> None:
    """Ask every operation, and tell of all that are wrong at once."""
    wrong = []
    asked = 0
    for operation in whole.operations():
        asked += 1
        try:
            ask(operation)
        except AssertionError as error:
            wrong.append(f"{operation.name}: {error}")
    assert not wrong, "\n".join(wrong)
    assert asked >= 27


WITHOUT: Final[dict[str, tuple[str, Callable[[Whole], str | None]]]] = {
    "none": ("token_missing", lambda _: None),
    "the webhook's": ("token_missing", lambda _: "Basic c2hvcDpzaG9w"),
    "wrong": ("token_invalid", lambda _: f"Bearer crt_{'a' * 12}_{'b' * 43}"),
    "no token at all": ("token_invalid", lambda _: "Bearer hunter2"),
    "expired": (
        "token_expired",
        lambda whole: whole.token("admin", expires_ms=time.time_ns() // 1_000_000 - 1),
    ),
}


@pytest.mark.parametrize("kind", WITHOUT)
def test_without_a_right_token_it_is_401(whole: Whole, kind: str) -> None:
    code, make = WITHOUT[kind]
    authorization = make(whole)

    def ask(operation: Operation) -> None:
        answer = whole.call(operation, authorization)
        problem(answer, 401, code)
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")

    each(whole, ask)


@pytest.mark.parametrize("held", SCOPES)
def test_with_another_scope_it_is_403(whole: Whole, held: Scope) -> None:
    authorization = whole.token(held)

    def ask(operation: Operation) -> None:
        if held not in ENOUGH[operation.scope]:
            problem(whole.call(operation, authorization), 403, "scope_missing")

    each(whole, ask)


def test_with_a_token_of_another_project_it_is_404_or_tells_nothing_of_this_one(whole: Whole) -> None:
    bound = whole.token("admin", project_id=BLOG)

    def ask(operation: Operation) -> None:
        answer = whole.call(operation, bound)
        if "project_id" in operation.placeholders:
            problem(answer, 404, "unknown_project")
            problem(
                whole.call(operation, whole.admin, path=whole.address(operation, project_id="9999")),
                404,
                "unknown_project",
            )
        elif operation.placeholders or OF_A_PROJECT & {
            each["name"] for each in operation.parameters("query")
        }:
            assert answer.status_code == 404, answer.text
        else:
            assert SHOP not in answer.text

    each(whole, ask)


STRANGE: Final = (
    *["0", "-1", "%00", "%20", "%F0%9F%92%A9", "%27%3B--", "1-1-1", "{}", "%FF", "1-1%0A"],
    *["a" * 300, "9" * 30],
)


def test_ids_of_nothing_and_strange_ones_are_refused_as_documented(whole: Whole) -> None:
    def ask(operation: Operation) -> None:
        for name in operation.placeholders:
            for value in STRANGE:
                whole.call(operation, whole.admin, path=whole.address(operation, **{name: value}))

    each(whole, ask)


def test_a_query_parameter_of_the_wrong_type_or_of_no_name_is_422(whole: Whole) -> None:
    def ask(operation: Operation) -> None:
        no_such = whole.call(operation, whole.admin, path=whole.address(operation, "no_such=1"))
        problem(no_such, 422, "invalid_query")
        for parameter in operation.parameters("query"):
            for text in NO_TEXT_OF.get(parameter["schema"].get("type"), []):
                path = whole.address(operation, f"{parameter['name']}={text}")
                answer = whole.call(operation, whole.admin, path=path)
                told = problem(answer, 422, "invalid_query")
                assert parameter["name"] in {fault["field"] for fault in told["errors"]}, told
            for text in ("%00", "%F0%9F%92%A9", "a" * 2_000):
                path = whole.address(operation, f"{parameter['name']}={text}")
                whole.call(operation, whole.admin, path=path).close()

    each(whole, ask)


def test_a_header_of_the_wrong_form_is_400(whole: Whole) -> None:
    def ask(operation: Operation) -> None:
        for parameter in operation.parameters("header"):
            for text in ("", "a" * 256, "with\ttab"):
                answer = whole.call(operation, whole.admin, headers={parameter["name"]: text})
                if answer.status_code >= 400:  # what a browser sends by itself may hold anything
                    assert problem(answer, 400, "invalid_header")["errors"], text

    each(whole, ask)


def test_a_body_that_is_none_of_its_types_is_refused(whole: Whole) -> None:
    def ask(operation: Operation) -> None:
        if not operation.bodies():
            return

        def send(status: int, code: str, **how: Any) -> None:
            refused(
                whole, operation, whole.call(operation, whole.admin, **{"body": b"{}", **how}), status, code
            )

        send(415, "unsupported_media_type", content_type="text/plain")
        send(415, "unsupported_media_type", headers={"Content-Encoding": "br"})
        send(400, "invalid_body", headers={"Content-Encoding": "gzip"})
        for body in (
            b"{",
            b"\xff",
            b'"text"',
            b"7",
            b"null",
            b"true",
            b"[" * 100_000,
            b"9" * 400,
            b'{"a": 1, ',
        ):
            send(400, "invalid_body", body=body)
        send(413, "body_too_large", body=b" " * 1_000_001)

    each(whole, ask)


def test_a_field_of_the_wrong_type_is_refused_and_named(whole: Whole) -> None:
    def ask(operation: Operation) -> None:
        schema = resolved(whole, operation.bodies().get(JSON, {}))
        if schema.get("type") != "object":
            return

        def send(name: str, value: Any) -> None:
            answer = whole.call(operation, whole.admin, body=orjson.dumps({name: value}))
            found = refused(whole, operation, answer, 400, "invalid_body")
            faults = [fault["field"] for fault in found.get("errors", [{"field": name}])]
            assert any(fault.startswith(name) for fault in faults), (name, value, found)

        send("no_such", 1)
        for name, told in schema.get("properties", {}).items():
            for value in OF_ANOTHER_TYPE.get(resolved(whole, told).get("type", ""), []):
                if value is not None or not told.get("nullable"):
                    send(name, value)

    each(whole, ask)


def test_each_media_type_that_an_answer_can_have_is_given_to_who_asks_for_it(whole: Whole) -> None:
    given = 0

    def ask(operation: Operation) -> None:
        nonlocal given
        for status, told in operation.told["responses"].items():
            kinds = [kind for kind in told.get("content", {}) if kind != STREAM]
            if status.startswith("2") and operation.method == "GET" and whole.filled(operation):
                for kind in kinds:
                    answer = whole.call(operation, whole.admin, headers={"Accept": kind})
                    assert (str(answer.status_code), answer.mimetype) == (status, kind), answer.text
                    given += 1

    each(whole, ask)
    assert given >= 20


def refused(
    whole: Whole, operation: Operation, answer: TestResponse, status: int, code: str
) -> dict[str, Any]:
    """Assert that a call is refused so; where there is nothing at its address, that may be said first."""
    if answer.status_code == 404 and not whole.filled(operation):
        return {}
    return problem(answer, status, code)


def resolved(whole: Whole, schema: dict[str, Any]) -> dict[str, Any]:
    """Follow a reference into the document's components."""
    while "$ref" in schema:
        schema = whole.document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema
