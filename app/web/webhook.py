"""`POST /webhooks/mixpanel/cohorts`: authenticate, validate, accept, answer.

The checks stand in this order: shutting down 503, size as sent 413, credential 401, size unpacked 413, parse
400, project configured 404, credential's project 403. 200 is said only after the inbox holds the page
durably.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import structlog
from flask import Blueprint, Request, Response, request
from redis import RedisError

from app.cohorts.inbox import Accepted, InboxFull, NotAccepting
from app.cohorts.pages import InvalidPayload, Page, parse
from app.metrics import families
from app.store.faults import redis_word
from app.web.answers import Refusals, failure, success
from app.web.auth import Credentials
from app.web.bodies import Incomplete, receive_body, unpack_body
from app.web.causes import (
    BAD_CREDENTIAL,
    BODY_INCOMPLETE,
    BODY_TOO_LARGE,
    FOREIGN_PROJECT,
    INBOX_FULL,
    INTERNAL_ERROR,
    INVALID_PAYLOAD,
    METHOD_NOT_ALLOWED,
    NOT_ACCEPTING,
    SHUTTING_DOWN,
    STORE_UNAVAILABLE,
    UNKNOWN_PROJECT,
    Refusal,
)
from app.web.draining import Draining
from app.web.faults import describe
from app.web.ports import WebServices
from app.web.slowing import Slowing
from app.web.unpacking import BadEncoding, TooLarge

PATH: Final = "/webhooks/mixpanel/cohorts"
ACCEPTED: Final = "accepted"
COPY: Final = "copy"


@dataclass(frozen=True)
class Webhook:
    """The webhook's one route and what it needs.

    Attributes:
        services: The inbox and the settings.
        credentials: Who may send for which project.
        refusals: Makes answers of refusals.
        draining: Whether the process is ending.
        slowing: Delays answers above the inbox's soft cap.
        now_s: A monotonic clock in seconds.
    """

    services: WebServices
    credentials: Credentials
    refusals: Refusals
    draining: Draining
    slowing: Slowing
    now_s: Callable[[], float] = time.monotonic

    def blueprint(self) -> Blueprint:
        """Return the route to register."""
        blueprint = Blueprint("webhook", __name__)
        blueprint.add_url_rule(PATH, view_func=self.receive, methods=["POST"], strict_slashes=False)
        others = ["GET", "HEAD", "PUT", "PATCH", "DELETE"]
        blueprint.add_url_rule(PATH, view_func=wrong_method, methods=others, strict_slashes=False)
        return blueprint

    def receive(self) -> Response:
        """Take one page; one log line says what became of it."""
        started_s = self.now_s()
        line: dict[str, Any] = {}
        try:
            answer = self._take_page(request, line)
        except Refusal as refusal:
            line["outcome"] = refusal.cause.code
            answer = self.refusals.answer(refusal)
        except Exception as err:  # noqa: BLE001 - the edge of the process: whatever it is, the page is sent again
            line.update(describe(err), outcome=INTERNAL_ERROR.code)
            answer = self.refusals.answer(_our_mistake(line.get("action")))
        line["status"] = answer.status_code
        line["ms"] = round((self.now_s() - started_s) * 1000 - line.get("delayed_ms", 0), 1)
        self._measure(line)
        structlog.get_logger().log(_level(answer.status_code), "page", **line)
        return answer

    def _measure(self, line: dict[str, Any]) -> None:
        """Count a refusal, under no project where it is not one of ours, and note the time that it took.

        What was taken in is counted where it was.
        """
        recorder, project_id = self.services.recorder, line.get("project", "")
        recorder.observe(families.WEBHOOK_SECONDS, line["ms"] / 1000, str(line["status"]))
        if line["outcome"] not in (ACCEPTED, COPY):
            known = project_id if project_id in self.services.settings.projects else ""
            recorder.count(families.PAGES_REFUSED, known, line["outcome"])

    def _take_page(self, received: Request, line: dict[str, Any]) -> Response:
        if self.draining.begun:
            raise Refusal(SHUTTING_DOWN, "The relay is restarting; send the page again.")
        sent = self._within_limit(lambda limit_bytes: receive_body(received, limit_bytes))
        reached = self._authenticate(received)
        body = self._unpack(received, sent, reached, line)
        page = _parse(body, reached, line)
        self._authorize(page, reached)
        accepted = self._accept(page, body, line)
        line.update(page=accepted.page, outcome=COPY if accepted.duplicate else ACCEPTED)
        if delayed_s := self.slowing.wait(accepted.delay_s):
            line["delayed_ms"] = round(delayed_s * 1000)
        return success(page.head.action)

    def _unpack(self, received: Request, sent: bytes, reached: frozenset[str], line: dict[str, Any]) -> bytes:
        try:
            return self._within_limit(lambda limit_bytes: unpack_body(received, sent, limit_bytes))
        except BadEncoding as err:
            line["field"] = "Content-Encoding"
            raise Refusal(INVALID_PAYLOAD, err.message, projects=reached) from err

    def _within_limit(self, read: Callable[[int], bytes]) -> bytes:
        limit_bytes = self.services.settings.max_body_bytes
        try:
            return read(limit_bytes)
        except TooLarge as err:
            message = (
                f"The body is larger than {limit_bytes} bytes, the limit of this relay (MAX_BODY_BYTES)."
            )
            raise Refusal(BODY_TOO_LARGE, message) from err
        except Incomplete as err:
            raise Refusal(BODY_INCOMPLETE, "The body did not arrive completely; send it again.") from err

    def _authenticate(self, received: Request) -> frozenset[str]:
        reached = self.credentials.projects_of(received.headers.get("Authorization"))
        if not reached:
            message = "The username or password is missing or wrong: compare the connection in Mixpanel with"
            raise Refusal(BAD_CREDENTIAL, f"{message} the relay's webhook credentials.", projects=None)
        return reached

    def _authorize(self, page: Page, reached: frozenset[str]) -> None:
        """Check the project last: only who has a credential learns which projects are configured."""
        project_id, action = page.head.project_id, page.head.action
        if project_id not in self.services.settings.projects:
            message = f"Project {project_id} is not configured in this relay (PROJECTS_FILE)."
            raise Refusal(UNKNOWN_PROJECT, message, action=action, projects=reached)
        if project_id not in reached:
            message = f"This username and password are not those of project {project_id}."
            raise Refusal(FOREIGN_PROJECT, message, action=action, projects=reached | {project_id})

    def _accept(self, page: Page, body: bytes, line: dict[str, Any]) -> Accepted:
        action = page.head.action
        try:
            return self.services.inbox.accept(page.head, body)
        except InboxFull as err:
            message = "The relay has more pages waiting than it may keep; send the page again later."
            wait_s = err.retry_after_s
            raise Refusal(INBOX_FULL, message, action=action, retry_after_s=wait_s) from err
        except NotAccepting as err:
            message = "The relay's operators have stopped accepting for a while; send the page again later."
            raise Refusal(NOT_ACCEPTING, message, action=action) from err
        except RedisError as err:
            line.update(error=type(err).__name__, redis=redis_word(err))
            message = "The relay's store is not available at the moment; send the page again."
            raise Refusal(STORE_UNAVAILABLE, message, action=action) from err


def _parse(body: bytes, reached: frozenset[str], line: dict[str, Any]) -> Page:
    try:
        page = parse(body)
    except InvalidPayload as err:
        line["field"] = err.field
        raise Refusal(INVALID_PAYLOAD, err.message, action=err.action, projects=reached) from err
    head = page.head
    line.update(project=head.project_id, cohort=head.cohort_id, session=head.session_id, action=head.action)
    line.update(number=head.number, total=head.total, members=len(page.members))
    return page


def _our_mistake(action: str | None) -> Refusal:
    message = "The relay made a mistake, which is in its log; send the page again."
    return Refusal(INTERNAL_ERROR, message, action=action)


def _level(status: int) -> int:
    if status == INTERNAL_ERROR.status:
        return logging.ERROR
    return logging.INFO if status < HTTPStatus.BAD_REQUEST else logging.WARNING


def wrong_method() -> Response:
    """Tell who opens the URL in a browser what it is for."""
    message = f"This is the address for Mixpanel's cohort syncs: Mixpanel sends POST requests to {PATH}."
    answer = failure(METHOD_NOT_ALLOWED, message)
    answer.headers["Allow"] = "POST"
    return answer
