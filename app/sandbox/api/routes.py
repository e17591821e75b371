"""The API half's routes, but for those of the families that a desk serves."""

from flask import Blueprint, Response, current_app, request

from app.sandbox.api.answers import Modes
from app.sandbox.api.sending import read_call, settled
from app.sandbox.machine import machine_of

blueprint = Blueprint("api", __name__)


@blueprint.post("/engage", strict_slashes=False)
def engage() -> Response:
    """Take updates of user profiles."""
    machine = machine_of(current_app)
    return settled(machine.api.engage.answer(read_call(Modes.of(request.args))), machine)


@blueprint.post("/groups", strict_slashes=False)
def groups() -> Response:
    """Take updates of group profiles."""
    machine = machine_of(current_app)
    return settled(machine.api.groups.answer(read_call(Modes.of(request.args))), machine)


@blueprint.post("/import", strict_slashes=False)
def import_() -> Response:
    """Take events from servers."""
    machine = machine_of(current_app)
    return settled(machine.api.imports.answer(read_call(Modes.of_import(request.args))), machine)


@blueprint.post("/track", strict_slashes=False)
def track() -> Response:
    """Take events from anywhere."""
    machine = machine_of(current_app)
    return settled(machine.api.track.answer(read_call(Modes.of(request.args, images=True))), machine)


@blueprint.get("/api/2.0/export", strict_slashes=False)
def export() -> Response:
    """Read events back; the encoding that matters is the one that the client takes."""
    machine = machine_of(current_app)
    call = read_call(Modes.of(request.args))
    call.encoding = request.headers.get("Accept-Encoding", "").lower()
    return settled(machine.api.export.answer(call), machine)


@blueprint.post("/api/query/engage", strict_slashes=False)
def query_profiles() -> Response:
    """Read profiles back, such as those of a cohort."""
    machine = machine_of(current_app)
    return settled(machine.api.query.profiles(read_call(Modes.of(request.args))), machine)


@blueprint.post("/api/query/cohorts/list", strict_slashes=False)
def query_cohorts() -> Response:
    """List the cohorts."""
    machine = machine_of(current_app)
    return settled(machine.api.query.cohorts(read_call(Modes.of(request.args))), machine)


@blueprint.post("/api/app/data-deletions/v3.0", strict_slashes=False)
def create_deletion() -> Response:
    """File a deletion of people."""
    machine = machine_of(current_app)
    call = read_call(Modes.of(request.args))
    return settled(machine.api.deletions.create(call, call.bearer), machine)


@blueprint.get("/api/app/data-deletions/v3.0/<task_id>")
def show_deletion(task_id: str) -> Response:
    """Say how a deletion stands."""
    machine = machine_of(current_app)
    call = read_call(Modes.of(request.args))
    return settled(machine.api.deletions.show(call, call.bearer, task_id), machine)


@blueprint.delete("/api/app/data-deletions/v3.0/<task_id>")
def cancel_deletion(task_id: str) -> Response:
    """Revoke a deletion."""
    machine = machine_of(current_app)
    call = read_call(Modes.of(request.args))
    return settled(machine.api.deletions.cancel(call, call.bearer, task_id), machine)
