"""Family `gdpr`: what Mixpanel has of somebody, and its deletion. Up to 2,000 ids a request.

Source: `gdpr.openapi.yaml`.
"""

from functools import partial
from typing import Final

from app.mixpanel.catalog.parameters import docs, field, path, query
from app.mixpanel.catalog.row import Body, Endpoint

_endpoint = partial(Endpoint, "gdpr", host="app", credentials=("oauth",), budget="gdpr")
_TOKEN = query("token", "string", "The project's token.", required=True, filled="token")
_TASK = path("tracking_id", "string", "Id of the task, as filing it gave it.")
_IDS = field("distinct_ids", "array", "Whose, up to 2,000.", items="string")
_LAW = field("compliance_type", "string", "`GDPR` or `CCPA`; `GDPR` unless given.")

ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    _endpoint(
        "create-retrieval",
        method="POST",
        path="/data-retrievals/v3.0",
        summary="File a retrieval of everything of some users",
        docs=docs("create-retrieval"),
        operation="create-retrieval",
        body=Body("json"),
        parameters=(
            _TOKEN,
            _IDS,
            _LAW,
            field(
                "disclosure_type",
                "string",
                "For CCPA: `Data`, `Categories` or `Sources`; `Data` unless given.",
            ),
        ),
    ),
    _endpoint(
        "get-retrieval",
        method="GET",
        path="/data-retrievals/v3.0/{tracking_id}",
        summary="Ask how a retrieval stands",
        docs=docs("get-retrieval"),
        operation="get-retrieval",
        reads=True,
        idempotent=True,
        parameters=(_TASK, _TOKEN),
    ),
    _endpoint(
        "create-deletion",
        method="POST",
        path="/data-deletions/v3.0",
        summary="File the deletion of everything of some users",
        docs=docs("create-deletion"),
        operation="create-deletion",
        body=Body("json"),
        parameters=(_TOKEN, _IDS, _LAW),
    ),
    _endpoint(
        "get-deletion",
        method="GET",
        path="/data-deletions/v3.0/{tracking_id}",
        summary="Ask how a deletion stands",
        docs=docs("get-deletion"),
        operation="get-deletion",
        reads=True,
        idempotent=True,
        parameters=(_TASK, _TOKEN),
    ),
    _endpoint(
        "cancel-deletion",
        method="DELETE",
        path="/data-deletions/v3.0/{tracking_id}",
        summary="Take back a deletion that is not over",
        docs=docs("delete-deletion"),
        operation="delete-deletion",
        idempotent=True,
        answer="none",
        parameters=(_TASK, _TOKEN),
    ),
)
