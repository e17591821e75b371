"""Family `warehouse`: imports from a warehouse (BigQuery, Snowflake, Redshift, Databricks, PostgreSQL).

Source: `warehouse-connectors.openapi.yaml`.
"""

from dataclasses import replace
from functools import partial
from typing import Final

from app.mixpanel.catalog.parameters import PROJECT_PATH, docs, field, path
from app.mixpanel.catalog.row import Body, Endpoint
from app.mixpanel.catalog.warehouse_fields import (
    DATABRICKS,
    EVERY,
    INSERTED,
    MAPPINGS,
    MODE,
    PROPERTIES,
    TABLE_MODE,
    source,
)

_LISTS_S: Final = 60

_endpoint = partial(Endpoint, "warehouse", host="app", credentials=("service_account",))
_creating = partial(_endpoint, method="POST", body=Body("json"))
_reading = partial(_endpoint, method="GET", reads=True, idempotent=True)
_ALL: Final = "/projects/{projectId}/warehouse-sources/imports"
_ONE: Final = "/projects/{projectId}/warehouse-sources/imports/{importId}"
_IMPORT = path("importId", "integer", "Id of the import.")

_JOIN = (
    field("value", "string", "Name of the property.", required=True),
    field(
        "resourceType",
        "string",
        "Whether it is one of events or of users.",
        required=True,
        enum=("event", "user"),
    ),
    field("customPropertyId", "integer", "Id, if it is a custom property.", nullable=True),
)

ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    _reading(
        "list",
        path=_ALL,
        summary="List the imports",
        docs=docs("list-warehouse-imports"),
        operation="list-warehouse-imports",
        cache_s=_LISTS_S,
        parameters=(PROJECT_PATH,),
    ),
    _reading(
        "get",
        path=_ONE,
        summary="Get an import",
        docs=docs("get-warehouse-import"),
        operation="get-warehouse-import",
        cache_s=_LISTS_S,
        parameters=(PROJECT_PATH, _IMPORT),
    ),
    _endpoint(
        "update",
        method="PATCH",
        path=_ONE,
        summary="Pause or resume an import, or change how often it runs",
        docs=docs("update-warehouse-import"),
        operation="update-warehouse-import",
        idempotent=True,
        body=Body("json"),
        parameters=(
            PROJECT_PATH,
            _IMPORT,
            field("paused", "boolean", "Whether it rests.", required=True),
            replace(EVERY, required=True),
            DATABRICKS,
        ),
    ),
    _endpoint(
        "delete",
        method="DELETE",
        path=_ONE,
        summary="Delete an import, and on request what it brought",
        docs=docs("delete-warehouse-import"),
        operation="delete-warehouse-import",
        idempotent=True,
        body=Body("json", required=False),
        parameters=(
            PROJECT_PATH,
            _IMPORT,
            field("delete_data", "boolean", "Delete the imported data too.", default=False),
        ),
    ),
    _creating(
        "create-event-stream",
        path=f"{_ALL}/event-stream",
        summary="Create an import of events",
        docs=docs("create-event-stream-import"),
        operation="create-event-stream-import",
        parameters=(
            PROJECT_PATH,
            *source("event_stream"),
            field("event_name", "string", "Name of every event; or `event_column_name`."),
            field("event_column_name", "string", "Column with the event's name."),
            field("time_column_name", "string", "Column with the event's time.", required=True),
            field("user_column_name", "string", "Column with the user's id."),
            field("company_column_name", "string", "Column with the company; needed in B2B projects."),
            field("device_column_name", "string", "Column with the device's id.", nullable=True),
            PROPERTIES,
            MODE,
            EVERY,
            INSERTED,
            MAPPINGS,
            DATABRICKS,
        ),
    ),
    _creating(
        "create-people",
        path=f"{_ALL}/people",
        summary="Create an import of user profiles",
        docs=docs("create-people-import"),
        operation="create-people-import",
        parameters=(
            PROJECT_PATH,
            *source("people"),
            field("user_column_name", "string", "Column with the user's id.", required=True),
            PROPERTIES,
            MODE,
            EVERY,
            INSERTED,
            MAPPINGS,
            DATABRICKS,
        ),
    ),
    _creating(
        "create-groups",
        path=f"{_ALL}/groups",
        summary="Create an import of group profiles",
        docs=docs("create-groups-import"),
        operation="create-groups-import",
        parameters=(
            PROJECT_PATH,
            *source("groups"),
            field("group_key", "string", "The kind of group.", required=True),
            field("group_id_column", "string", "Column with the group's id.", required=True),
            MODE,
            EVERY,
            INSERTED,
            PROPERTIES,
            MAPPINGS,
            DATABRICKS,
        ),
    ),
    _creating(
        "create-lookup-table",
        path=f"{_ALL}/lookup-table",
        summary="Create an import of a lookup table",
        docs=docs("create-lookup-table-import"),
        operation="create-lookup-table-import",
        parameters=(
            PROJECT_PATH,
            *source("lookup_table"),
            field("mixpanel_property", "object", "The property to join on.", required=True, fields=_JOIN),
            field("property_key_column_name", "string", "Column with that property's values.", required=True),
            TABLE_MODE,
            EVERY,
            DATABRICKS,
        ),
    ),
    _endpoint(
        "run",
        method="PUT",
        path=f"{_ONE}/manual-sync",
        summary="Run an import now",
        docs=docs("run-an-import"),
        operation="run-an-import",
        body=Body("json"),
        parameters=(PROJECT_PATH, _IMPORT),
    ),
    _reading(
        "history",
        path=f"{_ONE}/history",
        summary="List the last 30 runs of an import",
        docs=docs("get-import-history"),
        operation="get-import-history",
        cache_s=_LISTS_S,
        parameters=(PROJECT_PATH, _IMPORT),
    ),
)
