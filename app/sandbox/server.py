"""Serve a sandbox: gunicorn with one process and threads.

One process because the state and the sender live in it; gunicorn because connections stay open between
requests, as Mixpanel's do (the development server of Flask closes each).
"""

import errno
import socket
from typing import Any

from gunicorn.app.base import BaseApplication

from app.sandbox.application import create_sandbox
from app.sandbox.config import SandboxConfig
from app.sandbox.log import make_log
from app.sandbox.machine import machine_of

THREADS = 32  # requests answered at once; a "timeout" fault holds one of them
KEEPALIVE_S = 30
GRACE_S = 2


class PortInUseError(Exception):
    """Something else listens on the port."""


def serve(config: SandboxConfig, host: str, port: int, *, json_log: bool) -> None:
    """Serve until SIGTERM or Ctrl-C; call `check_port` before: gunicorn itself retries in silence."""
    _Server(config, host, port, json_log).run()


class _Server(BaseApplication):
    def __init__(self, config: SandboxConfig, host: str, port: int, json_log: bool) -> None:
        self._config = config
        self._bind = f"{host}:{port}"
        self._json_log = json_log
        super().__init__()

    def load_config(self) -> None:
        settings: dict[str, Any] = {
            "bind": self._bind,
            "workers": 1,
            "worker_class": "gthread",
            "threads": THREADS,
            "keepalive": KEEPALIVE_S,
            "graceful_timeout": GRACE_S,
            "loglevel": "warning",
            "control_socket_disable": True,
            "post_worker_init": lambda worker: machine_of(worker.wsgi).start(),
            "worker_int": lambda worker: machine_of(worker.wsgi).stop.set(),
            "worker_exit": _close,
        }
        for name, value in settings.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return create_sandbox(self._config, make_log(as_json=self._json_log))


def _close(_server: Any, worker: Any) -> None:
    if getattr(worker, "wsgi", None) is not None:
        machine_of(worker.wsgi).close()


def check_port(host: str, port: int) -> None:
    """Refuse a port that is in use.

    Raises:
        PortInUseError: Something else listens there.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as err:
            if err.errno == errno.EADDRINUSE:
                raise PortInUseError(f"port {port} on {host} is in use") from err
            raise
