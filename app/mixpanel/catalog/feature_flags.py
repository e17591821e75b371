"""Family `feature-flags`: which variant somebody gets, and the flags themselves.

Source: `feature-flags.openapi.yaml` and
`feature-flags-management.openapi.yaml`.
"""

from functools import partial
from typing import Final

from app.mixpanel.catalog.flag_fields import FLAG
from app.mixpanel.catalog.parameters import docs, field, path, query
from app.mixpanel.catalog.row import Body, Endpoint

_FLAGS_S: Final = 60

_evaluating = partial(
    Endpoint,
    "feature-flags",
    method="GET",
    host="ingestion",
    credentials=("service_account", "project_secret"),
    reads=True,
    idempotent=True,
)
_managing = partial(Endpoint, "feature-flags", host="app", credentials=("service_account",))
_ALL: Final = "/projects/{project_id}/workspaces/{workspace_id}/feature-flags"
_ONE: Final = f"{_ALL}/{{flag_id}}"
_TOKEN = query("token", "string", "The project's token.", filled="token")
_PROJECT_QUERY = query("project_id", "string", "The project; with a service account.", filled="project_id")
_PROJECT = path("project_id", "integer", "The project.", filled="project_id")
_WORKSPACE = path("workspace_id", "integer", "The workspace.")
_FLAG_ID = path("flag_id", "string", "Id of the flag.")

ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    _evaluating(
        "evaluate",
        path="/flags",
        summary="Say which variants somebody gets",
        docs=docs("get-variant-assignments"),
        operation="get-variant-assignments",
        parameters=(
            _TOKEN,
            _PROJECT_QUERY,
            query(
                "context",
                "string",
                "Who asks, a JSON object.",
                required=True,
                encoded=True,
                fields=(
                    field("distinct_id", "string", "The user.", required=True),
                    field("device_id", "string", "The device; the user's id unless given."),
                    field("custom_properties", "object", "What rules are to know besides."),
                ),
            ),
        ),
    ),
    _evaluating(
        "definitions",
        path="/flags/definitions",
        summary="List the enabled flags with their rules, to evaluate them here",
        docs=docs("get-flag-definitions"),
        operation="get-flag-definitions",
        cache_s=_FLAGS_S,
        parameters=(_TOKEN, _PROJECT_QUERY),
    ),
    _managing(
        "list",
        method="GET",
        path=_ALL,
        summary="List the flags",
        docs=docs("list-feature-flags"),
        operation="list-feature-flags",
        reads=True,
        idempotent=True,
        cache_s=_FLAGS_S,
        parameters=(
            _PROJECT,
            _WORKSPACE,
            query("include_archived", "string", "`true`: the archived too.", enum=("true", "false")),
        ),
    ),
    _managing(
        "create",
        method="POST",
        path=_ALL,
        summary="Create a flag",
        docs=docs("create-feature-flag"),
        operation="create-feature-flag",
        body=Body("json", required=False),
        parameters=(_PROJECT, _WORKSPACE, *FLAG),
    ),
    _managing(
        "get",
        method="GET",
        path=_ONE,
        summary="Get a flag",
        docs=docs("get-feature-flag"),
        operation="get-feature-flag",
        reads=True,
        idempotent=True,
        cache_s=_FLAGS_S,
        parameters=(_PROJECT, _WORKSPACE, _FLAG_ID),
    ),
    _managing(
        "update",
        method="PUT",
        path=_ONE,
        summary="Replace a flag",
        docs=docs("update-feature-flag"),
        operation="update-feature-flag",
        body=Body("json", required=False),  # not idempotent: `reset_hash_salt` draws lots anew each time
        parameters=(_PROJECT, _WORKSPACE, _FLAG_ID, *FLAG),
    ),
    _managing(
        "delete",
        method="DELETE",
        path=_ONE,
        summary="Delete a flag",
        docs=docs("delete-feature-flag"),
        operation="delete-feature-flag",
        idempotent=True,
        parameters=(_PROJECT, _WORKSPACE, _FLAG_ID),
    ),
)
