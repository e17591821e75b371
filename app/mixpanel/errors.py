"""What can go wrong between us and Mixpanel, sorted by what the caller has to do next.

Texts and attributes carry statuses and codes only: never a body, a token or a profile's value.
"""

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from app.mixpanel.results import Progress

Trouble = Literal["", "timeout", "unreachable", "broken"]


@dataclass(frozen=True, slots=True)
class Said:
    """Hold the beginning of what a server answered, out of every repr."""

    body: bytes = field(default=b"", repr=False)


class MixpanelError(Exception):
    """Stand for every failure of a call to Mixpanel.

    Attributes:
        code: Stable name of the kind, for log fields and metric labels.
        status: HTTP status; None where no answer came.
        said: The beginning of what the server answered, where it did, for whoever asked: it can quote values
            of the request, so it belongs into no log line.
        progress: Set by `BatchSender.deliver` when the error ended a batch: what was settled before it.
    """

    code: ClassVar[str] = "mixpanel"

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.said = Said()
        self.progress: Progress | None = None


class Retryable(MixpanelError):  # noqa: N818 - the name says what to do next
    """Ask for the same request again, later: 5xx, time-out, broken connection, answer that cannot be read.

    Attributes:
        reason: One line.
        outcome_unknown: True when Mixpanel may have applied the request all the same. What is idempotent is
            simply sent again; `$add` and `$append` must not be.
        trouble: `timeout`, `unreachable` or `broken` where no (whole) answer came, else nothing.
        retry_after_s: What the answer's `Retry-After` asked for, in seconds; 0 where it asked for nothing.
    """

    code = "retryable"

    def __init__(
        self,
        reason: str,
        *,
        outcome_unknown: bool = True,
        status: int | None = None,
        trouble: Trouble = "",
        retry_after_s: float = 0.0,
    ) -> None:
        super().__init__(reason, status)
        self.reason = reason
        self.outcome_unknown = outcome_unknown
        self.trouble = trouble
        self.retry_after_s = retry_after_s


class Throttled(MixpanelError):  # noqa: N818 - the name says what to do next
    """Ask for the same request again, later: a rate limit was reached and nothing was applied.

    Attributes:
        retry_after_s: Seconds to wait at least; 0 where the answer did not say (back off instead).
    """

    code = "throttled"

    def __init__(self, retry_after_s: float = 0.0, message: str = "", status: int | None = 429) -> None:
        super().__init__(
            message or f"Mixpanel's rate limit is reached (429), asked to wait {retry_after_s:.3f} s", status
        )
        self.retry_after_s = retry_after_s


class OverBudget(Throttled):
    """Say that our own count of what Mixpanel allows is full: no request was made.

    `retry_after_s` is exact where a rolling window is full; where too many requests are under way, it is when
    to look again.
    """

    code = "over_budget"

    def __init__(self, retry_after_s: float) -> None:
        super().__init__(
            retry_after_s,
            f"The project's budget of requests is used up, enough is free in {retry_after_s:,.0f} s",
            None,
        )


class Rejected(MixpanelError):  # noqa: N818 - the name says what to do next
    """Say that the request can never succeed as it is: 404 and every 4xx that has no class of its own.

    Attributes:
        status: HTTP status; 0 where the request could not even be formed.
        reason: One line.
    """

    code = "rejected"

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason, status)
        self.reason = reason


class TooLarge(MixpanelError):  # noqa: N818 - the name says what to do next
    """Ask for the request in smaller pieces (413): nothing was applied.

    Attributes:
        limit_bytes: Largest body that is accepted, where the answer named it.
    """

    code = "too_large"

    def __init__(self, limit_bytes: int | None = None) -> None:
        named = f", the limit is {limit_bytes} bytes" if limit_bytes else ""
        super().__init__(f"The request was too large (413){named}", 413)
        self.limit_bytes = limit_bytes


class CredentialRefused(MixpanelError):  # noqa: N818 - the name says what to do next
    """Say that token, service account or role was refused (401, 403): stop and tell the operator.

    Attributes:
        status: 401 or 403; 0 where no credential is configured that could be sent.
        reason: One line.
    """

    code = "credential_refused"

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason, status)
        self.reason = reason


class SessionExpired(MixpanelError):  # noqa: N818 - the name says what happened
    """Say that Mixpanel does not know a query's session any more: what was read of it cannot be completed.

    The query has to be made anew, from page 0. Pages of two sessions never make one answer: who entered or
    left in between would be missing.
    """

    code = "session_expired"
