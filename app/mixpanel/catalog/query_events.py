"""Family `query`: counts of events and of their properties' values.

Source: `query.openapi.yaml`.
"""

from typing import Final

from app.mixpanel.catalog.parameters import FROM_DATE, PROJECT_ID, TO_DATE, WORKSPACE_ID, docs, query
from app.mixpanel.catalog.query_reports import EVENT, TYPE_ENUM, report
from app.mixpanel.catalog.row import Endpoint

_NAMES_S: Final = 900  # the names that a project uses change by the week

_TYPE = query(
    "type", "string", "Count all, each user once, or the average a user.", required=True, enum=TYPE_ENUM
)
_UNIT = query(
    "unit",
    "string",
    "Size of a bucket; users are not counted once an hour.",
    required=True,
    enum=("minute", "hour", "day", "week", "month"),
)
_INTERVAL = query("interval", "integer", "`unit`s back from now; instead of the dates, say the descriptions.")
_FORMAT = query("format", "string", "`json` unless given.", enum=("json", "csv"))
_NAME = query("name", "string", "Name of the property.", required=True)

ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    report(
        "events",
        path="/events",
        summary="Count one or more events by day, week or month",
        docs=docs("list-recent-events"),
        operation="list-recent-events",
        parameters=(
            PROJECT_ID,
            WORKSPACE_ID,
            query("event", "string", "Names of the events, a JSON array.", required=True, encoded=True),
            _TYPE,
            _UNIT,
            _INTERVAL,
            FROM_DATE,
            TO_DATE,
            _FORMAT,
        ),
    ),
    report(
        "events-top",
        path="/events/top",
        summary="List today's most frequent events, and their change since yesterday",
        docs=docs("query-top-events"),
        operation="query-top-events",
        parameters=(
            PROJECT_ID,
            WORKSPACE_ID,
            _TYPE,
            query("limit", "integer", "Most events; 100 unless given."),
        ),
    ),
    report(
        "events-names",
        path="/events/names",
        summary="List the names of the most frequent events of the last 31 days",
        docs=docs("query-months-top-event-names"),
        operation="query-months-top-event-names",
        cache_s=_NAMES_S,
        parameters=(
            PROJECT_ID,
            WORKSPACE_ID,
            _TYPE,
            query("limit", "integer", "Most names; 255 unless given."),
        ),
    ),
    report(
        "properties",
        path="/events/properties",
        summary="Count an event by the values of a property",
        docs=docs("query-event-properties"),
        operation="query-event-properties",
        parameters=(
            PROJECT_ID,
            WORKSPACE_ID,
            EVENT,
            _NAME,
            query("values", "array", "Only these values, a JSON array.", items="string", encoded=True),
            _TYPE,
            _UNIT,
            _INTERVAL,
            FROM_DATE,
            TO_DATE,
            _FORMAT,
            query("limit", "integer", "Most values; 255 unless given."),
        ),
    ),
    report(
        "properties-top",
        path="/events/properties/top",
        summary="List the most frequent properties of an event",
        docs=docs("query-events-top-properties"),
        operation="query-events-top-properties",
        cache_s=_NAMES_S,
        parameters=(
            PROJECT_ID,
            WORKSPACE_ID,
            EVENT,
            query("limit", "integer", "Most properties; 10 unless given."),
        ),
    ),
    report(
        "properties-values",
        path="/events/properties/values",
        summary="List the most frequent values of an event's property",
        docs=docs("query-events-top-property-values"),
        operation="query-events-top-property-values",
        cache_s=_NAMES_S,
        parameters=(
            PROJECT_ID,
            WORKSPACE_ID,
            EVENT,
            _NAME,
            query("limit", "integer", "Most values; 255 unless given."),
        ),
    ),
)
