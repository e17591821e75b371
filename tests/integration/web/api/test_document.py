"""The OpenAPI document, its page, and what anybody may read."""

import re
from typing import Any

import pytest
from openapi_spec_validator import validate

from app.web.api import PREFIX
from app.web.api.kinds import EVERYWHERE, KINDS
from tests.integration.web.api.relay import NDJSON, Relay, problem
from tests.integration.web.services import SHOP


def operations(relay: Relay) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method.upper(), path, operation)
        for path, found in relay.document["paths"].items()
        for method, operation in found.items()
        if method != "parameters"
    ]


def test_the_document_is_valid_and_names_its_version(relay: Relay) -> None:
    validate(relay.document)
    assert relay.document["openapi"].startswith("3.")


def test_every_schema_in_it_is_used(relay: Relay) -> None:
    whole = str(relay.document)
    for name in relay.document["components"]["schemas"]:
        assert f"#/components/schemas/{name}'" in whole, name


def test_it_says_what_another_method_is_answered_with(relay: Relay) -> None:
    assert "`method_not_allowed`" in relay.document["info"]["description"]


def test_every_route_is_in_it_with_its_scope_and_its_need_of_a_token(relay: Relay) -> None:
    routes = {
        (method, re.sub("<(?:text:)?(.+?)>", r"{\1}", rule), scope) for method, rule, scope in relay.routes()
    }
    assert {(method, path, told["x-scope"]) for method, path, told in operations(relay)} == routes
    scheme = relay.document["components"]["securitySchemes"]["token"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    for _, _, told in operations(relay):
        assert told["security"] == [{"token": []}]
        assert f"`{told['x-scope']}`" in told["description"]


def test_every_operation_documents_what_anything_can_answer(relay: Relay) -> None:
    for _, path, told in operations(relay):
        described = {status: answer["description"] for status, answer in told["responses"].items()}
        for kind in EVERYWHERE:
            assert f"`{kind.code}`" in described[str(kind.status)]
        assert "404" in described or "{" not in path
        assert any(status.startswith("2") for status in described)


def test_operations_have_names_of_their_own_and_parameters_are_described(relay: Relay) -> None:
    names = [told["operationId"] for _, _, told in operations(relay)]
    assert len(names) == len(set(names))
    for path in relay.document["paths"].values():
        for parameter in path.get("parameters", []):
            assert parameter["description"]


@pytest.mark.parametrize("name", ["events", "profiles", "groups"])
def test_the_examples_in_it_are_taken(relay: Relay, name: str) -> None:
    body = relay.document["paths"][f"{PREFIX}/projects/{{project_id}}/{name}"]["post"]["requestBody"][
        "content"
    ]
    for kind, told in body.items():
        example = told["example"].encode() if kind == NDJSON else told["example"]
        answer = relay.post(name, example, headers={"Content-Type": kind})
        assert (answer.status_code, answer.get_json()["rejected"]) == (202, [])


def test_the_page_loads_what_it_needs_from_here_and_nothing_from_elsewhere(relay: Relay) -> None:
    client = relay.app.test_client()
    page = client.get(f"{PREFIX}/docs")
    assert page.mimetype == "text/html"
    needed = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(needed) >= 4
    for address in needed:
        assert address.startswith(PREFIX)
        answer = client.get(address)
        assert answer.status_code == 200
        assert answer.data
    assert "://" not in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert not re.search(r"<script>|style=|onload=", page.text)


@pytest.mark.parametrize("name", ["../setup.py", "index.html", "swagger-ui.js", "%2e%2e/LICENSE"])
def test_nothing_else_of_the_package_is_served(relay: Relay, name: str) -> None:
    problem(relay.call("GET", f"/docs/{name}"), 404, "not_found")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)
def test_the_type_of_a_problem_leads_to_what_it_means(relay: Relay, kind: Any) -> None:
    answer = relay.app.test_client().get(kind.type)
    assert answer.status_code == 200
    told = answer.get_json()
    assert (told["code"], told["status"], told["title"]) == (kind.code, kind.status, kind.title)
    assert told["advice"]


def test_kinds_have_codes_of_their_own_and_passing_ones_a_time_to_come_back() -> None:
    assert len({kind.code for kind in KINDS}) == len(KINDS)
    for kind in KINDS:
        assert (kind.retry_after_s is not None) == (kind.status == 429 or kind.status >= 500)


@pytest.mark.parametrize(
    "path", ["/api", "/api/", "/api/v1", "/api/v1/", "/api/v2/projects", "/api/v1/nothing"]
)
def test_an_unknown_address_of_the_api_is_a_problem(relay: Relay, path: str) -> None:
    problem(relay.app.test_client().get(path), 404, "not_found")


def test_a_slash_too_many_is_an_unknown_address(relay: Relay) -> None:
    problem(relay.call("POST", f"/projects/{SHOP}/events/"), 404, "not_found")


def test_answers_are_not_kept_on_the_way(relay: Relay) -> None:
    assert relay.post("events", []).headers["Cache-Control"] == "no-store"
    assert relay.call("GET", "/openapi.json").headers["Cache-Control"] == "no-store"
