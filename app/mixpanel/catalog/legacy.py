"""Family `legacy`: version 2.0 of the Data API, for projects that still have it.

Mixpanel publishes no description of it any more. What an endpoint takes is what Mixpanel's guide to the Data
API v2 (2010 to 2014) and the clients written to it name; where they differ, the parameter is not required.
Its limits are not known: it counts against those of the query API, which took its place.
"""

from functools import partial
from typing import Final

from app.mixpanel.catalog.parameters import docs, query
from app.mixpanel.catalog.row import Endpoint, Parameter

_SIGNED = (
    query("api_key", "string", "The project's API key.", required=True, filled="api_key"),
    query(
        "expire", "integer", "When the request ends, in seconds since 1970.", required=True, filled="expire"
    ),
    query("sig", "string", "The request's signature.", required=True, filled="sig"),
    query("format", "string", "How the answer is written.", required=True, enum=("json",), default="json"),
    query("callback", "string", "The answer is JavaScript that calls this; it is not signed."),
)

_EVENTS = query(
    "event", "array", "Names of events, a JSON array.", required=True, items="string", encoded=True
)
_EVENT = query("event", "string", "Name of the event.", required=True)
_FUNNELS = query(
    "funnel", "array", "Names of funnels, a JSON array.", required=True, items="string", encoded=True
)
_FUNNEL = query("funnel", "string", "Name of the funnel.", required=True)
_NAME = query("name", "string", "Name of the property.", required=True)
_VALUES = query("values", "array", "Only these values, a JSON array.", items="string", encoded=True)
_LIMIT = query("limit", "integer", "Most of them.")
_BUCKET = query("bucket", "string", "Only this bucket, where a project has some.")


def _counted(*, required: bool = True) -> Parameter:
    what = "Count all, each user once, or the average a user."
    return query("type", "string", what, required=required, enum=("general", "unique", "average"))


def _period(*, required: bool = True) -> tuple[Parameter, ...]:
    return (
        query(
            "unit", "string", "Size of a bucket.", required=required, enum=("hour", "day", "week", "month")
        ),
        query("interval", "integer", "`unit`s back from now.", required=required),
    )


_WEEKS = (
    query("unit", "string", "Size of a bucket; `week` for some."),
    query("interval", "integer", "`unit`s back from now."),
)


def _asked(name: str, summary: str, instead: str, page: str, *parameters: Parameter) -> Endpoint:
    """Describe an endpoint.

    Args:
        name: Its path, with hyphens for slashes.
        summary: One line.
        instead: Today's endpoint for it.
        page: The page of that one.
        parameters: What it takes besides the signature.
    """
    return _endpoint(
        name,
        path=f"/{name.replace('-', '/')}",
        summary=summary,
        docs=docs(page),
        retired=f"Data API v2; today: {instead}",
        parameters=(*_SIGNED, *parameters),
    )


_endpoint = partial(
    Endpoint,
    "legacy",
    method="GET",
    host="legacy",
    credentials=("signature",),
    budget="query",
    reads=True,
    idempotent=True,
    cache_s=300,
)

ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    _asked(
        "events",
        "Count events",
        "`query.events`",
        "list-recent-events",
        _EVENTS,
        _counted(),
        *_period(),
        _BUCKET,
    ),
    _asked(
        "events-top",
        "List today's most frequent events",
        "`query.events-top`",
        "query-top-events",
        _counted(),
        _LIMIT,
    ),
    _asked(
        "events-names",
        "List the names of the most frequent events",
        "`query.events-names`",
        "query-months-top-event-names",
        _counted(),
        *_period(required=False),
        _LIMIT,
    ),
    _asked(
        "events-retention",
        "Count who comes back to events",
        "`query.retention`",
        "retention-query",
        _EVENTS,
        _counted(required=False),
        *_period(),
        _BUCKET,
    ),
    _asked(
        "events-properties",
        "Count an event by the values of a property",
        "`query.properties`",
        "query-event-properties",
        _EVENT,
        _NAME,
        _VALUES,
        _counted(),
        *_period(),
        _LIMIT,
        _BUCKET,
    ),
    _asked(
        "events-properties-top",
        "List the most frequent properties of an event",
        "`query.properties-top`",
        "query-events-top-properties",
        _EVENT,
        _counted(required=False),
        *_period(required=False),
        _LIMIT,
    ),
    _asked(
        "events-properties-values",
        "List the most frequent values of an event's property",
        "`query.properties-values`",
        "query-events-top-property-values",
        _EVENT,
        _NAME,
        _counted(required=False),
        *_period(required=False),
        _LIMIT,
        _BUCKET,
    ),
    _asked("funnels", "Ask for funnels", "`query.funnels`", "funnels-query", _FUNNELS, *_WEEKS),
    _asked("funnels-names", "List the funnels", "`query.funnels-list`", "funnels-list-saved", *_WEEKS),
    _asked(
        "funnels-dates",
        "List the days that funnels have data of",
        "`query.funnels`, whose answer names its days",
        "funnels-query",
        _FUNNELS,
        *_WEEKS,
        _LIMIT,
    ),
    _asked(
        "funnels-properties",
        "Ask for a funnel, divided by a property",
        "`query.funnels` with `on`",
        "funnels-query",
        _FUNNEL,
        _NAME,
        *_WEEKS,
        _LIMIT,
    ),
    _asked(
        "funnels-properties-names",
        "List the most frequent properties of a funnel",
        "`query.properties-top` for an event of the funnel",
        "query-events-top-properties",
        _FUNNEL,
        *_WEEKS,
        _LIMIT,
    ),
)
