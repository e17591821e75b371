"""Serve operations: faults, credentials, roles, budgets and the journal, alike for every family."""

import time
from collections.abc import Iterable, Mapping, Sequence

from app.sandbox.api.answers import Answer
from app.sandbox.api.call import Call, Fate
from app.sandbox.api.credentials import Caller, Credentials
from app.sandbox.api.desk.asked import Asked, MistakeError
from app.sandbox.api.desk.budgets import Budgets
from app.sandbox.api.desk.operation import Operation
from app.sandbox.api.endpoint import RATE_LIMITED, Surroundings, strike
from app.sandbox.config import SandboxConfig
from app.sandbox.expressions.tokens import ExpressionError

STRIKING = ("status", "delay", "timeout", "cut")
PLACES = {"organization_id", "workspace_id"}
Given = Mapping[str, Sequence[str]]


class Desk:
    """Answers the requests to all operations; faults strike here."""

    def __init__(
        self,
        operations: Iterable[Operation],
        credentials: Credentials,
        budgets: Budgets,
        shared: Surroundings,
        config: SandboxConfig,
    ) -> None:
        self.operations = tuple(operations)
        self._credentials = credentials
        self._budgets = budgets
        self._shared = shared
        self._config = config

    def answer(
        self, operation: Operation, call: Call, path: Mapping[str, str], given: Given
    ) -> Answer | Fate:
        """Answer a request, or say what becomes of the connection instead."""
        started = time.monotonic()
        with self._budgets.under_way(operation.budget) as room:
            fault = self._shared.faults.draw(
                "api", *STRIKING, applies=lambda one: one.concerns(operation.name)
            )

            def serve() -> Answer:
                return self._served(operation, call, path, given, room=room)

            answer = serve() if fault is None else strike(fault, operation.name, serve, self._shared.stop)
        self._note(operation, answer, None if fault is None else fault.kind, time.monotonic() - started)
        return answer

    def _served(
        self, operation: Operation, call: Call, path: Mapping[str, str], given: Given, *, room: bool
    ) -> Answer:
        asked = Asked(call, self._credentials.identified(call), path, given, self._shared.clock.now_s())
        if refusal := self._unwelcome(operation, asked):
            return refusal
        if not (room and self._budgets.take(operation.budget, asked.now_s)):
            return operation.refuse(429, RATE_LIMITED)
        try:
            return operation.serve(asked)
        except MistakeError as err:
            return operation.refuse(err.status, str(err))
        except ExpressionError as err:
            return operation.refuse(400, f"expression: {err}")

    def _unwelcome(self, operation: Operation, asked: Asked) -> Answer | None:
        """Turn a request away for its credentials, its project or its role."""
        if not operation.callers:
            return None
        who = asked.who
        if who.caller not in operation.callers:
            return operation.refuse(401, "Invalid credentials")
        if not self._here(asked):
            return operation.refuse(403, "These credentials have no access to this project")
        if who.caller is Caller.SERVICE_ACCOUNT and (who.role is None or who.role < operation.role):
            least = operation.role.name.capitalize()
            return operation.refuse(403, f"The service account needs a role of at least {least}")
        return None

    def _here(self, asked: Asked) -> bool:
        """Tell whether a request names what there is: this organization or workspace, and this project."""
        config, path = self._config, asked.path
        project = path.get("project_id") or asked.text("project_id")
        if path.get("organization_id", config.organization_id) != config.organization_id:
            return False
        if path.get("workspace_id", config.workspace_id) != config.workspace_id:
            return False
        if project is None:  # who calls with the project's own secret has said which one
            return asked.who.caller is not Caller.SERVICE_ACCOUNT or bool(path.keys() & PLACES)
        return project == config.project_id

    def _note(self, operation: Operation, answer: Answer | Fate, fault: str | None, took_s: float) -> None:
        status = answer.status if isinstance(answer, Answer) else 0
        entry = {
            "direction": "in",
            "at_ms": int(self._shared.clock.now_s() * 1000),
            "path": operation.name,
            "status": status,
            "fault": fault,
            "took_ms": round(took_s * 1000, 1),
        }
        name = operation.name.strip("/").replace("/", "_").replace("-", "_")
        self._shared.journal.add(entry, **{f"{name}_requests": 1, f"{name}_status_{status}": 1})
