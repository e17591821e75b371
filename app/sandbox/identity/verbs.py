"""Read an identity verb: an event that links two ids instead of saying that something happened. Pure.

Source: https://docs.mixpanel.com/reference/create-identity, /identity-create-alias and /identity-merge, and
the published OpenAPI description, which requires `token` of all three, `/import` included.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.sandbox.api.records import RefusedRecordError, check_id
from app.sandbox.identity.systems import CREATE_ALIAS, IDENTIFY

PAIR = 2
FIELDS = {IDENTIFY: ("$identified_id", "$anon_id"), CREATE_ALIAS: ("distinct_id", "alias")}
MERGED = "properties.$distinct_ids"


@dataclass(frozen=True)
class Link:
    """Two ids that are to be one person; `first` and `second` as in `store.links.LinkRecord`."""

    verb: str
    first: str
    second: str
    token: str


def read_link(verb: str, properties: Mapping[str, Any]) -> Link:
    """Read the properties of an identity verb.

    Raises:
        RefusedRecordError: A field is missing or not valid.
    """
    token = properties.get("token")
    if not isinstance(token, str) or not token:
        raise RefusedRecordError("properties.token", "must not be missing")
    first, second = _merge_pair(properties) if verb not in FIELDS else _named_pair(verb, properties)
    if first == second:
        raise RefusedRecordError("properties", "an id cannot be linked to itself")
    return Link(verb, first, second, token)


def _named_pair(verb: str, properties: Mapping[str, Any]) -> tuple[str, str]:
    first, second = (check_id(properties.get(name), f"properties.{name}") for name in FIELDS[verb])
    return first, second


def _merge_pair(properties: Mapping[str, Any]) -> tuple[str, str]:
    given = properties.get("$distinct_ids")
    if not isinstance(given, list) or len(given) != PAIR:
        raise RefusedRecordError(MERGED, "must be an array of exactly two distinct_ids")
    return check_id(given[0], MERGED), check_id(given[1], MERGED)
