"""Family `query`: the reports that Mixpanel's own pages show (insights, funnels, retention, segmentation).

Source: `query.openapi.yaml`.
"""

from functools import partial
from typing import Final

from app.mixpanel.catalog.parameters import FROM_DATE, PROJECT_ID, TO_DATE, WORKSPACE_ID, docs, query
from app.mixpanel.catalog.row import Endpoint

REPORT_S: Final = (
    300  # an answer is as old as this at most: 60 queries an hour are one a minute for everybody
)

report = partial(
    Endpoint,
    "query",
    method="GET",
    host="query",
    credentials=("service_account", "project_secret"),
    budget="query",
    reads=True,
    idempotent=True,
    cache_s=REPORT_S,
)

EVENT = query("event", "string", "Name of the event; one, no list.", required=True)
ON = query("on", "string", "Expression by whose value the answer is divided.")
WHERE = query("where", "string", "Expression that events have to fulfil.")
TYPE_ENUM: Final = ("general", "unique", "average")
_COUNTED = query("type", "string", "Count all, each user once, or the average a user.", enum=TYPE_ENUM)
_PERIOD = (PROJECT_ID, WORKSPACE_ID, FROM_DATE, TO_DATE)
_SEGMENTED = (PROJECT_ID, WORKSPACE_ID, EVENT, FROM_DATE, TO_DATE)
_UNIT = query("unit", "string", "Size of a bucket; `day` unless given.", enum=("hour", "day"))
_SEGMENTS = query("limit", "integer", "Most values of `on`; means nothing without it.")
_DAYS = ("day", "week", "month")

_INSIGHTS = report(
    "insights",
    path="/insights",
    summary="Ask for a saved insights report",
    docs=docs("insights-query"),
    operation="insights-query",
    parameters=(
        PROJECT_ID,
        WORKSPACE_ID,
        query("bookmark_id", "integer", "Id of the report, as in its address.", required=True),
    ),
)

_FUNNELS = report(
    "funnels",
    path="/funnels",
    summary="Ask for a saved funnel",
    docs=docs("funnels-query"),
    operation="funnels-query",
    parameters=(
        *_PERIOD,
        query("funnel_id", "integer", "Id of the funnel, as `funnels-list` gives it.", required=True),
        query(
            "length", "integer", "`length_unit`s that a user has for all steps: at most 90 days; as saved."
        ),
        query(
            "length_unit", "string", "Unit of `length`; as saved.", enum=("day", "hour", "minute", "second")
        ),
        query("interval", "integer", "Days a bucket has; 1 unless given."),
        query("unit", "string", "Size of a bucket, instead of `interval`.", enum=_DAYS),
        ON,
        WHERE,
        query("limit", "integer", "Most values of `on`: 255 unless given, at most 10,000."),
    ),
)

_FUNNELS_LIST = report(
    "funnels-list",
    path="/funnels/list",
    summary="List the saved funnels with their ids and names",
    docs=docs("funnels-list-saved"),
    operation="funnels-list-saved",
    parameters=(PROJECT_ID, WORKSPACE_ID),
)

_RETENTION = report(
    "retention",
    path="/retention",
    summary="Count who comes back after a first event",
    docs=docs("retention-query"),
    operation="retention-query",
    parameters=(
        *_PERIOD,
        query(
            "retention_type",
            "string",
            "`birth`: since the first time, `compounded`: recurring; `birth` unless given.",
            enum=("birth", "compounded"),
        ),
        query("born_event", "string", "The first event; needed for `birth`, ignored otherwise."),
        query("event", "string", "The event to come back with; any unless given."),
        query("born_where", "string", "Expression that first events have to fulfil."),
        query("where", "string", "Expression that returning events have to fulfil."),
        query("interval", "integer", "`unit`s a bucket has: at most 90 days; 1 unless given."),
        query("interval_count", "integer", "Number of buckets; 1 unless given."),
        query("unit", "string", "Unit of `interval`; `day` unless given.", enum=_DAYS),
        query(
            "unbounded_retention",
            "boolean",
            "Count who came back on the day or later.",
            default=False,
        ),
        ON,
        _SEGMENTS,
    ),
)

_FREQUENCY = report(
    "frequency",
    path="/retention/addiction",
    summary="Count in how many hours or days of a period users do something",
    docs=docs("retention-frequency-query"),
    operation="retention-frequency-query",
    parameters=(
        *_PERIOD,
        query("unit", "string", "The period.", required=True, enum=_DAYS),
        query("addiction_unit", "string", "What is counted within it.", required=True, enum=("hour", "day")),
        query("event", "string", "The event; any unless given."),
        WHERE,
        ON,
        _SEGMENTS,
    ),
)

_SEGMENTATION = report(
    "segmentation",
    path="/segmentation",
    summary="Count an event, divided by a property",
    docs=docs("segmentation-query"),
    operation="segmentation-query",
    parameters=(
        *_SEGMENTED,
        ON,
        query(
            "unit",
            "string",
            "Size of a bucket; `day` unless given.",
            enum=("minute", "hour", "day", "month"),
        ),
        query("interval", "integer", "Days a bucket has, instead of `unit`; not with `type` `general`."),
        WHERE,
        query("limit", "integer", "Most values of `on`: 60 unless given, at most 10,000."),
        _COUNTED,
        query("format", "string", "`csv`: the answer as CSV.", enum=("csv",)),
    ),
)

_SEGMENTATION_NUMERIC = report(
    "segmentation-numeric",
    path="/segmentation/numeric",
    summary="Count an event, divided by ranges of a number",
    docs=docs("segmentation-numeric-query"),
    operation="segmentation-numeric-query",
    parameters=(
        *_SEGMENTED,
        query("on", "string", "Numeric expression to divide by.", required=True),
        _UNIT,
        WHERE,
        _COUNTED,
    ),
)

_SEGMENTATION_SUM = report(
    "segmentation-sum",
    path="/segmentation/sum",
    summary="Add up a number of an event",
    docs=docs("segmentation-sum-query"),
    operation="segmentation-sum-query",
    parameters=(
        *_SEGMENTED,
        query("on", "string", "Expression to add up; what is no number counts as 0.", required=True),
        _UNIT,
        WHERE,
    ),
)

_SEGMENTATION_AVERAGE = report(
    "segmentation-average",
    path="/segmentation/average",
    summary="Average a number of an event",
    docs=docs("segmentation-query-average"),
    operation="segmentation-query-average",
    parameters=(
        *_SEGMENTED,
        query("on", "string", "Expression to average; what is no number counts as 0.", required=True),
        _UNIT,
        WHERE,
    ),
)

ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    _INSIGHTS,
    _FUNNELS,
    _FUNNELS_LIST,
    _RETENTION,
    _FREQUENCY,
    _SEGMENTATION,
    _SEGMENTATION_NUMERIC,
    _SEGMENTATION_SUM,
    _SEGMENTATION_AVERAGE,
)
