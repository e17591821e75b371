"""What a desk serves: one operation a method and path."""

from collections.abc import Callable
from dataclasses import dataclass, field

import orjson

from app.sandbox.api import answers
from app.sandbox.api.accounts import Role
from app.sandbox.api.answers import Answer
from app.sandbox.api.credentials import Caller
from app.sandbox.api.desk.asked import Asked

ACCOUNTS = frozenset({Caller.SERVICE_ACCOUNT})
READERS = frozenset({Caller.SERVICE_ACCOUNT, Caller.SECRET})
Serve = Callable[[Asked], Answer]
Refuse = Callable[[int, str], Answer]


def plainly(status: int, message: str) -> Answer:
    """Refuse in the form of most descriptions: `{"error", "status": "error"}`."""
    return answers.unauthorized(status, message)


def with_code(status: int, message: str) -> Answer:
    """Refuse in the form of the ingestion API: `{"code", "error", "status"}`."""
    return answers.refusal(status, message)


def as_success(status: int, message: str) -> Answer:
    """Refuse as experiments and feature flags are described: a mistake is answered 200, and is none.

    What their descriptions know as statuses are 401 and 403 (and 429 is everybody's).
    """
    if status in {401, 403, 429}:
        return answers.unauthorized(status, message)
    kind = "not_found" if status == answers.NOT_FOUND else "validation_error"
    return said({"status": "error", "type": kind, "error": message})


def said(body: object, status: int = 200) -> Answer:
    """Answer with JSON."""
    return Answer(status, orjson.dumps(body))


@dataclass(frozen=True)
class Operation:
    """An endpoint.

    Attributes:
        name: What faults and the journal call it; several may share a name.
        method: Of HTTP.
        rule: The path, in Flask's words.
        serve: What answers; it may raise `MistakeError`.
        callers: Whose credentials it takes; empty for no credentials.
        role: The least one in the project.
        budget: Whose requests it counts among (see `Budgets`); None for no limit.
        refuse: The form of an error.
    """

    name: str
    method: str
    rule: str
    serve: Serve
    callers: frozenset[Caller] = ACCOUNTS
    role: Role = Role.CONSUMER
    budget: str | None = None
    refuse: Refuse = field(default=plainly)
