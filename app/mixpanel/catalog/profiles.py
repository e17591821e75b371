"""Family `ingestion`: what the profiles of users say.

Repeated by mistake, `$add` adds twice and `$append` appends twice: they are not idempotent, nor is a batch
that may hold them.

Source: `ingestion.openapi.yaml`.
"""

from dataclasses import replace
from functools import partial
from typing import Final

from app.mixpanel.catalog.ingestion import CALLBACK, MAX_RECORDS, REDIRECT, VERBOSE
from app.mixpanel.catalog.parameters import docs, field, query
from app.mixpanel.catalog.row import Body, Endpoint, Parameter

RECORDS: Final = Body("json", shape="records", max_records=MAX_RECORDS)

IP = query(
    "ip",
    "integer",
    "0: leave the profile's location as it is; 1, Mixpanel's own default: take the sender's.",
    default=0,
    sent=True,
    minimum=0,
    maximum=1,
)
STRICT = query("strict", "integer", "1: say what is wrong with each record.", minimum=0, maximum=1)
TOKEN = field("$token", "string", "The project's token.", required=True, filled="token")

SET = field("$set", "object", "Properties to set.", required=True)
SET_ONCE = field("$set_once", "object", "Properties to set where there are none.", required=True)
ADD = field("$add", "object", "Numbers to add to properties; less than 0 to subtract.", required=True)
UNION = field("$union", "object", "Lists of values that lists are to contain.", required=True)
APPEND = field("$append", "object", "Values to append to lists, each to one.", required=True)
REMOVE = field("$remove", "object", "Values to remove from lists, each from one.", required=True)
UNSET = field("$unset", "array", "Names of properties to remove.", required=True, items="string", min_items=1)


def optional(*operations: Parameter) -> tuple[Parameter, ...]:
    """Give operations as a batch takes them: one of them in each record, and none by default."""
    return tuple(replace(one, required=False, default=None, sent=False) for one in operations)


_update = partial(
    Endpoint,
    "ingestion",
    method="POST",
    path="/engage",
    host="ingestion",
    credentials=("project_token",),
    budget="ingestion",
    body=RECORDS,
    answer="text",
)
_DELETE = field("$delete", "string", "Its value says nothing.", required=True, default="null", nullable=True)
_IGNORE_ALIAS = field(
    "$ignore_alias", "boolean", "Delete this profile, not the one it is an alias of.", default=False
)
_ID = field("$distinct_id", "string", "Whose profile.", required=True)


def _takes(*operation: Parameter) -> tuple[Parameter, ...]:
    return (IP, STRICT, VERBOSE, REDIRECT, CALLBACK, TOKEN, _ID, *operation)


ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    _update(
        "profile-set",
        summary="Set properties of profiles, and create those that are missing",
        docs=docs("profile-set"),
        operation="profile-set",
        idempotent=True,
        parameters=_takes(SET),
    ),
    _update(
        "profile-set-once",
        summary="Set properties of profiles where there are none",
        docs=docs("profile-set-property-once"),
        operation="profile-set-property-once",
        idempotent=True,
        parameters=_takes(SET_ONCE),
    ),
    _update(
        "profile-add",
        summary="Add numbers to properties of profiles",
        docs=docs("profile-numerical-add"),
        operation="profile-numerical-add",
        parameters=_takes(ADD),
    ),
    _update(
        "profile-union",
        summary="See to it that lists of profiles contain values, once each",
        docs=docs("user-profile-union"),
        operation="user-profile-union",
        idempotent=True,
        parameters=_takes(UNION),
    ),
    _update(
        "profile-append",
        summary="Append values to lists of profiles",
        docs=docs("profile-append-to-list-property"),
        operation="profile-append-to-list-property",
        parameters=_takes(APPEND),
    ),
    _update(
        "profile-remove",
        summary="Remove values from lists of profiles",
        docs=docs("profile-remove-from-list-property"),
        operation="profile-remove-from-list-property",
        idempotent=True,
        parameters=_takes(REMOVE),
    ),
    _update(
        "profile-unset",
        summary="Remove properties from profiles",
        docs=docs("profile-delete-property"),
        operation="profile-delete-property",
        idempotent=True,
        parameters=_takes(UNSET),
    ),
    _update(
        "profile-batch",
        summary="Update up to 2,000 profiles, each by one of the operations",
        docs=docs("profile-batch-update"),
        operation="profile-batch-update",
        parameters=_takes(
            *optional(SET, SET_ONCE, ADD, UNION, APPEND, REMOVE, UNSET, _DELETE, _IGNORE_ALIAS)
        ),
    ),
    _update(
        "profile-delete",
        summary="Delete profiles, with all their properties",
        docs=docs("delete-profile"),
        operation="delete-profile",
        idempotent=True,
        parameters=(
            STRICT,
            VERBOSE,
            REDIRECT,
            CALLBACK,
            TOKEN,
            _ID,
            _DELETE,
            _IGNORE_ALIAS,
        ),
    ),
)
