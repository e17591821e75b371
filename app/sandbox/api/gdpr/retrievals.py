"""`/api/app/data-retrievals/v3.0`: everything that is known about some people, as a file.

A retrieval waits, runs and ends by the sandbox's clock; the link that it ends with leads nowhere.

Source: https://developer.mixpanel.com/reference/create-retrieval and the published OpenAPI description; one
request a second, shared with deletions.
"""

import secrets
from dataclasses import dataclass
from typing import Final

from app.sandbox.api.answers import Answer
from app.sandbox.api.credentials import Caller
from app.sandbox.api.desk.asked import Asked, MistakeError
from app.sandbox.api.desk.operation import Operation, said
from app.sandbox.config import SandboxConfig
from app.sandbox.store.documents import Document, Documents

KIND: Final = "retrieval"
NAME: Final = "/data-retrievals"
BASE: Final = "/api/app/data-retrievals/v3.0"
MOST_IDS: Final = 2_000
PENDING_MS: Final = 2_000
TAKES_MS: Final = 4_000
DISCLOSURES: Final = ("Data", "Categories", "Sources")
OAUTH: Final = frozenset({Caller.OAUTH})


@dataclass(frozen=True)
class Retrievals:
    """Keeps retrievals."""

    documents: Documents
    config: SandboxConfig

    def operations(self) -> list[Operation]:
        """Return the endpoints."""
        return [
            Operation(NAME, "POST", BASE, self._create, OAUTH, budget="gdpr"),
            Operation(NAME, "GET", f"{BASE}/<tracking_id>", self._show, OAUTH),
        ]

    def _create(self, asked: Asked) -> Answer:
        self._check_token(asked)
        given = asked.body()
        ids = given.get("distinct_ids")
        if not isinstance(ids, list) or not ids or not all(isinstance(one, str) for one in ids):
            raise MistakeError("distinct_ids: required, a list of texts")
        if len(ids) > MOST_IDS:
            raise MistakeError(f"distinct_ids: at most {MOST_IDS}")
        if given.get("compliance_type", "GDPR") not in {"GDPR", "CCPA"}:
            raise MistakeError("compliance_type: GDPR or CCPA")
        if given.get("disclosure_type", "Data") not in DISCLOSURES:
            raise MistakeError(f"disclosure_type: {', '.join(DISCLOSURES)}")
        task_id = secrets.token_hex(8)
        self.documents.put(KIND, task_id, {"filed_ms": asked.now_ms, "distinct_ids": ids})
        return said({"status": "ok", "results": {"task_id": task_id}}, 201)

    def _show(self, asked: Asked) -> Answer:
        self._check_token(asked)
        task_id = asked.path["tracking_id"]
        task = self.documents.get(KIND, task_id)
        if task is None:
            return said(
                {"status": "ok", "results": {"status": "NOT_FOUND", "results": "", "distinct_ids": []}}
            )
        status = _status(task, asked.now_ms)
        link = f"https://storage.example/{task_id}.zip" if status == "SUCCESS" else ""
        results = {"status": status, "results": link, "distinct_ids": task["distinct_ids"]}
        return said({"status": "ok", "results": results})

    def _check_token(self, asked: Asked) -> None:
        if asked.text("token") != self.config.token:
            raise MistakeError("The token is not this project's", 403)


def _status(task: Document, now_ms: int) -> str:
    passed_ms = now_ms - task["filed_ms"]
    if passed_ms < PENDING_MS:
        return "PENDING"
    return "STARTED" if passed_ms < PENDING_MS + TAKES_MS else "SUCCESS"
