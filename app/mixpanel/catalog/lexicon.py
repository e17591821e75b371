"""Family `lexicon`: schemas of events and profiles, which Lexicon shows.

Fewer than 4,000 events and properties a minute, fewer than 3,000 truncations or deletions a request.

Source: `lexicon-schemas.openapi.yaml`.
"""

from functools import partial
from typing import Final

from app.mixpanel.catalog.parameters import PROJECT_PATH, docs, field, path, query
from app.mixpanel.catalog.row import Body, Endpoint

_SCHEMAS_S: Final = 300

_endpoint = partial(Endpoint, "lexicon", host="app", credentials=("service_account",), budget="lexicon")
_reading = partial(_endpoint, method="GET", reads=True, idempotent=True, cache_s=_SCHEMAS_S)
_deleting = partial(_endpoint, method="DELETE", idempotent=True)
_ALL: Final = "/projects/{projectId}/schemas"
_KIND: Final = "/projects/{projectId}/schemas/{entityType}"
_ONE: Final = "/projects/{projectId}/schemas/{entityType}/{name}"
_ENTITY_ENUM: Final = ("event", "profile")
_ENTITY = path("entityType", "string", "What it is a schema of.", enum=_ENTITY_ENUM)
_NAME = path("name", "string", "Name of the event or profile.")
_ENTITY_NAME = query("entity_name", "string", "Only of this event or profile.")

_OF_MIXPANEL = field(
    "com.mixpanel",
    "object",
    "What only Mixpanel understands.",
    fields=(
        field("$source", "string", "Where the schema comes from."),
        field("displayName", "string", "Name that pages show instead."),
        field("tags", "array", "Tags to find it by.", items="string"),
        field("hidden", "boolean", "Pages do not show it.", default=False),
        field("dropped", "boolean", "Events: they are dropped as they come in.", default=False),
        field("contacts", "array", "E-mail addresses of who answers for it.", items="string"),
        field("teamContacts", "array", "Names of the teams that answer for it.", items="string"),
    ),
)
_SCHEMA = (
    field("description", "string", "What it is."),
    field("properties", "object", "JSON Schema of each property, by name."),
    field("metadata", "object", "What is not JSON Schema.", fields=(_OF_MIXPANEL,)),
)

ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    _reading(
        "list",
        path=_ALL,
        summary="List all schemas",
        docs=docs("list-all-schemas-for-project"),
        operation="list-all-schemas-for-project",
        parameters=(PROJECT_PATH,),
    ),
    _endpoint(
        "replace-many",
        method="POST",
        path=_ALL,
        summary="Create or replace schemas",
        docs=docs("upload-schemas-for-project"),
        operation="upload-schemas-for-project",
        idempotent=True,
        body=Body("json", required=False),
        parameters=(
            PROJECT_PATH,
            field(
                "entries",
                "array",
                "The schemas.",
                required=True,
                items="object",
                fields=(
                    field(
                        "entityType", "string", "What it is a schema of.", required=True, enum=_ENTITY_ENUM
                    ),
                    field("name", "string", "Name of the event or profile.", required=True),
                    field("schemaJson", "object", "The schema.", required=True, fields=_SCHEMA),
                ),
            ),
            field("truncate", "boolean", "Delete the whole data dictionary first.", default=False),
        ),
    ),
    _deleting(
        "delete-all",
        path=_ALL,
        summary="Delete all schemas",
        docs=docs("delete-all-schemas-in-project"),
        operation="delete-all-schemas-in-project",
        parameters=(PROJECT_PATH,),
    ),
    _reading(
        "list-entity",
        path=_KIND,
        summary="List the schemas of events, or of profiles",
        docs=docs("list-schemas-for-entity"),
        operation="list-schemas-for-entity",
        parameters=(PROJECT_PATH, _ENTITY, _ENTITY_NAME),
    ),
    _deleting(
        "delete-entity",
        path=_KIND,
        summary="Delete the schemas of events, or of profiles",
        docs=docs("delete-schemas-for-entity"),
        operation="delete-schemas-for-entity",
        parameters=(PROJECT_PATH, _ENTITY, _ENTITY_NAME),
    ),
    _reading(
        "get",
        path=_ONE,
        summary="Get a schema",
        docs=docs("list-schemas-by-entity-and-name"),
        operation="list-schemas-by-entity-and-name",
        parameters=(PROJECT_PATH, _ENTITY, _NAME),
    ),
    _endpoint(
        "replace",
        method="POST",
        path=_ONE,
        summary="Create or replace a schema",
        docs=docs("upload-schema-by-entity-and-name"),
        operation="upload-schema-by-entity-and-name",
        idempotent=True,
        body=Body("json", required=False),
        parameters=(PROJECT_PATH, _ENTITY, _NAME, *_SCHEMA),
    ),
    _deleting(
        "delete",
        path=_ONE,
        summary="Delete a schema",
        docs=docs("delete-schema-by-entity-and-name"),
        operation="delete-schema-by-entity-and-name",
        parameters=(PROJECT_PATH, _ENTITY, _NAME),
    ),
)
