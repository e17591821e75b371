"""Everything that a call can end with, each once, and what whoever called can do about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Problem:
    """A way in which a call fails.

    Attributes:
        code: Stable name, for people's scripts, log fields and metric labels.
        answer: HTTP status with which we pass it on.
        what: What happened.
        todo: What to do.
    """

    code: str
    answer: int
    what: str
    todo: str


_ALL: Final = (
    # Before anything is sent.
    Problem("invalid_argument", 422, "The arguments are not what the endpoint takes", "Correct those named."),
    Problem(
        "credential_missing",
        409,
        "The project has no credential that the endpoint takes",
        "Add one of those named to the project's configuration.",
    ),
    Problem(
        "over_budget",
        429,
        "The project's budget for this family is used up; nothing was sent",
        "Call again at the time named, or let the call wait.",
    ),
    # Statuses.
    Problem(
        "redirected",
        502,
        "Mixpanel pointed to another address",
        "Check the project's region and, if it is set, the host.",
    ),
    Problem(
        "bad_request",
        400,
        "Mixpanel refused the request as it is",
        "Correct what its answer names; the same request will be refused again.",
    ),
    Problem(
        "unauthorized",
        502,
        "Mixpanel does not accept the credential",
        "Check username and secret of the credential, the project's id and its region.",
    ),
    Problem(
        "payment_required",
        502,
        "The project's plan does not include this endpoint",
        "Ask Mixpanel for a plan that has it.",
    ),
    Problem(
        "forbidden",
        502,
        "The credential may not do this in the project",
        "Give the service account a higher role in Mixpanel: Project Settings > Service Accounts.",
    ),
    Problem(
        "not_found",
        404,
        "Mixpanel knows nothing of that name or id",
        "Check the ids, with the endpoint that lists them, and the project's region.",
    ),
    Problem(
        "method_not_allowed",
        502,
        "The address does not take this method",
        "Check method and path in Mixpanel's documentation.",
    ),
    Problem("too_large", 413, "The request is too large for Mixpanel", "Send it in smaller pieces."),
    Problem(
        "rate_limited",
        429,
        "Mixpanel's own rate limit is reached: others use the project's budget as well",
        "Call again after the time named; lower QUERIES_AN_HOUR to leave the others their share.",
    ),
    Problem(
        "rejected",
        502,
        "Mixpanel refused the request",
        "Look the status up in the endpoint's documentation; the same request will be refused again.",
    ),
    Problem(
        "server_error",
        502,
        "Mixpanel failed",
        "Call again later. What was sent may have been applied all the same.",
    ),
    # No answer.
    Problem(
        "timeout",
        504,
        "Mixpanel did not answer in time",
        "Ask for less (a shorter period), or allow more time. What was sent may have been applied.",
    ),
    Problem(
        "unreachable",
        502,
        "Mixpanel cannot be reached; nothing was sent",
        "Check the network, the host and the proxy between.",
    ),
    Problem(
        "broken",
        502,
        "The connection broke off",
        "Call again. What was sent may have been applied.",
    ),
    # Answers of 200 that are none.
    Problem(
        "refused",
        400,
        "Mixpanel answered 200, and in it that the request failed",
        "Correct what its answer names.",
    ),
    Problem(
        "invalid_records",
        400,
        "Mixpanel did not accept (all of) the records",
        "Correct those that its answer names and send only them again. With strict=1 it names them.",
    ),
    Problem(
        "unreadable",
        502,
        "The answer is not what the endpoint is documented to give",
        "Check the host; if it is Mixpanel's, call again later.",
    ),
    Problem(
        "answer_too_long",
        502,
        "The answer is larger than what is taken in",
        "Ask for less: fewer properties, a shorter period, a limit; or stream it.",
    ),
    Problem(
        "terminated_early",
        502,
        "Mixpanel ended the export before its end",
        "Begin again at the day named.",
    ),
    Problem(
        "session_expired",
        409,
        "Mixpanel has forgotten the query whose next page was asked for",
        "Query anew, from page 0.",
    ),
    # The legacy Data API v2.
    Problem("invalid_api_key", 502, "The API key is not the project's", "Check `api_key` of the project."),
    Problem(
        "invalid_signature",
        502,
        "The signature is not the one that Mixpanel computes",
        "Check `project_secret` of the project: it signs.",
    ),
    Problem("expired_request", 502, "The request came too late", "Check this machine's clock."),
    Problem("missing_parameter", 400, "A parameter is missing", "Give the parameter that the answer names."),
    Problem("invalid_parameter", 400, "A parameter is wrong", "Correct the parameter that the answer names."),
    Problem("invalid_json", 400, "A parameter is no JSON", 'Write lists as JSON: ["a", "b"].'),
    Problem(
        "invalid_endpoint",
        502,
        "The legacy API has no such endpoint any more",
        "Use the modern endpoint that the catalog names.",
    ),
)

PROBLEMS: Final[Mapping[str, Problem]] = MappingProxyType({problem.code: problem for problem in _ALL})
