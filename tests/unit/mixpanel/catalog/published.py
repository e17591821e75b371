"""Mixpanel's published OpenAPI descriptions, read into the same words as the catalog's rows."""

import functools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parents[3] / "openapi"
METHODS = ("get", "post", "put", "patch", "delete")
# The description of an example's value stands where a default belongs.
PLACEHOLDERS = ("YOUR_PROJECT_TOKEN", "<YOUR_PROJECT_ID>", "13793", "Company", "Mixpanel")
CREDENTIALS = {
    "ServiceAccount": "service_account",
    "ProjectSecret": "project_secret",
    "OAuthToken": "oauth",
}
BODIES = {
    "application/json": "json",
    "application/x-www-form-urlencoded": "form",
    "text/csv": "csv",
}
ANSWERS = {"application/json": "json", "text/plain": "text"}
ROLE = re.compile(r"[Rr]equires a role of at least (\w+)")
BOUNDS = {
    "minimum": "minimum",
    "maximum": "maximum",
    "minLength": "min_length",
    "maxLength": "max_length",
    "minItems": "min_items",
    "maxItems": "max_items",
}

Facts = dict[str, Any]


@dataclass(frozen=True)
class Operation:
    """Hold what is published of an endpoint; `bodies` are the variants of its body's fields."""

    id: str
    method: str
    path: str
    url: str
    credentials: frozenset[str]
    parameters: dict[tuple[str, str], Facts]
    body: str
    body_required: bool
    records: bool
    described: bool
    bodies: list[dict[str, Facts]] = field(default_factory=list)
    answer: str = "none"
    role: str | None = None


@functools.cache
def operations() -> dict[str, Operation]:
    """Read all files; an operation's id is unique across them."""
    found: dict[str, Operation] = {}
    for file in sorted(FOLDER.glob("*.openapi.yaml")):
        document = yaml.load(file.read_text(), yaml.CSafeLoader)
        for operation in _Document(document).operations():
            assert operation.id not in found, operation.id
            found[operation.id] = operation
    return found


class _Document:
    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document

    def operations(self) -> Iterator[Operation]:
        for path, item in self._document["paths"].items():
            for method in METHODS:
                if method in item:
                    yield self._operation(method, path, item, item[method])

    def _operation(self, method: str, path: str, item: Facts, what: Facts) -> Operation:
        security = what.get("security") or self._document.get("security", [{}])
        kinds = frozenset(CREDENTIALS[name] for one in security for name in one)
        given = [self._at(one) for one in (*item.get("parameters", ()), *what.get("parameters", ()))]
        body = self._at(what.get("requestBody", {}))
        ((content, schema),) = body.get("content", {"": {}}).items()
        shape = self._at(schema.get("schema", {}))
        records = shape.get("type") == "array"
        return Operation(
            id=what["operationId"],
            method=method.upper(),
            path=path.partition("#")[0],
            url=self._url(),
            credentials=kinds or frozenset({"project_token"}),  # it stands in the body
            parameters={(one["in"], one["name"]): self._parameter(one) for one in given},
            body=BODIES[content] if content else "none",
            body_required=body.get("required", False),
            records=records,
            described=shape.get("format") != "blob",
            bodies=self._variants(shape["items"] if records else shape),
            answer=self._answer(what["responses"]),
            role=told[1].lower() if (told := ROLE.search(what.get("description", ""))) else None,
        )

    def _url(self) -> str:
        (server,) = self._document["servers"]
        defaults = {name: variable["default"] for name, variable in server["variables"].items()}
        return re.sub(r"\{(\w+)\}", lambda name: defaults[name[1]], server["url"])

    def _answer(self, responses: Facts) -> str:
        ((_, good),) = ((status, one) for status, one in responses.items() if status.startswith("2"))
        kinds = [ANSWERS[content] for content in self._at(good).get("content", {})]
        return kinds[0] if kinds else "none"

    def _parameter(self, parameter: Facts) -> Facts:
        return {**self._facts(parameter["schema"]), "required": parameter.get("required", False)}

    def _variants(self, schema: Facts) -> list[dict[str, Facts]]:
        schema = self._at(schema)
        if "discriminator" not in schema:
            return [self._fields(one) for one in schema.get("oneOf", [schema])]
        told = schema["discriminator"]
        values = {target: value for value, target in told["mapping"].items()}
        variants = []
        for one in schema["oneOf"]:
            variants.append(self._fields(one))
            variants[-1][told["propertyName"]]["enum"] = (values[one["$ref"]],)
        return variants

    def _fields(self, schema: Facts) -> dict[str, Facts]:
        schema = self._at(schema)
        fields: dict[str, Facts] = {}
        for part in schema.get("allOf", ()):
            fields |= self._fields(part)
        needed = schema.get("required", ())
        for name, one in schema.get("properties", {}).items():
            fields[name] = {**self._facts(one), "required": name in needed}
        return fields

    def _facts(self, schema: Facts) -> Facts:
        schema, nullable = self._without_null(self._merged(schema))
        facts: Facts = {
            "type": schema.get("type", "any"),
            "enum": tuple(schema.get("enum", ())),
            "default": _default(schema.get("default")),
            "example": _object(schema.get("default")),
            "format": schema.get("format"),
            "nullable": nullable,
            "items": None,
            "fields": self._fields(schema),
        }
        facts |= {ours: schema.get(theirs) for theirs, ours in BOUNDS.items()}
        if "items" in schema:
            items = self._merged(schema["items"])
            facts |= {"items": items.get("type"), "fields": self._fields(items)}
        return facts

    def _without_null(self, schema: Facts) -> tuple[Facts, bool]:
        """Read `anyOf` something or null; anything else that has a choice is of any type."""
        if "anyOf" not in schema:
            return schema, schema.get("nullable", False)
        choices = [self._merged(one) for one in schema["anyOf"]]
        rest = [one for one in choices if one.get("type") != "null"]
        others = {name: fact for name, fact in schema.items() if name != "anyOf"}
        return {**(rest[0] if len(rest) == 1 else {}), **others}, len(rest) < len(choices)

    def _merged(self, schema: Facts) -> Facts:
        """Join the parts of an `allOf` of one value, such as an integer and its description."""
        schema = self._at(schema)
        parts = [self._merged(one) for one in schema.get("allOf", ())]
        if not parts or "properties" in parts[0]:
            return schema
        joined: Facts = {}
        for part in parts:
            joined |= part
        return joined | {name: fact for name, fact in schema.items() if name != "allOf"}

    def _at(self, node: Facts) -> Facts:
        """Follow references; what stands beside one is added."""
        while "$ref" in node:
            target: Any = self._document
            for name in node["$ref"].removeprefix("#/").split("/"):
                target = target[name]
            node = target | {name: fact for name, fact in node.items() if name != "$ref"}
        return node


def _default(value: Any) -> Any:
    return None if value in PLACEHOLDERS or (isinstance(value, str) and "\n" in value) else value


def _object(value: Any) -> Facts | None:
    """Read an object that is given as an example of a text."""
    if not isinstance(value, str) or not value.startswith("{"):
        return None
    read: Facts = json.loads(value)
    return read
