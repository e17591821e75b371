"""The API half's routes."""

import socket
from typing import Any

from flask import Blueprint, Response, current_app, request

from app.sandbox.api.answers import Answer, Modes
from app.sandbox.api.engage import Call
from app.sandbox.machine import machine_of

blueprint = Blueprint("api", __name__)


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
    answer = machine_of(current_app).engage.answer(call)
    return _cut(request.environ) if answer is None else _response(answer)


def _response(answer: Answer) -> Response:
    response = Response(answer.body, answer.status, content_type=answer.content_type)
    if answer.retry_after_s is not None:
        response.headers["Retry-After"] = f"{answer.retry_after_s:g}"
    return response


def _cut(environ: dict[str, Any]) -> Response:
    """Close the client's connection without a byte of an answer."""
    connection = environ.get("gunicorn.socket") or environ.get("werkzeug.socket")
    if connection is None:
        raise ConnectionAbortedError("this server does not let a connection be cut")
    connection.shutdown(socket.SHUT_RDWR)
    return Response(status=503)  # goes nowhere
