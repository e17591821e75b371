"""Mixpanel's published descriptions, and whether an answer is as they say."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from openapi_schema_validator import OAS30Validator, OAS31Validator

FOLDER = Path(__file__).parents[3] / "openapi"
METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Operation:
    """An operation of a description: its answers' schemas by status and type of content."""

    family: str
    name: str
    method: str
    answers: Mapping[str, Mapping[str, Any]]
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


@cache
def operations() -> dict[str, Operation]:
    """Return all operations by name."""
    return {one.name: one for file in sorted(FOLDER.glob("*.yaml")) for one in _of(file)}


def _of(file: Path) -> Iterator[Operation]:
    document = yaml.load(file.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    validator = OAS31Validator if document["openapi"].startswith("3.1") else OAS30Validator
    for item in document["paths"].values():
        for method in METHODS:
            if method in item:
                found = item[method]
                answers = {
                    status: {
                        kind: _resolved(document, content["schema"])
                        for kind, content in _resolved(document, answer).get("content", {}).items()
                        if "schema" in content
                    }
                    for status, answer in found["responses"].items()
                }
                yield Operation(
                    file.name.split(".")[0], found["operationId"], method.upper(), answers, validator
                )


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
    return {name: _resolved(document, one) for name, one in node.items()}
