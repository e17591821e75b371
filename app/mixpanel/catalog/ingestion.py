"""Family `ingestion`: events.

Source: `ingestion.openapi.yaml`.
"""

from typing import Final

from app.mixpanel.catalog.parameters import docs, field, header, query
from app.mixpanel.catalog.row import Body, Endpoint

MAX_RECORDS: Final = 2_000

VERBOSE = query("verbose", "integer", "1: the answer is JSON, with a reason.", minimum=0, maximum=1)
REDIRECT = query("redirect", "string", "The answer leads on to this address.")
CALLBACK = query("callback", "string", "The answer is JavaScript that calls this function.")

STRICT = query(
    "strict",
    "string",
    "1: check every record and say what is wrong with each.",
    required=True,
    enum=("0", "1"),
    default="1",
)

IMPORT = Endpoint(
    "ingestion",
    "import",
    "POST",
    "/import",
    "ingestion",
    "Import events of any age, up to 2,000 and 10 MB a request",
    ("service_account", "project_token", "project_secret", "oauth"),
    docs("import-events"),
    operation="import-events",
    budget="ingestion",
    role="admin",
    idempotent=True,  # events with equal event, time, distinct_id and $insert_id are one
    body=Body("json", shape="records", max_records=MAX_RECORDS, gzip=True, also=("ndjson",)),
    parameters=(
        STRICT,
        query(
            "project_id", "string", "The project; with a service account.", required=True, filled="project_id"
        ),
        header(
            "Content-Type",
            "What the body is written as.",
            enum=("application/json", "application/x-ndjson"),
            default="application/json",
        ),
        header("Content-Encoding", "`gzip`: the body is compressed.", enum=("gzip",)),
        field("event", "string", "Name of the event.", required=True),
        field(
            "properties",
            "object",
            "The event's properties.",
            required=True,
            fields=(
                field("time", "integer", "Seconds or milliseconds since 1970, UTC.", required=True),
                field("distinct_id", "string", "Who did it; empty for nobody.", required=True),
                field("$insert_id", "string", "Tells copies of the event from others.", required=True),
            ),
        ),
    ),
)

TRACK = Endpoint(
    "ingestion",
    "track",
    "POST",
    "/track",
    "ingestion",
    "Track events of the last 5 days",
    ("project_token",),
    docs("track-event"),
    operation="track-event",
    budget="ingestion",
    answer="text",
    body=Body("json", required=False, shape="records", max_records=MAX_RECORDS),
    parameters=(
        query("ip", "integer", "1: take the sender's address for the user's.", minimum=0, maximum=1),
        VERBOSE,
        query("img", "integer", "1: the answer is an image of one pixel.", minimum=0, maximum=1),
        REDIRECT,
        CALLBACK,
        field("event", "string", "Name of the event.", required=True),
        field(
            "properties",
            "object",
            "The event's properties.",
            required=True,
            fields=(
                field("token", "string", "The project's token.", filled="token"),
                field("time", "integer", "Seconds or milliseconds since 1970, UTC; now unless given."),
                field("distinct_id", "string", "Who did it."),
                field("$insert_id", "string", "Tells copies of the event from others."),
            ),
        ),
    ),
)

ENDPOINTS: Final[tuple[Endpoint, ...]] = (IMPORT, TRACK)
