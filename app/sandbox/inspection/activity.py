"""Is it up, what is in it, what happened lately."""

from flask import Blueprint, current_app, jsonify, request
from flask.typing import ResponseReturnValue

from app.sandbox.inspection import input as given
from app.sandbox.machine import machine_of

blueprint = Blueprint("activity", __name__)


@blueprint.get("/health")
def health() -> ResponseReturnValue:
    """Answer as soon as the sandbox is ready."""
    return jsonify(status="ok")


@blueprint.get("/")
def overview() -> ResponseReturnValue:
    """Show what lives here."""
    machine = machine_of(current_app)
    sender = machine.controls.sender
    return jsonify(
        project_id=machine.config.project_id,
        id_management=machine.config.id_management,
        events=machine.events.count(),
        arrivals=machine.events.arrivals(),
        groups=machine.groups.count(),
        clusters=machine.identities.count(),
        profiles=machine.profiles.count(),
        cohorts=len(machine.cohorts.all()),
        paused=[cohort.cohort_id for cohort in machine.cohorts.all() if cohort.paused is not None],
        faults=len(machine.faults.active()),
        webhook_url=sender.webhook_url,
        automatic=sender.automatic,
        interval_s=sender.interval_s,
        counters=machine.journal.counters(),
    )


@blueprint.get("/requests")
def requests() -> ResponseReturnValue:
    """List the last requests, oldest first; `direction` is `in` (to the API) or `out` (to the webhook)."""
    return jsonify(
        requests=machine_of(current_app).journal.entries(given.limit(100), request.args.get("direction"))
    )


@blueprint.get("/counters")
def counters() -> ResponseReturnValue:
    """Show the totals since the start."""
    return jsonify(counters=machine_of(current_app).journal.counters())


@blueprint.delete("/requests")
def forget() -> ResponseReturnValue:
    """Forget requests and totals."""
    machine_of(current_app).journal.clear()
    return jsonify(cleared=True)
