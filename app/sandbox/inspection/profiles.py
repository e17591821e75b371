"""Profiles: one, a page, how many, and by property."""

from dataclasses import asdict
from itertools import islice
from typing import Any

import orjson
from flask import Blueprint, abort, current_app, jsonify, request
from flask.typing import ResponseReturnValue

from app.sandbox.inspection import input as given
from app.sandbox.machine import machine_of

blueprint = Blueprint("profiles", __name__)


@blueprint.get("/profiles")
def page() -> ResponseReturnValue:
    """List profiles, or those with a `property` that is `value` or a list with it.

    A page starts behind the id `after`; `next` is the one to give for the following page.
    """
    limit, after = given.limit(100), request.args.get("after", "")
    chosen = list(islice(_chosen(after), limit))
    following = chosen[-1].distinct_id if len(chosen) == limit else None
    return jsonify(profiles=[asdict(profile) for profile in chosen], next=following)


@blueprint.get("/profiles/<path:distinct_id>")
def one(distinct_id: str) -> ResponseReturnValue:
    """Show one profile; any id of the person names it."""
    machine = machine_of(current_app)
    profile = machine.profiles.get(machine.identities.canonical(distinct_id))
    if profile is None:
        abort(404, "there is no profile of that id")
    return jsonify(asdict(profile))


@blueprint.get("/profile-count")
def count() -> ResponseReturnValue:
    """Count profiles, all or by property and value."""
    if "property" not in request.args:
        return jsonify(count=machine_of(current_app).profiles.count())
    return jsonify(count=sum(1 for _ in _chosen("")))


@blueprint.get("/profile-ids")
def ids() -> ResponseReturnValue:
    """List the ids of all profiles, or of those with a property and value; not paged."""
    return jsonify(distinct_ids=[profile.distinct_id for profile in _chosen("")])


@blueprint.get("/list-values")
def list_values() -> ResponseReturnValue:
    """Count, for a list property (`property`, "Cohorts" if not given), how many profiles have each value."""
    name = request.args.get("property", "Cohorts")
    counts: dict[str, int] = {}
    for profile in machine_of(current_app).profiles.scan():
        held = profile.properties.get(name)
        for value in held if isinstance(held, list) else ():
            counts[str(value)] = counts.get(str(value), 0) + 1
    return jsonify(property=name, values=counts)


def _chosen(after: str) -> Any:
    profiles = machine_of(current_app).profiles
    name = request.args.get("property")
    if name is None:
        return profiles.scan(after)
    return profiles.holding(name, _value(request.args.get("value", "")), after)


def _value(written: str) -> Any:
    """Read a query value: a JSON number, true, false or quoted string as such, anything else as text."""
    try:
        value = orjson.loads(written)
    except orjson.JSONDecodeError:
        return written
    return written if isinstance(value, list | dict) else value
