"""From what the transport and the budgets raise to the one error that callers see."""

from datetime import UTC, datetime, timedelta
from typing import ClassVar, Final

from app.mixpanel.answers import Redact
from app.mixpanel.calling.problems import PROBLEMS, Problem
from app.mixpanel.catalog.row import Endpoint
from app.mixpanel.errors import (
    CredentialRefused,
    MixpanelError,
    OverBudget,
    Rejected,
    Retryable,
    Said,
    SessionExpired,
    Throttled,
    TooLarge,
)

SAID_CHARS: Final = 500
_STATUSES: Final = {
    400: "bad_request",
    401: "unauthorized",
    402: "payment_required",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    410: "not_found",
    412: "bad_request",
    422: "bad_request",
}


class CallFailed(Exception):  # noqa: N818 - the name says what happened
    """Say how a call ended that gave no answer, and what to do.

    The text carries names, statuses and advice only. What Mixpanel said may quote the request: it is for
    whoever called, and for no log.

    Attributes:
        code: Stable name of the class; that of the way is `problem.code`.
        problem: Which way.
        status: HTTP status, or None.
        said: Holds `answered`, out of every repr.
        where: The endpoint, as `family name`.
        details: What the text adds, such as the names of arguments.
        answered: What Mixpanel said, on one line, without secrets; may be empty.
        retry_after_s: Seconds after which calling again makes sense; 0 where that is not known.
        cause: What was raised below.
    """

    code: ClassVar[str] = "call_failed"

    def __init__(
        self,
        problem: Problem,
        where: str,
        *,
        status: int | None = None,
        details: str = "",
        answered: str = "",
        retry_after_s: float = 0.0,
        cause: MixpanelError | None = None,
    ) -> None:
        said = f" ({status})" if status else ""
        text = f"{where}: {problem.what}{said}. {problem.todo}"
        super().__init__(f"{text} {details}".rstrip())
        self.status = status
        self.problem = problem
        self.where = where
        self.details = details
        self.said = Said(answered.encode())
        self.retry_after_s = retry_after_s
        self.cause = cause

    @property
    def answered(self) -> str:
        """What Mixpanel said; see the class."""
        return self.said.body.decode()

    @property
    def again(self) -> bool:
        """Whether the same call can succeed later."""
        return isinstance(self.cause, Retryable | Throttled)

    @property
    def may_have_applied(self) -> bool:
        """Whether what was sent may have been applied."""
        return isinstance(self.cause, Retryable) and self.cause.outcome_unknown


class OutOfBudget(CallFailed):
    """Say that no slot was free, and when the next one is.

    Attributes:
        at: When, with its zone, if nobody else takes it.
    """

    code = "over_budget"

    def __init__(self, where: str, error: OverBudget) -> None:
        self.at = datetime.now(UTC) + timedelta(seconds=error.retry_after_s)
        super().__init__(
            PROBLEMS["over_budget"],
            where,
            details=f"Next slot: {self.at.isoformat(timespec='seconds')}.",
            retry_after_s=error.retry_after_s,
            cause=error,
        )


class InvalidArguments(CallFailed):
    """Say which arguments an endpoint does not take as they are. Nothing was sent.

    Attributes:
        problems: Name (empty: the body) and what is wrong, never the value.
    """

    code = "invalid_argument"

    def __init__(self, where: str, problems: tuple[tuple[str, str], ...]) -> None:
        named = "; ".join(f"{name}: {what}" if name else what for name, what in problems)
        super().__init__(PROBLEMS["invalid_argument"], where, details=named)
        self.problems = problems


def explain(error: MixpanelError, where: str, redact: Redact, endpoint: Endpoint | None = None) -> CallFailed:
    """Turn what a call raised into the error that says what to do.

    Args:
        error: As the transport, a budget or the reading of an answer raised it.
        where: The endpoint, as `family name`.
        redact: Takes the project's secrets out of a text.
        endpoint: Its row; None for a raw request.
    """
    if isinstance(error, OverBudget):
        return OutOfBudget(where, error)
    return CallFailed(
        PROBLEMS[_code(error)],
        where,
        status=error.status or None,
        details=_details(error, endpoint),
        answered=short(redact(error.said.body.decode(errors="replace"))),
        retry_after_s=error.retry_after_s if isinstance(error, Retryable | Throttled) else 0.0,
        cause=error,
    )


def short(text: str) -> str:
    """Put a text on one line of a bounded length."""
    line = " ".join(text.split())
    return line if len(line) <= SAID_CHARS else line[: SAID_CHARS - 1] + "…"


def _code(error: MixpanelError) -> str:
    status = error.status or 0
    if isinstance(error, Throttled):
        return "rate_limited"
    if isinstance(error, TooLarge):
        return "too_large"
    if isinstance(error, SessionExpired):
        return "session_expired"
    if isinstance(error, Retryable):
        return error.trouble or ("unreadable" if 0 < status < 400 else "server_error")  # noqa: PLR2004 - HTTP
    if isinstance(error, CredentialRefused | Rejected):
        usual = "redirected" if 300 <= status < 400 else "rejected"  # noqa: PLR2004 - HTTP statuses
        return _STATUSES.get(status, usual)
    return "rejected"


def _details(error: MixpanelError, endpoint: Endpoint | None) -> str:
    parts = []
    if isinstance(error, TooLarge) and error.limit_bytes:
        parts.append(f"The limit is {error.limit_bytes} bytes.")
    if isinstance(error, Retryable | Throttled) and error.retry_after_s:
        parts.append(f"It asks to wait {error.retry_after_s:.0f} s.")
    if error.status == 403 and endpoint and endpoint.role:  # noqa: PLR2004 - an HTTP status
        parts.append(f"It needs the role {endpoint.role} or a higher one.")
    if endpoint and isinstance(error, Rejected):
        parts.append(f"See {endpoint.docs}.")
    return " ".join(parts)
