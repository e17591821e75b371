"""Whether an answer of 2xx is one: Mixpanel says some failures with a 200.

They are `0`, `{"status": 0, "error": ...}`, `{"status": "error"}`, `{"error": ...}` and `{"code": 400,
"failed_records": [...]}`, says https://docs.mixpanel.com/reference; and pages for people, say proxies.
"""

from typing import Any, Final

import orjson

from app.mixpanel.answers import Redact
from app.mixpanel.calling import signing
from app.mixpanel.calling.building import Built
from app.mixpanel.calling.failures import CallFailed, short
from app.mixpanel.calling.problems import PROBLEMS
from app.mixpanel.errors import MixpanelError, Retryable, Said
from app.mixpanel.transport import Answer

_FAILED: Final = frozenset({"error", "failure", "Bad Request", "Unauthorized", "Forbidden", "Not Found"})
_CLIENT_ERROR: Final = 400
_NO_CONTENT: Final = 204
_QUOTED_BYTES: Final = 4096
_LAST_BYTES: Final = 64


def judge(built: Built, answer: Answer, redact: Redact) -> None:
    """Raise what an answer means, if it is none.

    Raises:
        CallFailed: It says that the request failed, or is larger than what is taken in.
        Retryable: It is not of the kind that the endpoint gives.
    """
    if not answer.whole:
        raise CallFailed(PROBLEMS["answer_too_long"], built.where, status=answer.status)
    if answer.status == _NO_CONTENT or (built.answer == "none" and not answer.body.strip()):
        return
    if built.answer == "ndjson" and b"terminated early" in answer.body[-_LAST_BYTES:]:
        raise CallFailed(PROBLEMS["terminated_early"], built.where, status=answer.status)
    if built.answer in ("csv", "ndjson") and not answer.body.lstrip().startswith(b"{"):
        _not_a_page(answer)
        return
    try:
        said = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        if built.answer == "json":
            raise _unreadable(answer) from None
        _not_a_page(answer)
        return
    if code := _problem(said, built):
        raise CallFailed(
            PROBLEMS[code],
            built.where,
            status=answer.status,
            answered=short(redact(answer.body[:_QUOTED_BYTES].decode(errors="replace"))),
        )


def error_text(body: bytes) -> str:
    """Give the text of an answer's `error`; empty where it has none."""
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ""
    error = said.get("error") if isinstance(said, dict) else None
    return error if isinstance(error, str) else ""


def legacy(error: MixpanelError, where: str, redact: Redact) -> CallFailed | None:
    """Read the error table of the legacy API; None where the error is none of it."""
    text = error_text(error.said.body)
    code = signing.problem_of(text)
    if code is None:
        return None
    return CallFailed(PROBLEMS[code], where, status=error.status, answered=short(redact(text)))


def _problem(said: Any, built: Built) -> str | None:
    if built.ingests and said == 0 and not isinstance(said, bool):
        return "invalid_records"
    if not isinstance(said, dict):
        return None
    error, status, code = said.get("error"), said.get("status"), said.get("code")
    # Some answers have names of people's own choice for keys: only these types are the interface's words.
    failed = isinstance(error, str) and bool(error)
    failed = failed or (isinstance(status, str) and status in _FAILED)
    failed = failed or (isinstance(code, int) and code >= _CLIENT_ERROR)
    failed = failed or (
        built.ingests and status == 0 and isinstance(status, int) and not isinstance(status, bool)
    )
    if built.ingests and (failed or said.get("failed_records")):
        return "invalid_records"
    if not failed:
        return None
    if said.get("type") == "not_found":
        return "not_found"
    return (signing.problem_of(error) if isinstance(error, str) else None) or "refused"


def _not_a_page(answer: Answer) -> None:
    """Refuse a page for people: whoever answers is not the API."""
    begin = answer.body[:64].lstrip().lower()
    if "text/html" in answer.content_type and begin.startswith((b"<!doctype", b"<html")):
        raise _unreadable(answer)


def _unreadable(answer: Answer) -> Retryable:
    error = Retryable("the answer is not of the documented kind", status=answer.status)
    error.said = Said(answer.body[:_QUOTED_BYTES])
    return error
