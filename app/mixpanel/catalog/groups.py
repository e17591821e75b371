"""Family `ingestion`: what the profiles of groups say.

Source: `ingestion.openapi.yaml`.
"""

from functools import partial
from typing import Final

from app.mixpanel.catalog.ingestion import VERBOSE
from app.mixpanel.catalog.parameters import docs, field
from app.mixpanel.catalog.profiles import (
    ADD,
    IP,
    RECORDS,
    REMOVE,
    SET,
    SET_ONCE,
    STRICT,
    TOKEN,
    UNION,
    UNSET,
    optional,
)
from app.mixpanel.catalog.row import Endpoint, Parameter

_update = partial(
    Endpoint,
    "ingestion",
    method="POST",
    path="/groups",
    host="ingestion",
    credentials=("project_token",),
    budget="ingestion",
    body=RECORDS,
    answer="text",
)
_KEY = field("$group_key", "string", "The kind of group, such as `Company`.", required=True)
_DELETE = field("$delete", "string", "Its value says nothing.", default="null", sent=True, nullable=True)
_ID = field("$group_id", "string", "Which group.", required=True)


def _takes(*operation: Parameter) -> tuple[Parameter, ...]:
    return (IP, STRICT, VERBOSE, TOKEN, _KEY, _ID, *operation)


ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    _update(
        "group-set",
        summary="Set properties of groups, and create those that are missing",
        docs=docs("group-set-property"),
        operation="group-set-property",
        idempotent=True,
        parameters=_takes(SET),
    ),
    _update(
        "group-set-once",
        summary="Set properties of groups where there are none",
        docs=docs("group-set-property-once"),
        operation="group-set-property-once",
        idempotent=True,
        parameters=_takes(SET_ONCE),
    ),
    _update(
        "group-unset",
        summary="Remove properties from groups",
        docs=docs("group-delete-property"),
        operation="group-delete-property",
        idempotent=True,
        parameters=_takes(UNSET),
    ),
    _update(
        "group-remove",
        summary="Remove values from lists of groups",
        docs=docs("group-remove-from-list-property"),
        operation="group-remove-from-list-property",
        idempotent=True,
        parameters=_takes(REMOVE),
    ),
    _update(
        "group-union",
        summary="See to it that lists of groups contain values, once each",
        docs=docs("group-union"),
        operation="group-union",
        idempotent=True,
        parameters=_takes(*optional(UNION)),
    ),
    _update(
        "group-batch",
        summary="Update up to 2,000 groups, each by one of the operations",
        docs=docs("group-batch-update"),
        operation="group-batch-update",
        parameters=_takes(*optional(SET, SET_ONCE, ADD, UNION, REMOVE, UNSET, _DELETE)),
    ),
    _update(
        "group-delete",
        summary="Delete groups, with all their properties",
        docs=docs("delete-group"),
        operation="delete-group",
        idempotent=True,
        parameters=(
            VERBOSE,
            TOKEN,
            _KEY,
            _ID,
            _DELETE,
        ),
    ),
)
