"""A tiny HTTP server that answers, refuses, delays and cuts as a test wants it."""

import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import urlsplit

import orjson


@dataclass(frozen=True)
class Request:
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    peer: tuple[str, int]
    method: str = "POST"

    @property
    def records(self) -> list[Any]:
        records: list[Any] = orjson.loads(self.body)
        return records


@dataclass(frozen=True)
class Reply:
    """What to do with a request.

    `cut` closes the connection: before any byte of an answer, or in the middle of the body. `pause_s` waits
    before the answer, `drip_s` before every byte of its body. `unread` answers before the request's body was
    read. `pieces` are sent one by one in place of the body, whose length nobody knows before its end.
    """

    status: int = 200
    body: bytes = b'{"status": 1, "error": null}'
    headers: Mapping[str, str] = field(default_factory=dict)
    pause_s: float = 0.0
    drip_s: float = 0.0
    cut: Literal["", "before", "body"] = ""
    unread: bool = False
    pieces: Iterable[bytes] | None = None


Behaviour = Callable[[Request], Reply]


class Server(ThreadingHTTPServer):
    """The server; it asks its behaviour before it reads a body and after, unless `peeks` is false."""

    daemon_threads = True
    peeks = True

    def __init__(self, behaviour: Behaviour = lambda _request: Reply()) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behaviour = behaviour
        self.requests: list[Request] = []
        self.stopping = threading.Event()
        self._connections: set[socket.socket] = set()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def peers(self) -> set[tuple[str, int]]:
        return {request.peer for request in self.requests}

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def drop_connections(self) -> None:
        """Close every open connection, as an idle time-out of the server would."""
        for connection in list(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that give up are what the tests are about."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        self.shutdown()
        self._thread.join()
        self.drop_connections()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def do_POST(self) -> None:
        split = urlsplit(self.path)
        head = Request(split.path, split.query, dict(self.headers), b"", self.client_address, self.command)
        if not (self.server.peeks and self.server.behaviour(head).unread):
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            head = replace(head, body=body)
        self.server.requests.append(head)
        self._answer(self.server.behaviour(head))

    do_GET = do_PUT = do_PATCH = do_DELETE = do_POST  # noqa: N815 - the base class's names

    def _answer(self, reply: Reply) -> None:
        self.server.stopping.wait(reply.pause_s)
        if reply.cut == "before":
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        self.send_response_only(reply.status)
        if reply.pieces is not None:
            self._send_pieces(reply, reply.pieces)
            return
        for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self._send_body(reply)
        if reply.cut == "body" or reply.unread:
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True

    def _send_pieces(self, reply: Reply, pieces: Iterable[bytes]) -> None:
        for name, value in {"Transfer-Encoding": "chunked", **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        for piece in pieces:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        if reply.cut == "body":
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        self.wfile.write(b"0\r\n\r\n")

    def _send_body(self, reply: Reply) -> None:
        body = reply.body[: len(reply.body) // 2] if reply.cut == "body" else reply.body
        if not reply.drip_s:
            self.wfile.write(body)
            return
        for at in range(len(body)):
            if self.server.stopping.is_set():
                return
            self.wfile.write(body[at : at + 1])
            time.sleep(reply.drip_s)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""
