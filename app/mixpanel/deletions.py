"""Mixpanel's own deletion of people (GDPR, CCPA): file it, and ask how it stands.

One request a second, says the documentation; all who call share that budget. What is filed twice is deleted
once. The tasks take days, up to 30.
"""

from collections.abc import Sequence
from typing import Any, Final, Literal
from urllib.parse import quote

import orjson

from app.mixpanel.errors import CredentialRefused, Rejected, Retryable
from app.mixpanel.request_budget import RequestBudget
from app.mixpanel.transport import Answer, Call, Transport
from config.projects import Project

IDS_A_REQUEST: Final = 2_000
Compliance = Literal["GDPR", "CCPA"]
ENDED: Final = frozenset({"SUCCESS", "FAILURE", "REVOKED", "NOT_FOUND"})
"""Of a task's states those behind which no other comes. `UNKNOWN` says nothing."""
_PATH: Final = "/data-deletions/v3.0"
_NOT_FOUND: Final = 404


class Deletions:
    """File deletions, with the project's OAuth token.

    Args:
        transport: makes the requests.
        budget: of retrievals and deletions.
    """

    def __init__(self, transport: Transport, budget: RequestBudget) -> None:
        self._transport = transport
        self._budget = budget

    def file(self, project: Project, distinct_ids: Sequence[str], compliance: Compliance = "GDPR") -> str:
        """Ask Mixpanel to delete everything of some ids; return the task's id.

        Args:
            project: whose people.
            distinct_ids: 2,000 at most.
            compliance: the law that it is for.

        Raises:
            CredentialRefused: there is no OAuth token, or it was refused.
            OverBudget: no slot is free; nothing was sent.
            MixpanelError: as `Transport.send`; `Retryable` also for an answer that cannot be read.

        Source: https://developer.mixpanel.com/reference/create-deletion
        """
        body = orjson.dumps({"distinct_ids": list(distinct_ids), "compliance_type": compliance})
        answer = self._send(self._call(project, "POST", _PATH, body))
        return _text(answer.body, "task_id")

    def state(self, project: Project, task_id: str) -> str:
        """Ask how a task stands; return Mixpanel's word for it, such as `PENDING`, `STARTED`, `SUCCESS`.

        Raises:
            As `file`.

        Source: https://developer.mixpanel.com/reference/get-deletion
        """
        path = f"{_PATH}/{quote(task_id, safe='')}"
        try:
            answer = self._send(self._call(project, "GET", path))
        except Rejected as error:
            if error.status == _NOT_FOUND:
                return "NOT_FOUND"
            raise
        return _text(answer.body, "status")

    def _send(self, call: Call) -> Answer:
        with self._budget.slot(call.project_id):
            return self._transport.send(call)

    def _call(self, project: Project, method: str, path: str, body: bytes | None = None) -> Call:
        if project.oauth_token is None:
            reason = f"project {project.id} has no OAuth token, and without one nothing can be deleted"
            raise CredentialRefused(0, reason)
        return Call(
            method,
            f"{project.hosts.app}{path}",
            params={"token": project.token.reveal()},
            body=body,
            integration_id=project.integration_id,
            bearer=project.oauth_token.reveal(),
            project_id=project.id,
        )


def _text(body: bytes, name: str) -> str:
    """Read one text of `results`, which some versions of the API give as a list of one."""
    try:
        results: Any = orjson.loads(body)["results"]
        found = (results[0] if isinstance(results, list) else results)[name]
    except (orjson.JSONDecodeError, KeyError, IndexError, TypeError) as err:
        raise Retryable("the answer cannot be read") from err
    if not isinstance(found, str) or not found:
        raise Retryable("the answer cannot be read")
    return found
