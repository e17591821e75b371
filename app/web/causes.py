"""Why a page is not accepted, and which status says so. `docs/http-answers.md` is this table in prose.

Mixpanel PAUSES a sync on 400, 401, 403 and 404 and mails everyone concerned; a person has to act before it
goes on. So PAUSING is the whole list of causes that may answer so: faults that no retry can heal. Everything
else is 413, 429 or 5xx, which Mixpanel sends again. A project with `never_pause: true` is not paused by
PAUSING either, see `app.web.answers`.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason for a failure.

    Attributes:
        code: Stable name, used alike in the log and in the metrics.
        status: HTTP status.
        retry_after_s: Sent as `Retry-After` when there is one.
    """

    code: str
    status: int
    retry_after_s: int | None = None


# Permanent, and a person has to act: these pause a sync.
INVALID_PAYLOAD: Final = Cause("invalid_payload", 400)  # no later copy of this page would be another page
BAD_CREDENTIAL: Final = Cause("bad_credential", 401)  # the connection's username or password must be changed
FOREIGN_PROJECT: Final = Cause("foreign_project", 403)  # the connection uses another project's credential
UNKNOWN_PROJECT: Final = Cause("unknown_project", 404)  # the project must be configured here
PAUSING: Final = (INVALID_PAYLOAD, BAD_CREDENTIAL, FOREIGN_PROJECT, UNKNOWN_PROJECT)

# Permanent, but not in Mixpanel's list: the sync fails and is tried again.
METHOD_NOT_ALLOWED: Final = Cause("method_not_allowed", 405)
BODY_TOO_LARGE: Final = Cause("body_too_large", 413)

# Transient: sent again within the minute, then at the next scheduled sync.
INBOX_FULL: Final = Cause("inbox_full", 429, retry_after_s=5)
INTERNAL_ERROR: Final = Cause("internal_error", 500, retry_after_s=30)
BODY_INCOMPLETE: Final = Cause("body_incomplete", 503, retry_after_s=2)
STORE_UNAVAILABLE: Final = Cause("store_unavailable", 503, retry_after_s=5)
NOT_ACCEPTING: Final = Cause("not_accepting", 503, retry_after_s=60)  # a person said so, for a while
SHUTTING_DOWN: Final = Cause("shutting_down", 503, retry_after_s=5)
NEVER_PAUSE: Final = Cause("never_pause", 503, retry_after_s=60)  # stands in for a cause of PAUSING

# Everything that the metrics may name as a cause.
CAUSES: Final = (
    *(*PAUSING, BODY_TOO_LARGE, INBOX_FULL, INTERNAL_ERROR),
    *(BODY_INCOMPLETE, STORE_UNAVAILABLE, SHUTTING_DOWN, NOT_ACCEPTING),
)


class Refusal(Exception):  # noqa: N818 - it is an answer, not a fault of ours
    """The page is not accepted.

    Attributes:
        cause: Why.
        message: For a person, who sees it in Mixpanel; holds no secret and nothing of a member.
        action: The action as sent, when it could be read.
        projects: Ids of the configured projects whose sync this may be; None when it may be any of them.
        retry_after_s: Overrides the cause's own.
    """

    def __init__(
        self,
        cause: Cause,
        message: str,
        *,
        action: str | None = None,
        projects: frozenset[str] | None = frozenset(),
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(cause.code)
        self.cause = cause
        self.message = message
        self.action = action
        self.projects = projects
        self.retry_after_s = cause.retry_after_s if retry_after_s is None else retry_after_s
