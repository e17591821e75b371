"""HTTP/1.1 for a WSGI application: reads a request whole, calls the application, stays connected."""

import io
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from app.sandbox.server import Server

IDLE_S = 60.0
WITHOUT_BODY = {204, 304}
UNPREFIXED = {"CONTENT_TYPE", "CONTENT_LENGTH"}


class Handler(BaseHTTPRequestHandler):
    """Answers the requests of one connection, one after another."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE_S
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body leave together
    server: "Server"

    def answer(self) -> None:
        """Answer one request."""
        with self.server.request_under_way():
            environ = self._environ(self._body())
            started: list[Any] = []

            def start_response(status: str, headers: list[tuple[str, str]], _error: Any = None) -> None:
                started[:] = [status, headers]

            chunks: Iterable[bytes] = self.server.application(environ, start_response)
            try:
                self._send(started, chunks)
            finally:
                close = getattr(chunks, "close", None)
                if close is not None:
                    close()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = answer  # noqa: N815 -- names that http.server looks for

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the overridden method's name for it
        """Log nothing: the sandbox keeps its own journal."""

    def version_string(self) -> str:
        """Return what the Server header says."""
        return "mixpanel-sandbox"

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            return b"".join(iter(self._chunk, b""))
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _chunk(self) -> bytes:
        size = int(self.rfile.readline().split(b";")[0], 16)
        chunk = self.rfile.read(size)
        self.rfile.readline()
        return chunk

    def _send(self, started: list[Any], chunks: Iterable[bytes]) -> None:
        """Send an answer; one whose length was not told, piece by piece."""
        status, headers = started
        told = any(name.lower() == "content-length" for name, _ in headers)
        if told or self.command == "HEAD" or int(status.split()[0]) in WITHOUT_BODY:
            self._write(status, headers, b"".join(chunks))
            return
        self._begin(status, headers)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for chunk in chunks:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk) if chunk else b"")
        self.wfile.write(b"0\r\n\r\n")

    def _write(self, status: str, headers: list[tuple[str, str]], body: bytes) -> None:
        self._begin(status, headers)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _begin(self, status: str, headers: list[tuple[str, str]]) -> None:
        code, _, phrase = status.partition(" ")
        self.send_response(int(code), phrase)
        for name, value in headers:
            if name.lower() != "content-length":
                self.send_header(name, value)

    def _environ(self, body: bytes) -> dict[str, Any]:
        path, _, query = self.path.partition("?")
        host, port = self.server.server_address[:2]
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "SERVER_NAME": str(host),
            "SERVER_PORT": str(port),
            "SERVER_PROTOCOL": self.request_version,
            "REMOTE_ADDR": self.client_address[0],
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            "sandbox.connection": self.connection,
        }
        for name, value in self.headers.items():
            key = name.upper().replace("-", "_")
            environ[key if key in UNPREFIXED else f"HTTP_{key}"] = value
        environ["CONTENT_LENGTH"] = str(len(body))
        environ.pop("HTTP_TRANSFER_ENCODING", None)  # the body is whole now
        return environ
