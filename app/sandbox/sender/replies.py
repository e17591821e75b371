"""What an answer of the webhook means for the sync. Pure.

Source: https://docs.mixpanel.com/docs/cohort-sync/webhooks: 400, 401, 403 and 404 pause the sync and show the
message; 429 and 5xx are tried again. Everything else that is no success (a redirect, another 4xx, a body that
is not the documented one) is not documented: here such a sync fails without further tries and is not paused.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Any

import orjson

from app.sandbox.sender.transport import Reply

PAUSING = frozenset({400, 401, 403, 404})
TOO_MANY = 429
SERVER_ERRORS = range(500, 600)
OK = range(200, 300)
MESSAGE_CHARS = 500


class Meaning(Enum):
    """What to do about an answer."""

    SUCCESS = "success"
    RETRY = "retry"
    PAUSE = "pause"
    FAIL = "fail"


@dataclass(frozen=True)
class Verdict:
    """A meaning and its reason, in words for the connection's page."""

    meaning: Meaning
    reason: str = ""


def judge(reply: Reply, action: str) -> Verdict:
    """Say what an answer to a page of that action means."""
    body = _object(reply.body)
    if reply.status in OK:
        return _judge_body(body, action)
    return _judge_status(reply.status, _message(body) or f"HTTP {reply.status}")


def _judge_body(body: dict[str, Any] | None, action: str) -> Verdict:
    if body is None:
        return Verdict(Meaning.FAIL, "the answer is not a JSON object")
    if body.get("status") == "failure":
        error = body.get("error")
        code = error.get("code") if isinstance(error, dict) else None
        message = _message(body) or "status failure"
        return _judge_status(code, message) if isinstance(code, int) else Verdict(Meaning.FAIL, message)
    if body.get("status") != "success":
        return Verdict(Meaning.FAIL, "the answer's status is not success")
    if body.get("action") != action:
        return Verdict(Meaning.FAIL, f"the answer does not name the action {action}")
    return Verdict(Meaning.SUCCESS)


def _judge_status(status: int, reason: str) -> Verdict:
    if status in PAUSING:
        return Verdict(Meaning.PAUSE, reason)
    if status == TOO_MANY or status in SERVER_ERRORS:
        return Verdict(Meaning.RETRY, reason)
    return Verdict(Meaning.FAIL, reason)


def _message(body: dict[str, Any] | None) -> str:
    error = (body or {}).get("error")
    message = error.get("message") if isinstance(error, dict) else error
    return str(message)[:MESSAGE_CHARS] if message else ""


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        decoded = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return decoded if isinstance(decoded, dict) else None
