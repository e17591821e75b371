"""One process of a run: started in a group of its own, its output read and kept, ended with all it forked."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from app.local.log_file import LogFile

_CHUNK_BYTES = 64 * 1024
_MAX_LINE_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Command:
    """What to start and how to end it.

    Args:
        name: shown to people, and the log's name.
        arguments: the program and its arguments.
        environ: the whole environment.
        stop_phase: processes of a lower phase are ended first, those of one phase together.
        grace_s: how long it may take to end after SIGTERM before it is killed.
    """

    name: str
    arguments: tuple[str, ...]
    environ: Mapping[str, str]
    stop_phase: int
    grace_s: float = 15.0


class Child:
    """A started process.

    Its session and so its process group are its own: a Ctrl-C at the terminal reaches the run alone, which
    then ends everything in order.
    """

    def __init__(
        self, command: Command, cwd: Path, log: LogFile, on_line: Callable[[str, bytes], None]
    ) -> None:
        self.command = command
        self.name = command.name
        self.log = log
        self._on_line = on_line
        self._pending = b""
        self._process = subprocess.Popen(  # noqa: S603 - commands of the Procfile and of this package
            command.arguments,
            cwd=cwd,
            env=dict(command.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        self._output = self._process.stdout
        os.set_blocking(self._output.fileno(), False)

    @property
    def pid(self) -> int:
        """The process's id, which is its group's as well."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether the process itself has ended (what it forked may live)."""
        return self._process.poll() is not None

    def fileno(self) -> int:
        """Return the descriptor of its output, for a selector."""
        return self._output.fileno()

    def read(self) -> bool:
        """Take what it has written since, log it and hand on each whole line.

        Returns:
            False once there will never be more.
        """
        try:
            chunk = os.read(self.fileno(), _CHUNK_BYTES)
        except BlockingIOError:
            return True
        *lines, self._pending = (self._pending + chunk).split(b"\n")
        for line in lines:
            self._hand_on(line)
        if len(self._pending) > _MAX_LINE_BYTES:
            self._hand_on_pending()
        return bool(chunk)

    def terminate(self) -> None:
        """Ask it to end. Only itself: gunicorn and RQ see to what they forked."""
        if not self.ended:
            self._process.terminate()

    def kill(self) -> None:
        """Kill what is left of it and of everything it forked."""
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: a group of zombies only
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()

    def close(self) -> None:
        """Let go of its output and its log."""
        self._hand_on_pending()
        self._output.close()
        self.log.close()

    def _hand_on_pending(self) -> None:
        if self._pending:
            line, self._pending = self._pending, b""
            self._hand_on(line)

    def _hand_on(self, line: bytes) -> None:
        self.log.write(line + b"\n")
        self._on_line(self.name, line)

    def how_it_ended(self) -> str:
        """Return "exit code 3" or "killed by SIGKILL"."""
        code = self._process.returncode
        if code is not None and code < 0:
            return f"killed by {signal.Signals(-code).name}"
        return f"exit code {code}"
