"""Answers in the shape that Mixpanel reads, and the promise never to pause a project's sync.

Shape: `{"action": ..., "status": "success"}` or `{"action": ..., "status": "failure", "error": {"message":
..., "code": <HTTP status>}}`; Mixpanel displays the message.

`never_pause: true` turns a pausing answer into 503 and an alert. Which project a request belongs to is
certain only at the end of the checks, so before that the promise is kept for every project that it may be:
all of them while the credential is not known (401), then those that the credential reaches (400, 404), and
these and the named one (403). ANY of them with `never_pause` is enough. The price is that a neighbour's sync
is retried where it would have been paused; the alert tells the operator all the same. The other choice would
break the promise silently.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import structlog
from flask import Response, jsonify

from app.web.causes import BAD_CREDENTIAL, NEVER_PAUSE, PAUSING, Cause, Refusal
from config.projects import Project

# Anyone on the internet can cause wrong credentials: one alert a minute and process tells enough.
ALERT_EVERY_S: Final = 60.0


def success(action: str) -> Response:
    """Say that the page is kept: from here on it is ours to lose."""
    return jsonify(action=action, status="success")


def failure(
    cause: Cause, message: str, *, action: str | None = None, retry_after_s: float | None = None
) -> Response:
    """Say that the page is not kept, and why, in words for a person."""
    answer = jsonify(action=action, status="failure", error={"message": message, "code": cause.status})
    answer.status_code = cause.status
    if retry_after_s is not None:
        answer.headers["Retry-After"] = str(max(1, math.ceil(retry_after_s)))
    if cause is BAD_CREDENTIAL:
        answer.headers["WWW-Authenticate"] = 'Basic realm="cohort-relay", charset="UTF-8"'
    return answer


@dataclass
class Refusals:
    """Turns refusals into answers, keeping the promise of `never_pause`.

    Attributes:
        projects: All configured projects by id.
        now_s: A monotonic clock in seconds.
    """

    projects: Mapping[str, Project]
    now_s: Callable[[], float]
    _quiet_until_s: float = field(default=-math.inf, init=False)
    _unsaid: int = field(default=0, init=False)

    def answer(self, refusal: Refusal) -> Response:
        """Answer a refusal."""
        promised = self._promised(refusal)
        if refusal.cause not in PAUSING or not promised:
            return failure(
                refusal.cause, refusal.message, action=refusal.action, retry_after_s=refusal.retry_after_s
            )
        self._alert(refusal.cause, promised)
        retry_after_s = NEVER_PAUSE.retry_after_s
        return failure(NEVER_PAUSE, refusal.message, action=refusal.action, retry_after_s=retry_after_s)

    def _promised(self, refusal: Refusal) -> list[str]:
        maybe = self.projects.keys() if refusal.projects is None else refusal.projects & self.projects.keys()
        return sorted(project_id for project_id in maybe if self.projects[project_id].never_pause)

    def _alert(self, cause: Cause, promised: list[str]) -> None:
        now_s = self.now_s()
        if cause is BAD_CREDENTIAL and now_s < self._quiet_until_s:
            self._unsaid += 1
            return
        unsaid = {}
        if cause is BAD_CREDENTIAL:
            self._quiet_until_s = now_s + ALERT_EVERY_S
            unsaid, self._unsaid = {"not_logged_before": self._unsaid}, 0
        structlog.get_logger().error(
            "sync_needs_a_person", cause=cause.code, instead_of=cause.status, projects=promised, **unsaid
        )
