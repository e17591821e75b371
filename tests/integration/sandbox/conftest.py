import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from tests.integration.sandbox.receiver import Receiver

START_S = 15.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Running:
    """A sandbox as a process of its own."""

    process: subprocess.Popen[str]
    url: str

    def get(self, path: str, /, **query: Any) -> Any:
        return requests.get(f"{self.url}/sandbox{path}", params=query, timeout=30).json()

    def post(self, path: str, /, **body: Any) -> Any:
        return requests.post(f"{self.url}/sandbox{path}", json=body, timeout=60).json()

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(10)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "app.sandbox", *arguments]


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("SANDBOX_", "LOG_"))}


def wait_for(condition: Callable[[], Any], timeout_s: float = START_S) -> Any:
    until_s = time.monotonic() + timeout_s
    while time.monotonic() < until_s:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError("waited in vain")


@pytest.fixture
def run() -> Iterator[Callable[..., Running]]:
    started: list[Running] = []

    def start(*arguments: str) -> Running:
        port = free_port()
        process = subprocess.Popen(
            command("run", "--port", str(port), "--log-format", "json", *arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        running = Running(process, f"http://127.0.0.1:{port}")
        started.append(running)
        wait_for(lambda: _healthy(running))
        return running

    yield start
    for running in started:
        if running.process.poll() is None:
            running.process.kill()
        running.process.communicate(timeout=10)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


def _healthy(running: Running) -> bool:
    if running.process.poll() is not None:
        raise AssertionError(running.process.stderr.read() if running.process.stderr else "ended")
    try:
        return requests.get(f"{running.url}/sandbox/health", timeout=5).ok
    except requests.ConnectionError:
        return False
