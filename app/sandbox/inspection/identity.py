"""Identity: which ids are one person, and what became of every link that came."""

from dataclasses import asdict

from flask import Blueprint, current_app, jsonify, request
from flask.typing import ResponseReturnValue

from app.sandbox.inspection import input as given
from app.sandbox.machine import machine_of

blueprint = Blueprint("identity", __name__)


@blueprint.get("/clusters")
def clusters() -> ResponseReturnValue:
    """List clusters of two ids or more.

    A page starts behind the canonical id `after`; `next` is the one to give for the following page.
    """
    limit = given.limit(100)
    found = machine_of(current_app).identities.page(request.args.get("after", ""), limit)
    following = found[-1].canonical if len(found) == limit else None
    return jsonify(clusters=[asdict(one) for one in found], next=following)


@blueprint.get("/clusters/<path:distinct_id>")
def cluster(distinct_id: str) -> ResponseReturnValue:
    """Show the cluster of an id; one that was never linked stands alone."""
    found = machine_of(current_app).identities.cluster(distinct_id)
    return jsonify(distinct_id=distinct_id, canonical=found.canonical, ids=found.ids)


@blueprint.get("/links")
def links() -> ResponseReturnValue:
    """List the links that came, in their order: merged, repeated or refused (with the reason).

    A page starts behind the number `after`; `next` is the one to give for the following page.
    """
    limit = given.limit(100)
    found = machine_of(current_app).links.page(given.after(), limit)
    following = found[-1].sequence if len(found) == limit else None
    return jsonify(links=[asdict(one) for one in found], next=following)
