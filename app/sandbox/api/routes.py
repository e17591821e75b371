"""The API half's routes."""

import select
import socket
import threading
from typing import Any

from flask import Blueprint, Response, current_app, request

from app.sandbox.api.answers import Answer, Modes
from app.sandbox.api.call import Call, Fate
from app.sandbox.machine import Machine, machine_of

blueprint = Blueprint("api", __name__)
POLL_S = 0.1


@blueprint.post("/engage", strict_slashes=False)
def engage() -> Response:
    """Take updates of user profiles."""
    machine = machine_of(current_app)
    return _settled(machine.api.engage.answer(_call(Modes.of(request.args))), machine)


@blueprint.post("/groups", strict_slashes=False)
def groups() -> Response:
    """Take updates of group profiles."""
    machine = machine_of(current_app)
    return _settled(machine.api.groups.answer(_call(Modes.of(request.args))), machine)


@blueprint.post("/import", strict_slashes=False)
def import_() -> Response:
    """Take events from servers."""
    machine = machine_of(current_app)
    return _settled(machine.api.imports.answer(_call(Modes.of_import(request.args))), machine)


@blueprint.post("/track", strict_slashes=False)
def track() -> Response:
    """Take events from anywhere."""
    machine = machine_of(current_app)
    return _settled(machine.api.track.answer(_call(Modes.of(request.args, images=True))), machine)


@blueprint.get("/api/2.0/export", strict_slashes=False)
def export() -> Response:
    """Read events back; the encoding that matters is the one that the client takes."""
    machine = machine_of(current_app)
    call = _call(Modes.of(request.args))
    call.encoding = request.headers.get("Accept-Encoding", "").lower()
    return _settled(machine.api.export.answer(call), machine)


@blueprint.post("/api/query/engage", strict_slashes=False)
def query_profiles() -> Response:
    """Read profiles back, such as those of a cohort."""
    machine = machine_of(current_app)
    return _settled(machine.api.query.profiles(_call(Modes.of(request.args))), machine)


@blueprint.post("/api/query/cohorts/list", strict_slashes=False)
def query_cohorts() -> Response:
    """List the cohorts."""
    machine = machine_of(current_app)
    return _settled(machine.api.query.cohorts(_call(Modes.of(request.args))), machine)


@blueprint.post("/api/app/data-deletions/v3.0", strict_slashes=False)
def create_deletion() -> Response:
    """File a deletion of people."""
    machine = machine_of(current_app)
    return _settled(machine.api.deletions.create(_call(Modes.of(request.args)), _bearer()), machine)


@blueprint.get("/api/app/data-deletions/v3.0/<task_id>")
def show_deletion(task_id: str) -> Response:
    """Say how a deletion stands."""
    machine = machine_of(current_app)
    return _settled(machine.api.deletions.show(_call(Modes.of(request.args)), _bearer(), task_id), machine)


@blueprint.delete("/api/app/data-deletions/v3.0/<task_id>")
def cancel_deletion(task_id: str) -> Response:
    """Revoke a deletion."""
    machine = machine_of(current_app)
    return _settled(machine.api.deletions.cancel(_call(Modes.of(request.args)), _bearer(), task_id), machine)


def _bearer() -> str:
    given = request.authorization
    return (given.token or "") if given is not None and given.type == "bearer" else ""


def _call(modes: Modes) -> Call:
    given = request.authorization
    basic = given is not None and given.type == "basic"
    return Call(
        modes=modes,
        body=request.get_data(),
        mimetype=request.mimetype,
        encoding=request.headers.get("Content-Encoding", "").lower(),
        integration_id=request.headers.get("X-Mixpanel-Integration-ID"),
        username=(given.username or "") if given is not None and basic else None,
        password=(given.password or "") if given is not None and basic else "",
        address=request.remote_addr or "",
        query=request.args.to_dict(),
    )


def _settled(answer: Answer | Fate, machine: Machine) -> Response:
    if isinstance(answer, Answer):
        return _response(answer)
    connection = _connection(request.environ)
    if answer is Fate.HELD:
        _hold(connection, machine.stop)
    connection.shutdown(socket.SHUT_RDWR)
    return Response(status=503)  # goes nowhere


def _response(answer: Answer) -> Response:
    response = Response(answer.body, answer.status, content_type=answer.content_type)
    if answer.retry_after_s is not None:
        response.headers["Retry-After"] = f"{answer.retry_after_s:g}"
    if answer.encoding is not None:
        response.headers["Content-Encoding"] = answer.encoding
    return response


def _connection(environ: dict[str, Any]) -> socket.socket:
    connection = environ.get("sandbox.connection")
    if connection is None:
        raise ConnectionAbortedError("this server does not let a connection be cut")
    assert isinstance(connection, socket.socket)
    return connection


def _hold(connection: socket.socket, stop: threading.Event) -> None:
    """Wait until the client hangs up (a held request keeps a thread) or the sandbox ends."""
    while not stop.is_set():
        readable, _, _ = select.select([connection], [], [], POLL_S)
        if readable and not connection.recv(1, socket.MSG_PEEK):
            return
        if readable:
            stop.wait(POLL_S)  # the client sent more, which nobody reads
