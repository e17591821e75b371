"""Family `pipelines`: what Mixpanel exports to a warehouse or a bucket, again and again.

Mixpanel has one endpoint to create a pipeline of any type, and one to edit it. Here are besides rows for a
single type each, with what that type needs: `create-gcs-raw` for `create` with `type` `gcs-raw`.

Source: `data-pipelines.openapi.yaml`.
"""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import Final

from app.mixpanel.catalog.parameters import PROJECT_ID, docs, form, query
from app.mixpanel.catalog.pipeline_fields import CREATED, EVENTS, PROJECT, WHERE
from app.mixpanel.catalog.row import Body, Endpoint, Parameter

_LISTS_S: Final = 60

_endpoint = partial(
    Endpoint, "pipelines", host="pipelines", credentials=("service_account", "project_secret")
)
_reading = partial(_endpoint, method="GET", reads=True, idempotent=True, cache_s=_LISTS_S)
_changing = partial(_endpoint, method="POST", body=Body("form"), idempotent=True, answer="none")
_NAME = form("name", "string", "Name of the pipeline.", required=True)
_EDITED = (_NAME, PROJECT, EVENTS, WHERE)

_AZURE = (
    form("azure_client_id", "string", "Id of the service principal."),
    form("azure_client_secret", "string", "Secret of the service principal."),
    form("azure_tenant_id", "string", "Tenant of the service principal."),
)
_EDITED_BESIDES: Final[dict[str, tuple[Parameter, ...]]] = {
    "gcs-raw": (),
    "s3-raw": (),
    "azure-raw": _AZURE,
    "bigquery": (
        form(
            "bq_share_with_group",
            "array",
            "Addresses of groups to share the dataset with; none is taken away.",
            items="string",
            repeated=True,
        ),
    ),
    "snowflake": (),
    "aws": (
        form("glue_database", "string", "The Glue database."),
        form("glue_role", "string", "Role to update Glue as."),
        form("glue_table_prefix", "string", "What names of tables begin with."),
    ),
    "azure-blob": _AZURE,
    "gcs-schema": (),
}


def _any_of(variants: Iterable[tuple[Parameter, ...]]) -> tuple[Parameter, ...]:
    """Describe what a request of any variant takes: every field, needed where all variants need it."""
    every = [{one.name: one for one in variant} for variant in variants]
    names = list(dict.fromkeys(name for variant in every for name in variant))
    return tuple(
        _joined([variant[name] for variant in every if name in variant], len(every)) for name in names
    )


def _joined(alike: list[Parameter], variants: int) -> Parameter:
    values = dict.fromkeys(value for one in alike for value in one.enum)
    defaults = {repr(one.default) for one in alike}
    return replace(
        alike[0],
        required=len(alike) == variants and all(one.required for one in alike),
        default=alike[0].default if len(defaults) == 1 else None,
        enum=tuple(values) if all(one.enum for one in alike) else (),
    )


def _creating(name: str, what: str, parameters: tuple[Parameter, ...]) -> Endpoint:
    return _endpoint(
        name,
        method="POST",
        path="/nessie/pipeline/create",
        summary=f"Create {what}",
        docs=docs("create-warehouse-pipeline"),
        operation="create-warehouse-pipeline",
        body=Body("form"),
        parameters=parameters,
    )


def _editing(name: str, what: str, parameters: tuple[Parameter, ...]) -> Endpoint:
    return _changing(
        name,
        path="/nessie/pipeline/edit",
        summary=f"Change what {what} exports",
        docs=docs("edit-warehouse-pipeline"),
        operation="edit-warehouse-pipeline",
        parameters=parameters,
    )


_EDITS = {kind: (*_EDITED, *besides) for kind, besides in _EDITED_BESIDES.items()}

ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    _reading(
        "list",
        path="/nessie/pipeline/jobs",
        summary="List the pipelines",
        docs=docs("list-warehouse-pipeline-jobs"),
        operation="list-warehouse-pipeline-jobs",
        parameters=(PROJECT_ID,),
    ),
    _reading(
        "status",
        path="/nessie/pipeline/status",
        summary="Say how a pipeline's tasks stand",
        docs=docs("get-warehouse-pipeline-status"),
        operation="get-warehouse-pipeline-status",
        parameters=(
            PROJECT_ID,
            query("name", "string", "Name of the pipeline.", required=True),
            query("summary", "string", "`true`: only how many tasks stand how."),
            query(
                "status",
                "array",
                "Only tasks that are pending, running, retried, failed, canceled or timed_out.",
                items="string",
                repeated=True,
            ),
        ),
    ),
    _reading(
        "timeline",
        path="/nessie/pipeline/timeline",
        summary="List when each day was exported",
        docs=docs("list-warehouse-pipeline-sync-dates"),
        operation="list-warehouse-pipeline-sync-dates",
        parameters=(PROJECT_ID, query("name", "string", "Name of the pipeline.")),
    ),
    _creating("create", "a pipeline of any type", _any_of(CREATED.values())),
    *(_creating(f"create-{kind}", f"a pipeline of type {kind}", it) for kind, it in CREATED.items()),
    _editing("edit", "a pipeline of any type", _any_of(_EDITS.values())),
    *(_editing(f"edit-{kind}", f"a pipeline of type {kind}", it) for kind, it in _EDITS.items()),
    _changing(
        "pause",
        path="/nessie/pipeline/pause",
        summary="Pause a pipeline",
        docs=docs("pause-warehouse-pipeline"),
        operation="pause-warehouse-pipeline",
        parameters=(_NAME, PROJECT),
    ),
    _changing(
        "resume",
        path="/nessie/pipeline/resume",
        summary="Resume a pipeline",
        docs=docs("resume-warehouse-pipeline"),
        operation="resume-warehouse-pipeline",
        parameters=(_NAME, PROJECT),
    ),
    _changing(
        "delete",
        path="/nessie/pipeline/cancel",
        summary="Delete a pipeline and its history for good",
        docs=docs("cancel-warehouse-pipeline"),
        operation="cancel-warehouse-pipeline",
        parameters=(_NAME, PROJECT),
    ),
)
