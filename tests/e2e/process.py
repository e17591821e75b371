"""A process of the product under test, with its output in a file."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.guard import ROOT, guard

STOP_TIMEOUT_S = 45.0


class Process:
    """A program that can be started, stopped, killed and started again; its log grows over all of them."""

    def __init__(self, name: str, arguments: Sequence[str], environ: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.arguments = tuple(arguments)
        self.environ = dict(environ)
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None, f"{self.name} was not started"
        return self._process.pid

    def start(self) -> None:
        assert not self.running, f"{self.name} runs already"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.arguments,
                cwd=ROOT,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        guard().protect(self.pid)

    def stop(self) -> int:
        """End it gently (SIGTERM) and return its exit code; what it forked must have ended with it."""
        assert self._process is not None, f"{self.name} was not started"
        if self.running:
            self._process.send_signal(signal.SIGCONT)
            self._process.terminate()
        try:
            code = self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(
                f"{self.name} did not end within {STOP_TIMEOUT_S:.0f} s\n{self.tail()}"
            ) from None
        self.kill()
        return code

    def kill(self, *, group: bool = True) -> None:
        """End it at once (SIGKILL): with everything it forked, or itself alone."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            if group:
                os.killpg(self.pid, signal.SIGKILL)
            else:
                self._process.kill()
        self._process.wait(STOP_TIMEOUT_S)
        if group:
            guard().forget(self.pid)

    def restart(self, *, kill: bool = False) -> None:
        """Stop (or kill, with what it forked) and start it again."""
        if kill:
            self.kill()
        else:
            self.stop()
        self.start()

    def freeze(self) -> None:
        """Stop it and what it forked in the middle of what they do (SIGSTOP)."""
        os.killpg(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let them go on (SIGCONT)."""
        os.killpg(self.pid, signal.SIGCONT)

    def output(self) -> str:
        """Return all that it has written, over all its starts."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def tail(self, lines: int = 30) -> str:
        """Return the last lines that it has written."""
        return "\n".join(self.output().splitlines()[-lines:])
