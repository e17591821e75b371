"""`/flags` and `/flags/definitions`: which variants somebody gets, and what the enabled flags are made of.

Source: the published OpenAPI description of feature flags. Both take the project secret, or a service account
with `project_id`.
"""

from typing import Any

from app.sandbox.api.answers import Answer
from app.sandbox.api.desk.asked import Asked, MistakeError, decoded
from app.sandbox.api.desk.operation import READERS, Operation, said
from app.sandbox.api.flags.assignment import assigned
from app.sandbox.api.flags.management import KIND
from app.sandbox.config import SandboxConfig
from app.sandbox.store.documents import Document, Documents

NAME = "/flags"
DEFINED = ("id", "name", "key", "status", "project_id", "workspace_id", "context")
OPTIONAL = ("experiment_id", "is_experiment_active")


class FlagEvaluation:
    """Evaluates flags."""

    def __init__(self, documents: Documents, config: SandboxConfig) -> None:
        self._documents = documents
        self._token = config.token

    def operations(self) -> list[Operation]:
        """Return the endpoints."""
        return [
            Operation(NAME, "GET", NAME, self._evaluate, READERS),
            Operation(NAME, "GET", f"{NAME}/definitions", self._define, READERS),
        ]

    def _evaluate(self, asked: Asked) -> Answer:
        self._check_token(asked)
        context = decoded("context", asked.needed("context"))
        if not isinstance(context, dict) or not context.get("distinct_id"):
            raise MistakeError("context: a JSON object with distinct_id")
        found = {flag["key"]: assigned(flag, context) for flag in self._enabled()}
        return said({"flags": {key: variant for key, variant in found.items() if variant is not None}})

    def _define(self, asked: Asked) -> Answer:
        self._check_token(asked)
        return said({"flags": [_defined(flag) for flag in self._enabled()]})

    def _enabled(self) -> list[Document]:
        return [one for one in self._documents.all(KIND).values() if one["status"] == "enabled"]

    def _check_token(self, asked: Asked) -> None:
        if asked.text("token") not in {None, self._token}:
            raise MistakeError("The token is not this project's", 403)


def _defined(flag: Document) -> dict[str, Any]:
    optional = {name: flag[name] for name in OPTIONAL if flag.get(name) is not None}
    return {name: flag[name] for name in DEFINED} | {"ruleset": _ruleset(flag["ruleset"])} | optional


def _ruleset(kept: Document) -> dict[str, Any]:
    """Return a ruleset without what was left open, as definitions know no null."""
    rollout = [{name: value for name, value in rule.items() if value is not None} for rule in kept["rollout"]]
    ruleset = {"variants": kept["variants"], "rollout": rollout}
    return ruleset | ({"test": kept["test"]} if kept.get("test") else {})
