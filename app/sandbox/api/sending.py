"""Between Flask and the API half: a request becomes a call, an answer a response or a broken connection."""

import select
import socket
import threading
from collections.abc import Iterator
from typing import IO, Any

from flask import Response, request

from app.sandbox.api.answers import Answer, Modes
from app.sandbox.api.call import Call, Fate
from app.sandbox.machine import Machine

POLL_S = 0.1
CHUNK_BYTES = 256 * 1024


def read_call(modes: Modes) -> Call:
    """Return the request that Flask has at hand."""
    given = request.authorization
    basic = given is not None and given.type == "basic"
    bearer = given is not None and given.type == "bearer"
    return Call(
        modes=modes,
        body=request.get_data(),
        mimetype=request.mimetype,
        encoding=request.headers.get("Content-Encoding", "").lower(),
        integration_id=request.headers.get("X-Mixpanel-Integration-ID"),
        username=(given.username or "") if given is not None and basic else None,
        password=(given.password or "") if given is not None and basic else "",
        bearer=(given.token or "") if given is not None and bearer else "",
        address=request.remote_addr or "",
        query=request.args.to_dict(),
    )


def settled(answer: Answer | Fate, machine: Machine) -> Response:
    """Send an answer, or do to the connection what is to become of it."""
    if isinstance(answer, Answer):
        return _response(answer)
    connection = _connection(request.environ)
    if answer is Fate.HELD:
        _hold(connection, machine.stop)
    connection.shutdown(socket.SHUT_RDWR)
    return Response(status=503)  # goes nowhere


def _response(answer: Answer) -> Response:
    content = answer.body if answer.stream is None else _chunks(answer.stream)
    response = Response(content, answer.status, content_type=answer.content_type)
    if answer.retry_after_s is not None:
        response.headers["Retry-After"] = f"{answer.retry_after_s:g}"
    if answer.location is not None:
        response.headers["Location"] = answer.location
    if answer.encoding is not None:
        response.headers["Content-Encoding"] = answer.encoding
    return response


def _chunks(stream: IO[bytes]) -> Iterator[bytes]:
    with stream:
        while chunk := stream.read(CHUNK_BYTES):
            yield chunk


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
