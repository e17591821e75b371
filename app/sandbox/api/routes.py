"""The API half's routes."""

import select
import socket
import threading
from typing import Any

from flask import Blueprint, Response, current_app, request

from app.sandbox.api.answers import Answer, Modes
from app.sandbox.api.engage import Call, Fate
from app.sandbox.machine import machine_of

blueprint = Blueprint("api", __name__)
POLL_S = 0.1


@blueprint.post("/engage", strict_slashes=False)
def engage() -> Response:
    """Take profile updates."""
    call = Call(
        modes=Modes.of(request.args),
        body=request.get_data(),
        mimetype=request.mimetype,
        encoding=request.headers.get("Content-Encoding", "").lower(),
        integration_id=request.headers.get("X-Mixpanel-Integration-ID"),
    )
    machine = machine_of(current_app)
    answer = machine.engage.answer(call)
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
