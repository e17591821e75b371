"""Where the catalog says otherwise than Mixpanel's published OpenAPI descriptions, and why.

A test compares the two: what differs and does not stand here fails it, and so does what stands here and does
not differ.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Deviation:
    """One difference.

    Attributes:
        operation: `operationId` of the published description.
        where: What differs, such as `form.behaviors type`.
        published: What the description says.
        here: What the catalog says.
        reason: Why.
    """

    operation: str
    where: str
    published: str
    here: str
    reason: str


_IMPORT_ROLE: Final = "a service account needs to be Admin or Owner, says Mixpanel's documentation"
_A_BATCH: Final = "the body is described as a text; the prose says what it is, an array of updates"
_EVENT_SELECTORS: Final = "a number selects no events; the prose says selectors, which go as a JSON array"

_REDIRECTING: Final = (
    "track-event",
    "profile-set",
    "profile-set-property-once",
    "profile-numerical-add",
    "user-profile-union",
    "profile-append-to-list-property",
    "profile-remove-from-list-property",
    "profile-delete-property",
    "profile-batch-update",
    "delete-profile",
)
_REDIRECT: Final = (
    "Mixpanel's earlier HTTP specification has it for links that track; the descriptions do not"
)

DEVIATIONS: Final[tuple[Deviation, ...]] = (
    *(Deviation(one, "query.redirect", "not published", "here", _REDIRECT) for one in _REDIRECTING),
    Deviation(
        "import-events",
        "credentials",
        "oauth, project_secret, service_account",
        "oauth, project_secret, project_token, service_account",
        "the project's token may be the username of Basic auth, with an empty password",
    ),
    Deviation("import-events", "role", "None", "admin", _IMPORT_ROLE),
    Deviation("identity-merge", "role", "None", "admin", _IMPORT_ROLE),
    Deviation("profile-batch-update", "records", "False", "True", _A_BATCH),
    Deviation("group-batch-update", "records", "False", "True", _A_BATCH),
    Deviation("engage-query", "form.behaviors type", "integer", "array", _EVENT_SELECTORS),
    Deviation("engage-query", "form.behaviors items", "None", "object", _EVENT_SELECTORS),
    Deviation(
        "raw-event-export",
        "credentials",
        "project_secret",
        "project_secret, service_account",
        "`project_id` is there for service accounts, says its own description",
    ),
    Deviation("raw-event-export", "answer", "text", "ndjson", "each line is a JSON object, says the prose"),
)

NOTES: Final[tuple[str, ...]] = (
    (
        "`ip` of the operations on profiles and groups: the schema's default is 0, the prose says 1. The "
        "relay sends 0 unless it is told otherwise."
    ),
    (
        "`import`: the descriptions leave out the project's token as a credential, which Mixpanel's page "
        "on credentials allows. The least role (Admin) and the limits (2,000 events, 10 MB) are in prose "
        "only."
    ),
    (
        "`import`, `lookup-tables`, `lookup-table-replace`: `project_id` is required, although a request "
        "with the project's secret must not name it."
    ),
    (
        "`export`: the only credential of the description is the project's secret, which Mixpanel retires"
        " on 3 March 2027; the prose has service accounts too. So a service account is used where there "
        "is one."
    ),
    ("`group-batch`: the prose says form, the description says JSON; JSON is sent, as for `profile-batch`."),
    (
        "`group-union` and `group-delete`: their operation is not required by the schema. Without it a "
        "request would do nothing."
    ),
    (
        "`events`, `properties`: `interval` is told to be an alternative to `from_date` and `to_date`, "
        "but these are required."
    ),
    "`segmentation-numeric`: the prose of `type` is that of `unit`.",
    "`profiles`: `behaviors` is described as an integer; it is a JSON array.",
    (
        "`properties` (`values`) and `profiles` (`output_properties`): described as arrays, which would "
        "go as one `name=value` each; the prose says a JSON array, and so they are sent."
    ),
    (
        "`pipelines`: `events` is described as one string; the prose says that it may be given several "
        "times. The service principal's fields are `client_id` ... to create and `azure_client_id` ... to"
        " edit."
    ),
    "`me-south-1` is a region of `s3-raw` pipelines, but not of `aws` ones.",
    (
        "Roles: told for annotations only (Analyst), and for `import` elsewhere. Where none is shown none"
        " is told."
    ),
    (
        "Limits: those of pipelines, annotations, warehouse imports, service accounts, experiments and "
        "feature flags are not told anywhere; the relay counts none for them."
    ),
    ("`legacy` has no published description any more; see the head of `app/mixpanel/catalog/legacy.py`."),
)
"""Where the published descriptions contradict their own prose or Mixpanel's other pages."""
