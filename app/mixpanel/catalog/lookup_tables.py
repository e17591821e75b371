"""Family `ingestion`: tables that add properties to what is asked.

Source: `ingestion.openapi.yaml`.
"""

from typing import Final

from app.mixpanel.catalog.parameters import docs, header, path, query
from app.mixpanel.catalog.row import Body, Endpoint

_PROJECT = query("project_id", "string", "The project.", required=True, filled="project_id")

ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    Endpoint(
        "ingestion",
        "lookup-tables",
        "GET",
        "/lookup-tables",
        "ingestion",
        "List the lookup tables with their ids and names",
        ("service_account",),
        docs("list-lookup-tables"),
        operation="list-lookup-tables",
        budget="ingestion",
        reads=True,
        idempotent=True,
        cache_s=300,
        parameters=(_PROJECT,),
    ),
    Endpoint(
        "ingestion",
        "lookup-table-replace",
        "PUT",
        "/lookup-tables/{id}",
        "ingestion",
        "Replace a lookup table by another, as CSV",
        ("service_account", "project_secret"),
        docs("replace-lookup-table"),
        operation="replace-lookup-table",
        budget="ingestion",
        idempotent=True,
        body=Body("csv", required=False, shape="text"),
        parameters=(
            path("id", "string", "Id of the table, as `lookup-tables` gives it.", format="uuid"),
            _PROJECT,
            header("Content-Type", "What the body is written as.", enum=("text/csv",), default="text/csv"),
        ),
    ),
)
