"""`/api/app/data-deletions/v3.0`: Mixpanel's own deletion of people.

A task waits, runs and ends by the sandbox's clock; profile, events and identity of the people go as it ends.
Cohorts lose them with the next sync, as from any other cause.

Source: https://developer.mixpanel.com/reference/create-deletion and the published OpenAPI description; one
request a second, up to 2,000 ids: https://docs.mixpanel.com/docs/privacy/end-user-data-management.
"""

import hmac
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from app.sandbox.api import answers
from app.sandbox.api.answers import Answer
from app.sandbox.api.call import Call, Fate
from app.sandbox.api.desk.budgets import Budgets
from app.sandbox.api.endpoint import RATE_LIMITED, Surroundings, strike
from app.sandbox.config import SandboxConfig
from app.sandbox.store.deletions import Deletions as Store
from app.sandbox.store.deletions import Task

PATH: Final = "/api/app/data-deletions/v3.0"
STRIKING: Final = ("status", "delay", "timeout", "cut")
MOST_IDS: Final = 2_000
PENDING_S: Final = 2.0
TAKES_S: Final = 4.0
COMPLIANCES: Final = {"GDPR", "CCPA"}


class Deletions:
    """Answers requests about deletions; faults strike here, too."""

    def __init__(self, store: Store, config: SandboxConfig, shared: Surroundings, budgets: Budgets) -> None:
        self._store = store
        self._config = config
        self._shared = shared
        self._budgets = budgets

    def create(self, call: Call, bearer: str) -> Answer | Fate:
        """Take a task in."""
        return self._answered(call, bearer, self._create, limited=True)

    def show(self, call: Call, bearer: str, task_id: str) -> Answer | Fate:
        """Say how a task stands."""
        return self._answered(call, bearer, lambda _call: self._show(task_id))

    def cancel(self, call: Call, bearer: str, task_id: str) -> Answer | Fate:
        """Revoke a task that has not ended."""
        return self._answered(call, bearer, lambda _call: self._cancel(task_id))

    def _answered(
        self, call: Call, bearer: str, serve: Callable[[Call], Answer], *, limited: bool = False
    ) -> Answer | Fate:
        started = time.monotonic()

        def checked() -> Answer:
            return self._checked(call, bearer, serve, limited=limited)

        fault = self._shared.faults.draw("api", *STRIKING, applies=lambda one: one.concerns(PATH))
        answer = checked() if fault is None else strike(fault, PATH, checked, self._shared.stop)
        status = answer.status if isinstance(answer, Answer) else 0
        entry = {
            "direction": "in",
            "at_ms": int(self._shared.clock.now_s() * 1000),
            "path": PATH,
            "status": status,
            "fault": None if fault is None else fault.kind,
            "took_ms": round((time.monotonic() - started) * 1000, 1),
        }
        self._shared.journal.add(entry, deletions_requests=1, **{f"deletions_status_{status}": 1})
        return answer

    def _checked(self, call: Call, bearer: str, serve: Callable[[Call], Answer], *, limited: bool) -> Answer:
        if not hmac.compare_digest(bearer.encode(), self._config.oauth_token.encode()):
            return answers.unauthorized(401, "Invalid OAuth token")
        if call.query.get("token") != self._config.token:
            return answers.unauthorized(403, "The token is not this project's")
        if limited and not self._budgets.take("gdpr", self._shared.clock.now_s()):
            return answers.refusal(429, RATE_LIMITED, 1.0)
        return serve(call)

    def _create(self, call: Call) -> Answer:
        try:
            asked = orjson.loads(call.body)
            ids = asked["distinct_ids"]
            compliance = asked.get("compliance_type", "GDPR")
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
            return answers.unauthorized(400, "distinct_ids is required")
        if not (isinstance(ids, list) and ids and all(isinstance(each, str) for each in ids)):
            return answers.unauthorized(400, "distinct_ids must be a list of texts")
        if len(ids) > MOST_IDS or compliance not in COMPLIANCES:
            return answers.unauthorized(400, f"at most {MOST_IDS} distinct_ids; compliance_type GDPR or CCPA")
        task = self._store.add(ids, compliance, self._now_ms())
        return _ok({"task_id": task.task_id}, 201)

    def _show(self, task_id: str) -> Answer:
        task = self._settled(task_id)
        if task is None:
            return _ok(_told(Task(task_id, "GDPR", 0, ()), "NOT_FOUND", self._config.project_id))
        return _ok(_told(task, self._state(task), self._config.project_id))

    def _cancel(self, task_id: str) -> Answer:
        task = self._settled(task_id)
        if task is None or task.ended:
            return answers.unauthorized(400, "there is no such task in progress")
        self._store.end(task, "REVOKED")
        return Answer(204, b"")

    def _settled(self, task_id: str) -> Task | None:
        """Find a task; one whose time has come is done."""
        task = self._store.find(task_id)
        if task and not task.ended and self._now_ms() >= task.filed_ms + (PENDING_S + TAKES_S) * 1000:
            self._store.delete_people(task)
            task = self._store.find(task_id)
        return task

    def _state(self, task: Task) -> str:
        if task.ended:
            return task.ended
        return "STARTED" if self._now_ms() >= task.filed_ms + PENDING_S * 1000 else "PENDING"

    def _now_ms(self) -> int:
        return int(self._shared.clock.now_s() * 1000)


def _told(task: Task, state: str, project_id: str) -> dict[str, Any]:
    at = datetime.fromtimestamp(task.filed_ms / 1000, UTC)
    return {
        "tracking_id": task.task_id,
        "status": state,
        "requesting_user": "sandbox@example.com",
        "compliance_type": task.compliance,
        "project_id": int(project_id) if project_id.isdecimal() else project_id,
        "date_requested": at.strftime("%Y-%m-%dT%H:%M:%S"),
        "distinct_ids": list(task.distinct_ids),
    }


def _ok(results: dict[str, Any], status: int = 200) -> Answer:
    return Answer(status, orjson.dumps({"status": "ok", "results": results}))
