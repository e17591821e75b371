"""Serve a sandbox: one process, a thread for each connection.

One process because the state and the sender live in it, and because killing it must end all of it at once.
It is not Flask's development server because connections stay open between requests here, as Mixpanel's do.
"""

import errno
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from typing import Any

from flask import Flask

from app.sandbox.http11 import Handler
from app.sandbox.machine import machine_of

GRACE_S = 1.0  # for requests under way when the sandbox is told to end
POLL_S = 0.05


class PortInUseError(Exception):
    """Something else listens on the port."""


class Server(ThreadingHTTPServer):
    """A threaded HTTP server for one WSGI application."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, host: str, port: int) -> None:
        """Listen; requests wait until `serve`.

        Raises:
            PortInUseError: Something else listens there.
        """
        self.application: Any = None
        self._under_way = 0
        self._lock = threading.Lock()
        try:
            super().__init__((host, port), Handler)
        except OSError as err:
            if err.errno == errno.EADDRINUSE:
                raise PortInUseError(f"port {port} on {host} is in use") from err
            raise

    @contextmanager
    def request_under_way(self) -> Iterator[None]:
        """Count a request while it is answered."""
        with self._lock:
            self._under_way += 1
        try:
            yield
        finally:
            with self._lock:
                self._under_way -= 1

    def drain(self, grace_s: float) -> None:
        """Wait for the requests under way, for a limited time."""
        until_s = time.monotonic() + grace_s
        while self._under_way and time.monotonic() < until_s:
            time.sleep(POLL_S)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of connections that broke; they do."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


def serve(server: Server, app: Flask) -> None:
    """Run the sender and answer requests until SIGTERM or Ctrl-C."""
    machine = machine_of(app)

    def stop(_number: int, _frame: Any) -> None:
        machine.stop.set()
        threading.Thread(
            target=server.shutdown
        ).start()  # it waits for the loop below, which runs in this thread

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    server.application = app
    machine.start()
    try:
        server.serve_forever(POLL_S)
    finally:
        machine.stop.set()
        server.drain(GRACE_S)
        server.server_close()
        machine.close()
