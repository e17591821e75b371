"""Mixpanel's published descriptions, and whether an answer is as they say."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from openapi_schema_validator import OAS30Validator, OAS31Validator

FOLDER = Path(__file__).parents[3] / "openapi"
NUMBER = re.compile(r"-?\d+(\.\d+)?")
METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Operation:
    """An operation of a description.

    `answers` are the schemas by status and type of content, `parameters` by place and name, `bodies` by type
    of content.
    """

    name: str
    method: str
    path: str
    answers: Mapping[str, Mapping[str, Any]]
    parameters: Mapping[tuple[str, str], Any]
    bodies: Mapping[str, Any]
    validator: Any

    def faults(self, status: int, mimetype: str, decoded: Any) -> list[str]:
        """Return what is wrong with an answer; an answer that is not described is wrong."""
        described = self.answers.get(str(status))
        if described is None:
            return [f"{status} is not described"]
        if not described:
            return []
        if mimetype not in described:
            return [f"{mimetype} is not described for {status}"]
        schema = described[mimetype]
        return [_told(error) for error in self.validator(schema).iter_errors(decoded)]

    def request_faults(self, query: Mapping[str, str], mimetype: str, body: Any) -> list[str]:
        """Return what is wrong with a request: its query string, and what its body says."""
        faults = [f"query {name}: not described" for name in query if ("query", name) not in self.parameters]
        for (place, name), described in self.parameters.items():
            if place == "query" and name in query:
                value = meant(described["schema"], query[name])
                faults += [f"query {name}: {_told(one)}" for one in self._errors(described["schema"], value)]
            elif place == "query" and described.get("required"):
                faults.append(f"query {name}: missing")
        if body is not None and mimetype not in self.bodies:
            return [*faults, f"{mimetype} is not described"]
        if body is not None and isinstance(body, dict | list):
            faults += [_told(one) for one in self._errors(self.bodies[mimetype], body)]
        return faults

    def _errors(self, schema: Any, value: Any) -> Iterator[Any]:
        found: Iterator[Any] = self.validator(schema).iter_errors(value)
        return found


def meant(schema: Any, said: str) -> Any:
    """Return what a text stands for, by the type that is described."""
    kind = schema.get("type")
    if kind in {"integer", "number"} and NUMBER.fullmatch(said):
        return float(said) if "." in said else int(said)
    if kind == "boolean" and said in {"true", "false"}:
        return said == "true"
    return [said] if kind == "array" else said


@cache
def operations() -> dict[str, Operation]:
    """Return all operations by name."""
    return {one.name: one for file in sorted(FOLDER.glob("*.yaml")) for one in _of(file)}


def _of(file: Path) -> Iterator[Operation]:
    document = yaml.load(file.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    validator = OAS31Validator if document["openapi"].startswith("3.1") else OAS30Validator
    for path, described in document["paths"].items():
        item = _resolved(document, described)
        for method in METHODS:
            if method in item:
                yield _operation(path, method.upper(), item[method], item.get("parameters", []), validator)


def _operation(path: str, method: str, found: Any, shared: list[Any], validator: Any) -> Operation:
    return Operation(
        name=found["operationId"],
        method=method,
        path=path,
        answers={status: _schemas(answer) for status, answer in found["responses"].items()},
        parameters={(one["in"], one["name"]): one for one in [*shared, *found.get("parameters", [])]},
        bodies={
            kind: content.get("schema", {})
            for kind, content in found.get("requestBody", {}).get("content", {}).items()
        },
        validator=validator,
    )


def _schemas(described: Any) -> dict[str, Any]:
    """Return the schemas of an answer by type of content."""
    contents = described.get("content", {})
    return {kind: content["schema"] for kind, content in contents.items() if "schema" in content}


def _told(error: Any) -> str:
    """Return what is wrong; where several forms are allowed, what is wrong with each."""
    inner = "; ".join(_told(one) for one in error.context)
    return f"{error.json_path}: {inner or error.message}"[:1000]


def _resolved(document: Any, node: Any) -> Any:
    """Return a part of a description with everything that it refers to in place."""
    if isinstance(node, list):
        return [_resolved(document, one) for one in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        target = document
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step.replace("~1", "/")]
        return _resolved(document, target)
    # Variants of a body do not exclude each other: what tells them apart is a word that is not described.
    names = {"oneOf": "anyOf"} if "discriminator" in node or "RawEditParams" in str(node.get("oneOf")) else {}
    return {
        names.get(name, name): _resolved(document, one)
        for name, one in node.items()
        if name != "discriminator"
    }
