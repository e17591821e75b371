"""Family `export`: raw events, one JSON object a line.

Source: https://docs.mixpanel.com/reference/raw-event-export, `export.openapi.yaml`.
"""

from typing import Final

from app.mixpanel.catalog.parameters import FROM_DATE, TO_DATE, docs, header, query
from app.mixpanel.catalog.row import Endpoint

ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    Endpoint(
        "export",
        "events",
        "GET",
        "/export",
        "export",
        "Export raw events as they were taken in",
        ("service_account", "project_secret"),
        docs("raw-event-export"),
        operation="raw-event-export",
        budget="export",
        answer="ndjson",
        reads=True,
        idempotent=True,
        parameters=(
            query("project_id", "integer", "The project; with a service account.", filled="project_id"),
            FROM_DATE,
            TO_DATE,
            query("limit", "integer", "Most events, up to 100,000; all unless given."),
            query("event", "string", "Only these events, a JSON array of names.", encoded=True),
            query("where", "string", "Expression that events have to fulfil."),
            query("time_in_ms", "boolean", "Times in milliseconds; in seconds unless true."),
            header("Accept-Encoding", "`gzip`: the answer comes compressed.", enum=("gzip",)),
        ),
    ),
)
