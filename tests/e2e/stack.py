"""The whole product as real processes: a Redis that persists, the Procfile's processes and the sandbox.

Everything has a port, a directory and credentials of its own, so that tests run beside each other. Nothing of
the product is imported: it is started as `make run` and a host would start it.
"""

import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import requests

from tests.e2e.process import Process
from tests.guard import ROOT
from tests.ports import free_port
from tests.redis_server import RedisServer
from tests.waiting import wait_until

PROJECT_ID = "2195193"
TOKEN = "0123456789abcdef0123456789abcdef"
WEBHOOK_AUTH = ("mixpanel", "webhook-password-of-a-test")
START_TIMEOUT_S = 60.0
# What the processes see of this one's environment: nothing that could configure them.
_INHERITED = ("HOME", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT")


class Stack:
    """All processes; each is an attribute (`stack.web.kill()`, `stack.redis.restart(kill=True)`).

    Args:
        directory: data and logs.
        environ: settings on top of (or in place of) those set here.
        sandbox: flags of `python -m app.sandbox run` on top of those set here, without the dashes; a flag
            with the value "" stands alone.
        redis_options: as in redis.conf; the default persists every write.
    """

    def __init__(
        self,
        directory: Path,
        *,
        environ: Mapping[str, str] | None = None,
        sandbox: Mapping[str, str] | None = None,
        redis_options: Mapping[str, str] | None = None,
    ) -> None:
        self.directory = directory
        self.port = free_port()
        self.sandbox_port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.sandbox_url = f"http://127.0.0.1:{self.sandbox_port}"
        self.webhook_url = f"{self.url}/webhooks/mixpanel/cohorts"
        self.redis = RedisServer(directory / "redis", appendonly=True, options=redis_options)
        self.environ = {**self._environ(), **(environ or {})}
        self.processes = {name: self._process(name, line) for name, line in procfile()}
        self.web = self.processes["web"]
        self.apply = self.processes["apply"]
        self.mixpanel = self.processes["mixpanel"]
        self.webhooks = self.processes["webhooks"]
        self.clock = self.processes["clock"]
        self.sandbox = self._sandbox(sandbox or {})
        self._others: list[Process] = []

    @property
    def workers(self) -> tuple[Process, ...]:
        return (self.apply, self.mixpanel, self.webhooks)

    def start(self) -> Self:
        """Start all and wait until the web server and the sandbox answer."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self.redis.start()
        for process in self.processes.values():
            process.start()
        self.wait_for_web()
        self.start_sandbox()
        return self

    def another(self, process: Process) -> Process:
        """Return a further process of the same kind, not started; it writes to the same log."""
        self._others.append(Process(process.name, process.arguments, process.environ, process.log))
        return self._others[-1]

    def start_sandbox(self) -> None:
        """Start the sandbox and wait until it answers."""
        self.sandbox.start()
        wait_until(
            lambda: self._answers(self.sandbox, self.sandbox_url), START_TIMEOUT_S, "the sandbox answers"
        )

    def wait_for_web(self) -> None:
        """Wait until the web server answers."""
        wait_until(lambda: self._answers(self.web, f"{self.url}/healthz"), START_TIMEOUT_S, "web answers")

    def stop(self) -> None:
        """End all gently, in the order of `make run`; whatever happens, nothing is left."""
        try:
            for process in (self.sandbox, self.web, self.clock, *self.workers):
                if process.running:
                    process.stop()
            if self.redis.running:
                self.redis.stop()
        finally:
            self.kill()

    def kill(self) -> None:
        """End all at once."""
        for process in (self.sandbox, *self.processes.values(), *self._others):
            process.kill()
        self.redis.kill()

    def ready(self) -> bool:
        """Say whether /readyz answers 200."""
        try:
            return requests.get(f"{self.url}/readyz", timeout=5).status_code == 200
        except requests.RequestException:
            return False

    def tails(self, lines: int = 30) -> str:
        """Return the end of every process's log."""
        logs = {each.name: each.tail(lines) for each in (self.sandbox, *self.processes.values())}
        logs["redis"] = self.redis.log_tail(lines)
        return "\n".join(f"----- {name} -----\n{log}" for name, log in logs.items())

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            print(self.tails())
            self.kill()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            print(self.tails())
            self.kill()
        else:
            self.stop()

    def _environ(self) -> dict[str, str]:
        return {
            **{name: os.environ[name] for name in _INHERITED if name in os.environ},
            "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath))),
            "PYTHONUNBUFFERED": "1",
            "PORT": str(self.port),
            "REDIS_URL": self.redis.url,
            "SECRET_KEY": "secret-key-of-a-test-0123456789",
            "LOG_FORMAT": "json",
            "MIXPANEL_PROJECT_ID": PROJECT_ID,
            "MIXPANEL_PROJECT_TOKEN": TOKEN,
            "MIXPANEL_REGION": "us",
            "MIXPANEL_INGESTION_URL": self.sandbox_url,
            "MIXPANEL_QUERY_URL": f"{self.sandbox_url}/api/query",
            "WEBHOOK_USERNAME": WEBHOOK_AUTH[0],
            "WEBHOOK_PASSWORD": WEBHOOK_AUTH[1],
        }

    def _process(self, name: str, line: str) -> Process:
        return Process(name, ("/bin/sh", "-c", f"exec {line}"), self.environ, self.directory / f"{name}.log")

    def _sandbox(self, flags: Mapping[str, str]) -> Process:
        values = {
            "port": str(self.sandbox_port),
            "data-dir": str(self.directory / "sandbox"),
            "project-id": PROJECT_ID,
            "token": TOKEN,
            "webhook-url": self.webhook_url,
            "username": WEBHOOK_AUTH[0],
            "password": WEBHOOK_AUTH[1],
            **flags,
        }
        arguments = [f"--{name}={value}" if value else f"--{name}" for name, value in values.items()]
        command = (sys.executable, "-m", "app.sandbox", "run", *arguments)
        return Process("sandbox", command, self.environ, self.directory / "sandbox.log")

    def _answers(self, process: Process, url: str) -> bool:
        assert process.running, f"{process.name} ended:\n{process.tail()}"
        try:
            requests.get(url, timeout=2)
        except requests.RequestException:
            return False
        return True


def procfile() -> Iterator[tuple[str, str]]:
    """Yield the name and the command of each process of the Procfile."""
    for line in (ROOT / "Procfile").read_text().splitlines():
        if found := re.match(r"([a-z]+):\s*(.+)$", line):
            yield found[1], found[2]
