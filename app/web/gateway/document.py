"""The gateway's OpenAPI document, made of the catalog: one operation an endpoint and method.

It is a document of its own, and made when it is first asked for: 133 endpoints would be most of the main one,
and no process should start later for a page that few read.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from app.access.scopes import BUDGET, of_endpoint
from app.mixpanel.catalog.row import Endpoint, Parameter
from app.web.api import PREFIX
from app.web.api.kinds import EVERYWHERE, INVALID_BODY, INVALID_QUERY, UNKNOWN_PROJECT, WRONG_METHOD, Kind
from app.web.api.problems import PROBLEM_JSON
from app.web.gateway.asked import MOST_WAIT_S
from app.web.gateway.kinds import CALL_KINDS
from app.web.gateway.offered import PICKLISTS, WITHHELD, methods, parameters

_DESCRIPTION: Final = """Call Mixpanel with the relay's credentials, within the project's budgets.

A token needs the scope of the very endpoint (`mixpanel:query.funnels`) or of its family (`mixpanel:query.*`);
no other scope implies one. Every call is in the audit log `mixpanel`, with the decision."""
_WHERE: Final = f"{PREFIX}/projects/{{project_id}}/mixpanel"
_PROJECT: Final = {"in": "path", "name": "project_id", "required": True, "schema": {"type": "string"}}
_PROBLEM: Final = {"$ref": "#/components/schemas/Problem"}
_SHARED: Final = (*EVERYWHERE, UNKNOWN_PROJECT, WRONG_METHOD, INVALID_BODY, INVALID_QUERY, *CALL_KINDS)
_OWN: Final = (
    ("fresh", {"type": "boolean", "default": False}, "Take no answer that was asked for before this call."),
    (
        "wait",
        {"type": "integer", "minimum": 0, "maximum": int(MOST_WAIT_S), "default": 0},
        "Seconds to wait for a slot of the budget; else 429 says when there is one.",
    ),
)
_HEADERS: Final = {
    "Age": {"description": "Seconds since Mixpanel was asked.", "schema": {"type": "integer"}},
    "Computed-At": {"description": "When Mixpanel computed it.", "schema": {"type": "string"}},
}
_ANSWERS: Final = {
    "json": ("application/json", {}),
    "ndjson": ("application/x-ndjson", {"type": "string", "description": "An object a line."}),
}
_TEXT: Final = ("text/plain", {"type": "string"})
_ITEM: Final = {"type": "object", "properties": {name: {"type": "string"} for name in ("label", "key")}}
_PICKLIST: Final = {"type": "object", "properties": {"items": {"type": "array", "items": _ITEM}}}


def build(catalog: Mapping[tuple[str, str], Endpoint]) -> dict[str, Any]:
    """Make the document."""
    paths: dict[str, Any] = {f"{_WHERE}/budget": {"parameters": [_PROJECT], "get": _budget()}}
    for row in catalog.values():
        if row.key not in WITHHELD:
            operations = {method.lower(): _operation(row, method) for method in methods(row)}
            paths[f"{_WHERE}/{row.family}/{row.name}"] = {"parameters": [_PROJECT], **operations}
    scheme = {"type": "http", "scheme": "bearer", "bearerFormat": "crt_<id>_<secret>"}
    components = {
        "schemas": {"Problem": {"type": "object", "description": "A problem document (RFC 9457)."}},
        "securitySchemes": {"token": scheme},
        "responses": {str(status): _problem(kinds) for status, kinds in _by_status().items()},
    }
    info = {"title": "cohort-relay: Mixpanel", "version": "v1", "description": _DESCRIPTION}
    return {"openapi": "3.0.3", "info": info, "paths": paths, "components": components}


def _operation(row: Endpoint, method: str) -> dict[str, Any]:
    scope = of_endpoint(row.family, row.name)
    retired = f"\n\n{row.retired}" if row.retired else ""
    told: dict[str, Any] = {
        "operationId": f"{method.lower()}_{row.family}_{row.name}".replace("-", "_"),
        "tags": [row.family],
        "summary": row.summary,
        "description": f"Needs the scope `{scope}`. Budget: {row.budget or 'none'}.{retired}",
        "externalDocs": {"url": row.docs},
        "security": [{"token": []}],
        "x-scope": scope,
        "parameters": list(_query(row, method)),
        "responses": {"200": _success(row), **_problems()},
    }
    if row.retired:
        told["deprecated"] = True
    if method != "GET" and (row.reads or row.body.kind != "none"):
        told["requestBody"] = _body(row)
    return told


def _query(row: Endpoint, method: str) -> Iterator[dict[str, Any]]:
    for one in parameters(row):
        if one.where in ("path", "query", "header") or method in ("GET", "DELETE"):
            needed = one.required and one.default is None and method == "GET"
            yield _in_query(one.name, _schema(one), one.description, required=needed)
    if row.key in PICKLISTS:
        yield _in_query("format", {"type": "string", "enum": ["picklist"]}, "Labels and keys only.")
    for name, schema, description in _OWN:
        yield _in_query(name, schema, description)


def _in_query(name: str, schema: Any, description: str, *, required: bool = False) -> dict[str, Any]:
    return {"in": "query", "name": name, "required": required, "schema": schema, "description": description}


def _schema(one: Parameter) -> dict[str, Any]:
    schema: dict[str, Any] = {} if one.type == "any" else {"type": one.type}
    if one.type == "array":
        inner = [_object(one.fields)] if one.fields else []
        schema["items"] = (
            inner[0] if inner else ({"type": one.items} if one.items not in (None, "any") else {})
        )
    elif one.type == "object" and one.fields:
        schema |= _object(one.fields)
    if one.enum:
        schema["enum"] = list(one.enum)
    return schema


def _object(fields: tuple[Parameter, ...]) -> dict[str, Any]:
    return {"type": "object", "properties": {one.name: _schema(one) for one in fields}}


def _body(row: Endpoint) -> dict[str, Any]:
    if row.body.shape == "text":
        return {"required": row.body.required, "content": {"text/csv": {"schema": {"type": "string"}}}}
    inside = tuple(one for one in parameters(row) if row.reads or one.where in ("json", "form"))
    schema = _object(inside)
    if row.body.shape != "records":
        return {"required": False, "content": {"application/json": {"schema": schema}}}
    lines = {"schema": {"type": "string", "description": "A record a line."}}
    records = {"schema": {"type": "array", "items": schema}}
    return {
        "required": row.body.required,
        "content": {"application/json": records, "application/x-ndjson": lines},
    }


def _success(row: Endpoint) -> dict[str, Any]:
    kind, schema = _ANSWERS.get(row.answer, _TEXT)
    shown = {"anyOf": [_PICKLIST, {}]} if row.key in PICKLISTS else schema
    return {
        "description": "What Mixpanel answers.",
        "headers": _HEADERS,
        "content": {kind: {"schema": shown}},
    }


def _budget() -> dict[str, Any]:
    content = {"application/json": {"schema": {"type": "object"}}}
    return {
        "operationId": "get_budget",
        "summary": "What every family's budget has room for now",
        "description": f"Needs the scope `{BUDGET}`, which every scope but `ingest` implies.",
        "security": [{"token": []}],
        "x-scope": BUDGET,
        "responses": {"200": {"description": "By family.", "content": content}, **_problems()},
    }


def _by_status() -> dict[int, list[Kind]]:
    found: dict[int, list[Kind]] = {}
    for kind in _SHARED:
        found.setdefault(kind.status, []).append(kind)
    return dict(sorted(found.items()))


def _problems() -> dict[str, Any]:
    return {str(status): {"$ref": f"#/components/responses/{status}"} for status in _by_status()}


def _problem(kinds: list[Kind]) -> dict[str, Any]:
    told = " ".join(f"`{kind.code}`: {kind.title}" for kind in kinds)
    return {"description": told, "content": {PROBLEM_JSON: {"schema": _PROBLEM}}}
