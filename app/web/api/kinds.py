"""Every kind of problem that the API answers with. `docs/api.md` is this table in prose.

A kind's code is stable. It stands in the answer and in the log, and `type` is the address of its description:
`/api/v1/problems/<code>`.
"""

from dataclasses import dataclass
from typing import Final

from app.web.api import PREFIX


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem.

    Attributes:
        code: its stable name.
        status: HTTP status.
        title: what is wrong; the same for every problem of the kind.
        advice: what to do about it.
        retry_after_s: sent as `Retry-After` when there is one, unless the problem itself knows better.
    """

    code: str
    status: int
    title: str
    advice: str
    retry_after_s: int | None = None

    @property
    def type(self) -> str:
        """The address of its description."""
        return f"{PREFIX}/problems/{self.code}"


# --- the request itself
INVALID_BODY: Final = Kind(
    "invalid_body",
    400,
    "The body cannot be read.",
    "Correct the body: what is wrong, and where, is in errors.",
)
INVALID_HEADER: Final = Kind(
    "invalid_header", 400, "A header is missing or wrong.", "Correct the header that errors names."
)
KEY_REQUIRED: Final = Kind(
    "idempotency_key_required",
    400,
    "This call needs an Idempotency-Key.",
    "Send the header Idempotency-Key: a new value, such as a UUID, for every new call, the same one for its"
    " repetition.",
)
BAD_REQUEST: Final = Kind("bad_request", 400, "The request cannot be understood.", "Correct the request.")
NO_TOKEN: Final = Kind(
    "token_missing", 401, "A bearer token is needed.", "Send the header: Authorization: Bearer crt_..."
)
BAD_TOKEN: Final = Kind(
    "token_invalid", 401, "The token is not known.", "Compare the token; make one with `flask tokens create`."
)
EXPIRED_TOKEN: Final = Kind(
    "token_expired", 401, "The token has expired.", "Make a new one with `flask tokens create`."
)
TOO_MANY_FAILED: Final = Kind(
    "too_many_failed_logins",
    429,
    "Too many wrong tokens came from this address.",
    "Correct the token. A right one is let through at any time.",
    retry_after_s=60,
)
NO_SCOPE: Final = Kind(
    "scope_missing", 403, "The token may not do this.", "Use a token that has the scope that detail names."
)
UNKNOWN_PROJECT: Final = Kind(
    "unknown_project",
    404,
    "There is no such project for this token.",
    "Compare the project's id with the relay's configuration and with the project that the token is for.",
)
NOT_FOUND: Final = Kind(
    "not_found", 404, "There is nothing here.", "Compare the address; see the documentation."
)
UNKNOWN_COHORT: Final = Kind(
    "unknown_cohort",
    404,
    "There is no such cohort.",
    "Compare the id with the list; a cohort appears with its first page.",
)
UNKNOWN_RESYNC: Final = Kind(
    "unknown_resync",
    404,
    "There is no such resync for this token.",
    "It ended more than 30 days ago, is of a project that the token is not for, or never was. See the list.",
)
UNKNOWN_ERASURE: Final = Kind(
    "unknown_erasure",
    404,
    "There is no such erasure for this token.",
    "It is over 400 days old, is of a project that the token is not for, or never was. See the list.",
)
UNKNOWN_DEAD_LETTER: Final = Kind(
    "unknown_dead_letter",
    404,
    "There is no such dead letter.",
    "It was discarded, went for its age or the cap, or never was. See the list.",
)
UNKNOWN_QUARANTINED: Final = Kind(
    "unknown_quarantined",
    404,
    "That is not in quarantine.",
    "It was discarded, went for its age or the cap, or never was. See the list.",
)
UNKNOWN_CONSUMER: Final = Kind(
    "unknown_consumer", 404, "There is no such consumer.", "It was forgotten, or never was. See the list."
)
UNKNOWN_SUBSCRIPTION: Final = Kind(
    "unknown_subscription",
    404,
    "There is no such subscription for this token.",
    "It was deleted, is for a project that the token is not for, or never was. See the list.",
)
TOO_MANY_SUBSCRIPTIONS: Final = Kind(
    "too_many_subscriptions", 409, "There are too many subscriptions.", "Delete those that nobody needs."
)
TOO_MANY_TESTS: Final = Kind(
    "too_many_tests",
    503,
    "Other test messages are under way.",
    "Try again when they are through.",
    retry_after_s=15,
)
WRONG_METHOD: Final = Kind(
    "method_not_allowed", 405, "The address knows other methods.", "Use a method that the header Allow names."
)
CONFLICT: Final = Kind(
    "conflict", 409, "The request contradicts the present state.", "Read the state again and decide anew."
)
RESYNC_UNDER_WAY: Final = Kind(
    "resync_under_way",
    409,
    "The cohort has a resync under way.",
    "Wait for the one that detail names, or cancel it.",
)
RESYNC_ENDED: Final = Kind(
    "resync_ended", 409, "The resync has ended.", "There is nothing to cancel; see what it came to."
)
NOT_HELD: Final = Kind(
    "not_held",
    409,
    "This full list is not held.",
    "Another one took its place, or somebody has answered it. See `GET .../holds`.",
)
NO_QUERY_ACCESS: Final = Kind(
    "no_query_access",
    409,
    "Mixpanel cannot be asked about this project.",
    "Configure a service account for the project; only with one can a cohort be read.",
)
PROJECT_CONFIGURED: Final = Kind(
    "project_configured",
    409,
    "The project is configured.",
    "Take it out of the configuration and restart the processes, or say although_configured.",
)
NO_DELETION_ACCESS: Final = Kind(
    "no_deletion_access",
    409,
    "Mixpanel cannot be asked to delete people of this project.",
    "Configure an OAuth token for the project (`oauth_token`), or erase without `mixpanel=true`.",
)
CONFIRMATION_NEEDED: Final = Kind(
    "confirmation_needed",
    409,
    "This may count twice.",
    "Read detail; if that is meant, send the same again with the field that errors names set to true.",
)
UNKNOWN_DESTINATION: Final = Kind(
    "unknown_destination",
    404,
    "There is no such destination.",
    "See the list; `events` and `identity` are there where a rule has an event or a link.",
)
NOT_PAUSED: Final = Kind(
    "not_paused", 409, "The destination is not paused.", "Pause it, look again, and send what you saw."
)
LANE_BUSY: Final = Kind(
    "lane_busy",
    409,
    "The destination is at work still.",
    "It ends with its window: look again, and send what you saw.",
)
CONFIRMATION_OUTDATED: Final = Kind(
    "confirmation_outdated",
    409,
    "The confirmation is not of the present state.",
    "Look again with GET, decide anew, and send the confirmation that you get.",
)
CURSOR_OUT_OF_RANGE: Final = Kind(
    "cursor_out_of_range",
    422,
    "The cursor cannot be put there.",
    "Choose another place: GET says what lies between earliest and latest.",
)
BODY_TOO_LARGE: Final = Kind(
    "body_too_large", 413, "The body is too large.", "Send less in a call; detail names the limit."
)
TOO_MANY_RECORDS: Final = Kind(
    "too_many_records",
    413,
    "The call has too many records.",
    "Send them in several calls; detail names the limit.",
)
MEDIA_TYPE: Final = Kind(
    "unsupported_media_type",
    415,
    "The body's type is not supported.",
    "Use one of the types that detail names.",
)
INVALID_QUERY: Final = Kind(
    "invalid_query", 422, "A query parameter is wrong.", "Correct the parameter that errors names."
)
INVALID_RECORDS: Final = Kind(
    "invalid_records",
    422,
    "None of the records can be taken in.",
    "Correct them: errors says of each, by its index, what is wrong. Nothing was kept.",
)
KEY_REUSED: Final = Kind(
    "idempotency_key_reused",
    422,
    "The Idempotency-Key stands for another call.",
    "Use a new key for a new call. Nothing was kept of this one.",
)

# --- ours, and passing: send the same again later
OUTBOX_FULL: Final = Kind(
    "outbox_full",
    429,
    "Too much waits to be sent to Mixpanel.",
    "Send the same again later.",
    retry_after_s=10,
)
NOT_ACCEPTING: Final = Kind(
    "not_accepting",
    503,
    "The relay takes nothing in for this project at the moment.",
    "Send the same again later, with the same key: an operator has stopped accepting for a while.",
    retry_after_s=60,
)
INTERNAL_ERROR: Final = Kind(
    "internal_error",
    500,
    "The relay made a mistake.",
    "It is in the relay's log, under the id in instance. Send the same again later, with the same key.",
    retry_after_s=30,
)
BODY_INCOMPLETE: Final = Kind(
    "body_incomplete", 503, "The body did not arrive completely.", "Send the same again.", retry_after_s=2
)
STORE_UNAVAILABLE: Final = Kind(
    "store_unavailable",
    503,
    "The relay's store is not available.",
    "Send the same again later, with its Idempotency-Key: this one may have been kept.",
    retry_after_s=5,
)
TOO_MANY_STREAMS: Final = Kind(
    "too_many_streams",
    503,
    "Too many connections follow events.",
    "Try again later, close those that are not needed, or let the operator raise EVENT_READERS.",
    retry_after_s=10,
)
SHUTTING_DOWN: Final = Kind(
    "shutting_down", 503, "The relay is restarting.", "Send the same again.", retry_after_s=5
)

KINDS: Final = tuple(each for each in globals().copy().values() if isinstance(each, Kind))
EVERYWHERE: Final = (
    SHUTTING_DOWN,
    NO_TOKEN,
    BAD_TOKEN,
    EXPIRED_TOKEN,
    TOO_MANY_FAILED,
    NO_SCOPE,
    INTERNAL_ERROR,
    STORE_UNAVAILABLE,
)
"""What any endpoint can answer."""
