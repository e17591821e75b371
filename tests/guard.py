"""End the servers that tests started, should the test run itself be killed.

The same process apart that guards `make run`, started as a program: nothing of the product is imported.
"""

import atexit
import contextlib
import functools
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_REAPER = ROOT / "app" / "local" / "reaper.py"


class Guard:
    """The process that waits for this one's end."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", str(_REAPER)], stdin=subprocess.PIPE, start_new_session=True
        )
        atexit.register(self._close)

    def protect(self, pid: int) -> None:
        """Have the process group of that id ended with this process."""
        self._tell(f"+1 {pid}")

    def forget(self, pid: int) -> None:
        """Take a process group off the list: it has ended."""
        self._tell(f"-{pid}")

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(f"{line}\n".encode())
            self._process.stdin.flush()

    def _close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


@functools.cache
def guard() -> Guard:
    """Return this process's guard."""
    return Guard()
