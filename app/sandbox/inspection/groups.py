"""Group profiles: one, or many."""

from dataclasses import asdict

from flask import Blueprint, abort, current_app, jsonify, request
from flask.typing import ResponseReturnValue

from app.sandbox.inspection import input as given
from app.sandbox.machine import machine_of

blueprint = Blueprint("groups", __name__)


@blueprint.get("/groups")
def page() -> ResponseReturnValue:
    """List group profiles, all or those of one `group_key`."""
    found = machine_of(current_app).groups.page(request.args.get("group_key"), given.limit(100))
    return jsonify(groups=[asdict(group) for group in found])


@blueprint.get("/groups/<group_key>/<path:group_id>")
def one(group_key: str, group_id: str) -> ResponseReturnValue:
    """Show one group profile."""
    group = machine_of(current_app).groups.get(group_key, group_id)
    if group is None:
        abort(404, "there is no group of that key and id")
    return jsonify(asdict(group))
