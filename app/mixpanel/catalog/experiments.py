"""Family `experiments`: made, launched, decided.

Source: `experiments.openapi.yaml`.
"""

from functools import partial
from typing import Final

from app.mixpanel.catalog.parameters import docs, field, path
from app.mixpanel.catalog.row import Body, Endpoint

_LISTS_S: Final = 60

_endpoint = partial(Endpoint, "experiments", host="app", credentials=("service_account",))
_reading = partial(_endpoint, method="GET", reads=True, idempotent=True, cache_s=_LISTS_S)
_ALL: Final = "/workspaces/{workspace_id}/experiments"
_ONE: Final = "/workspaces/{workspace_id}/experiments/{experiment_id}"
_WORKSPACE = path("workspace_id", "integer", "The workspace.")
_EXPERIMENT = path("experiment_id", "string", "Id of the experiment.")
_DESCRIPTION = field("description", "string", "What it is.", max_length=400)
_HYPOTHESIS = field("hypothesis", "string", "What it is to show.")
_SETTINGS = field("settings", "object", "How it is run.")
_VARIANTS = field("variants", "array", "What is compared.")
_METRICS = field("metrics", "array", "What is measured.")
_ACCESS = field("global_access_type", "string", "What everybody else may do with it.")

ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    _reading(
        "list",
        path=_ALL,
        summary="List the experiments",
        docs=docs("list-experiments"),
        operation="list-experiments",
        parameters=(_WORKSPACE,),
    ),
    _endpoint(
        "create",
        method="POST",
        path=_ALL,
        summary="Create an experiment",
        docs=docs("create-experiment"),
        operation="create-experiment",
        body=Body("json"),
        parameters=(
            _WORKSPACE,
            field("name", "string", "Its name.", required=True, min_length=1, max_length=255),
            _DESCRIPTION,
            _HYPOTHESIS,
            _SETTINGS,
            _VARIANTS,
            _METRICS,
            _ACCESS,
        ),
    ),
    _reading(
        "get",
        path=_ONE,
        summary="Get an experiment",
        docs=docs("get-experiment"),
        operation="get-experiment",
        parameters=(_WORKSPACE, _EXPERIMENT),
    ),
    _endpoint(
        "update",
        method="PATCH",
        path=_ONE,
        summary="Change an experiment",
        docs=docs("update-experiment"),
        operation="update-experiment",
        idempotent=True,
        body=Body("json"),
        parameters=(
            _WORKSPACE,
            _EXPERIMENT,
            field("name", "string", "Its name.", min_length=1, max_length=255),
            _DESCRIPTION,
            _HYPOTHESIS,
            field("status", "string", "How it stands."),
            _SETTINGS,
            _VARIANTS,
            _METRICS,
            field("start_date", "string", "First day."),
            field("end_date", "string", "Last day."),
            field("exposures_cache", "object", "Exposures, as computed last."),
            field("results_cache", "object", "Results, as computed last."),
            field("tags", "array", "Tags to find it by.", items="string"),
            _ACCESS,
        ),
    ),
    _endpoint(
        "delete",
        method="DELETE",
        path=_ONE,
        summary="Delete an experiment",
        docs=docs("delete-experiment"),
        operation="delete-experiment",
        idempotent=True,
        parameters=(_WORKSPACE, _EXPERIMENT),
    ),
    _endpoint(
        "archive",
        method="POST",
        path=f"{_ONE}/archive",
        summary="Archive an experiment",
        docs=docs("archive-experiment"),
        operation="archive-experiment",
        idempotent=True,
        body=Body("json", required=False),
        parameters=(_WORKSPACE, _EXPERIMENT),
    ),
    _endpoint(
        "unarchive",
        method="DELETE",
        path=f"{_ONE}/archive",
        summary="Take an experiment out of the archive",
        docs=docs("unarchive-experiment"),
        operation="unarchive-experiment",
        idempotent=True,
        parameters=(_WORKSPACE, _EXPERIMENT),
    ),
    _endpoint(
        "decide",
        method="PATCH",
        path=f"{_ONE}/decide",
        summary="Write down what an experiment has decided",
        docs=docs("decide-experiment"),
        operation="decide-experiment",
        idempotent=True,
        body=Body("json"),
        parameters=(
            _WORKSPACE,
            _EXPERIMENT,
            field("success", "boolean", "Whether it showed what it was to show.", required=True),
            field("variant", "string", "The variant that is kept."),
            field("message", "string", "Why."),
        ),
    ),
    _endpoint(
        "force-conclude",
        method="PUT",
        path=f"{_ONE}/force_conclude",
        summary="End an experiment now",
        docs=docs("force-conclude-experiment"),
        operation="force-conclude-experiment",
        idempotent=True,
        body=Body("json"),
        parameters=(_WORKSPACE, _EXPERIMENT, field("end_date", "string", "Last day.")),
    ),
    _endpoint(
        "launch",
        method="PUT",
        path=f"{_ONE}/launch",
        summary="Launch an experiment",
        docs=docs("launch-experiment"),
        operation="launch-experiment",
        idempotent=True,
        body=Body("json", required=False),
        parameters=(_WORKSPACE, _EXPERIMENT),
    ),
)
