"""Family `identity`: that two ids are one person.

Which of them a project knows, its identity system decides (docs/identity.md). Said twice, they link once.

Source: `identity.openapi.yaml`.
"""

from typing import Final

from app.mixpanel.catalog.ingestion import STRICT
from app.mixpanel.catalog.parameters import docs, field, form, query
from app.mixpanel.catalog.row import Body, Endpoint, Parameter

_FORM: Final = Body("form")
_STRICT = form("strict", "integer", "1: say what is wrong with the event.", minimum=0, maximum=1)
_TOKEN = field("token", "string", "The project's token.", required=True, filled="token")


def _event(name: str, *properties: Parameter) -> Parameter:
    """Describe the form's one field: an event as JSON text."""
    return form(
        "data",
        "string",
        f"The event `{name}`, a JSON object.",
        required=True,
        format="blob",
        encoded=True,
        fields=(
            field("event", "string", "Name of the event.", required=True, default=name, enum=(name,)),
            field("properties", "object", "What it says.", required=True, fields=(*properties, _TOKEN)),
        ),
    )


_CREATE_IDENTITY = Endpoint(
    "identity",
    "create-identity",
    "POST",
    "/track",
    "ingestion",
    "Link an anonymous id to a user's (original ID merge only)",
    ("project_token",),
    docs("create-identity"),
    operation="create-identity",
    budget="ingestion",
    answer="text",
    idempotent=True,
    body=_FORM,
    parameters=(
        _event(
            "$identify",
            field("$identified_id", "string", "The user's id.", required=True),
            field("$anon_id", "string", "The anonymous id, a UUID v4 never merged before.", required=True),
        ),
        _STRICT,
    ),
)

_CREATE_ALIAS = Endpoint(
    "identity",
    "create-alias",
    "POST",
    "/track",
    "ingestion",
    "Give an id a further name (original ID merge, or none)",
    ("project_token",),
    docs("identity-create-alias"),
    operation="identity-create-alias",
    budget="ingestion",
    answer="text",
    idempotent=True,
    body=_FORM,
    parameters=(
        _event(
            "$create_alias",
            field("distinct_id", "string", "The id.", required=True),
            field("alias", "string", "Its further name; it can name one id only.", required=True),
        ),
        _STRICT,
    ),
)

_MERGE = Endpoint(
    "identity",
    "merge",
    "POST",
    "/import",
    "ingestion",
    "Merge two users for good (original ID merge only)",
    ("service_account", "project_secret", "oauth"),
    docs("identity-merge"),
    operation="identity-merge",
    budget="ingestion",
    role="admin",
    idempotent=True,
    body=Body("json", shape="records"),
    parameters=(
        STRICT,
        query("project_id", "string", "The project; with a service account.", filled="project_id"),
        field("event", "string", "Name of the event.", required=True, default="$merge"),
        field(
            "properties",
            "object",
            "What it says.",
            required=True,
            fields=(
                field(
                    "$distinct_ids",
                    "array",
                    "The two ids.",
                    required=True,
                    items="string",
                    min_items=2,
                    max_items=2,
                ),
            ),
        ),
    ),
)

ENDPOINTS: Final[tuple[Endpoint, ...]] = (_CREATE_IDENTITY, _CREATE_ALIAS, _MERGE)
