"""Read the form of a profile query (`POST /api/query/engage`).

Source: https://docs.mixpanel.com/reference/engage-query and the published OpenAPI description.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

REFUSED = ("data_group_id",)
UNCACHED = "request for page in uncached query for params"
TRUE, FALSE = {"true", "1"}, {"false", "0"}


class BadQueryError(Exception):
    """The form asks for what there is not; the message says what."""


@dataclass(frozen=True)
class Wanted:
    """Whom a query asks for; two of the same may share a session.

    Attributes:
        cohort_id: Only who is in this cohort; None for everybody.
        distinct_ids: Only these; None for everybody.
        where: An expression that holds for them; None for any.
        behaviors: What `where` asks about beside properties, as it was given; None for nothing.
        as_of_s: Up to when behaviors count; None for now.
        include_all_users: Ids without a profile as well. Cohorts are made of profiles here: no difference.
    """

    cohort_id: int | None
    distinct_ids: frozenset[str] | None
    where: str | None
    behaviors: str | None
    as_of_s: int | None
    include_all_users: bool


@dataclass(frozen=True)
class Form:
    """A page of a query.

    Attributes:
        wanted: Whom it asks for.
        output_properties: Names; None for all.
        session_id: None begins a session.
        page: From 0.
    """

    wanted: Wanted
    output_properties: frozenset[str] | None
    session_id: str | None
    page: int


def read_form(fields: Mapping[str, str]) -> Form:
    """Read a query's form.

    Raises:
        BadQueryError: A field is not valid, or one that this sandbox does not know to answer.
    """
    for name in REFUSED:
        if fields.get(name):
            raise BadQueryError(f"{name}: this sandbox has no group profiles to query; leave it out")
    page, session_id = _page(fields), fields.get("session_id") or None
    if page and session_id is None:
        raise BadQueryError("session_id: required for pages above 0")
    names = _names(fields, "output_properties")
    wanted = _wanted(fields)
    if page and wanted.behaviors and wanted.as_of_s is None:
        raise BadQueryError(UNCACHED)
    return Form(
        wanted=wanted,
        output_properties=None if names is None else frozenset(names),
        session_id=session_id,
        page=page,
    )


def _wanted(fields: Mapping[str, str]) -> Wanted:
    if fields.get("behaviors") and fields.get("filter_by_cohort"):
        raise BadQueryError("behaviors: cannot stand beside filter_by_cohort")
    return Wanted(
        cohort_id=_cohort(fields),
        distinct_ids=_ids(fields),
        where=fields.get("where") or None,
        behaviors=fields.get("behaviors") or None,
        as_of_s=_as_of(fields),
        include_all_users=_flag(fields, "include_all_users"),
    )


def _as_of(fields: Mapping[str, str]) -> int | None:
    given = fields.get("as_of_timestamp")
    if not given:
        return None
    if not (given.isascii() and given.isdigit()):
        raise BadQueryError("as_of_timestamp: seconds since 1970")
    return int(given)


def _page(fields: Mapping[str, str]) -> int:
    given = fields.get("page", "0")
    if not (given.isascii() and given.isdigit()):
        raise BadQueryError("page: a whole number from 0")
    return int(given)


def _cohort(fields: Mapping[str, str]) -> int | None:
    if not fields.get("filter_by_cohort"):
        return None
    found = _json(fields, "filter_by_cohort")
    cohort_id = found.get("id") if isinstance(found, dict) and len(found) == 1 else None
    if not isinstance(cohort_id, int) or isinstance(cohort_id, bool):
        raise BadQueryError('filter_by_cohort: must be an object with a number, {"id": 12345}')
    return cohort_id


def _ids(fields: Mapping[str, str]) -> frozenset[str] | None:
    if fields.get("distinct_id"):
        return frozenset({fields["distinct_id"]})
    names = _names(fields, "distinct_ids")
    return None if names is None else frozenset(names)


def _names(fields: Mapping[str, str], name: str) -> list[str] | None:
    if not fields.get(name):
        return None
    found = _json(fields, name)
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise BadQueryError(f"{name}: must be a JSON array of strings")
    return found or None


def _flag(fields: Mapping[str, str], name: str) -> bool:
    given = fields.get(name, "true").lower()
    if given not in TRUE | FALSE:
        raise BadQueryError(f"{name}: true or false")
    return given in TRUE


def _json(fields: Mapping[str, str], name: str) -> Any:
    try:
        return orjson.loads(fields[name])
    except orjson.JSONDecodeError as err:
        raise BadQueryError(f"{name}: must be JSON") from err
