"""Family `service-accounts`: accounts of an organization, and the projects that they belong to.

An account's secret is shown once, in the answer that creates it.

Source: `service-accounts.openapi.yaml`.
"""

from functools import partial
from typing import Final

from app.mixpanel.catalog.parameters import PROJECT_PATH, docs, field, path
from app.mixpanel.catalog.row import ROLES, Body, Endpoint

_endpoint = partial(Endpoint, "service-accounts", host="app", credentials=("service_account",))
_ALL: Final = "/organizations/{organizationId}/service-accounts"
_ONE: Final = "/organizations/{organizationId}/service-accounts/{serviceAccountId}"
_ORGANIZATION = path("organizationId", "integer", "The organization.")
_ACCOUNT = path("serviceAccountId", "integer", "Id of the account.")
_ROLE_ENUM: Final = tuple(reversed(ROLES))
_BODY: Final = Body("json", required=False)

ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    _endpoint(
        "list",
        method="GET",
        path=_ALL,
        summary="List an organization's accounts",
        docs=docs("list-service-accounts"),
        operation="list-service-accounts",
        reads=True,
        idempotent=True,
        parameters=(_ORGANIZATION,),
    ),
    _endpoint(
        "create",
        method="POST",
        path=_ALL,
        summary="Create an account, and add it to projects",
        docs=docs("create-service-account"),
        operation="create-service-account",
        body=_BODY,
        parameters=(
            _ORGANIZATION,
            field("username", "string", "Name of the account.", required=True),
            field("role", "string", "Its role in the organization.", enum=_ROLE_ENUM),
            field("expires", "string", "When it ends.", format="date-time"),
            field(
                "projects",
                "array",
                "The projects that it is to belong to.",
                items="object",
                fields=(
                    field("id", "integer", "The project."),
                    field("role", "string", "Its role there.", enum=_ROLE_ENUM),
                ),
            ),
        ),
    ),
    _endpoint(
        "get",
        method="GET",
        path=_ONE,
        summary="Get an account",
        docs=docs("get-service-account"),
        operation="get-service-account",
        reads=True,
        idempotent=True,
        parameters=(_ORGANIZATION, _ACCOUNT),
    ),
    _endpoint(
        "delete",
        method="DELETE",
        path=_ONE,
        summary="Delete an account, and take it out of all projects",
        docs=docs("delete-service-account"),
        operation="delete-service-account",
        idempotent=True,
        parameters=(_ORGANIZATION, _ACCOUNT),
    ),
    _endpoint(
        "list-project",
        method="GET",
        path="/projects/{projectId}/service-accounts",
        summary="List the accounts of a project",
        docs=docs("list-project-service-accounts"),
        operation="list-project-service-accounts",
        reads=True,
        idempotent=True,
        parameters=(PROJECT_PATH,),
    ),
    _endpoint(
        "add-to-projects",
        method="POST",
        path="/organizations/{organizationId}/service-accounts/add-to-project",
        summary="Add accounts to projects",
        docs=docs("add-service-accounts-to-projects"),
        operation="add-service-accounts-to-projects",
        idempotent=True,
        body=_BODY,
        parameters=(
            _ORGANIZATION,
            field(
                "projects",
                "array",
                "The projects.",
                required=True,
                items="object",
                fields=(
                    field("id", "integer", "The project.", required=True),
                    field("role", "string", "The accounts' role there.", required=True, enum=_ROLE_ENUM),
                ),
            ),
            field("service_account_ids", "array", "Ids of the accounts.", required=True, items="integer"),
        ),
    ),
    _endpoint(
        "remove-from-projects",
        method="POST",
        path="/organizations/{organizationId}/service-accounts/remove-from-project",
        summary="Take accounts out of projects",
        docs=docs("remove-service-accounts-from-projects"),
        operation="remove-service-accounts-from-projects",
        idempotent=True,
        body=_BODY,
        parameters=(
            _ORGANIZATION,
            field(
                "projects",
                "array",
                "The projects, each with the accounts to take out.",
                required=True,
                items="object",
                fields=(
                    field("id", "integer", "The project.", required=True),
                    field(
                        "service_account_ids", "array", "Ids of the accounts.", required=True, items="integer"
                    ),
                ),
            ),
        ),
    ),
)
