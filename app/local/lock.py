"""One run at a time over one data directory."""

import fcntl
import os
import time
from pathlib import Path

from app.local.errors import LocalError
from app.local.reaper import alive

_ENDING_S = 30.0  # how long a killed run's processes may take to end


class RunLock:
    """A lock on a file that the kernel releases when its last holder is gone, however that ends.

    The reaper inherits it: after a run was killed the directory stays locked until its processes have ended.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("a+")

    @property
    def descriptor(self) -> int:
        """The file descriptor to pass on to a process that is to hold the lock as well."""
        return self._file.fileno()

    def acquire(self) -> None:
        """Take the lock, waiting for what a killed run left behind.

        Raises:
            LocalError: another run has it.
        """
        deadline = time.monotonic() + _ENDING_S
        while not self._try():
            holder = self._holder()
            if holder is None or alive(holder) or time.monotonic() > deadline:
                raise LocalError(
                    f"Another run (process {holder or 'unknown'}) uses {self._path.parent}: end it first, "
                    "with Ctrl-C in its terminal."
                )
            time.sleep(0.1)
        self._file.seek(0)
        self._file.truncate()
        self._file.write(str(os.getpid()))
        self._file.flush()

    def release(self) -> None:
        """Give the lock back."""
        self._file.close()

    def _try(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _holder(self) -> int | None:
        text = self._path.read_text()
        return int(text) if text.isdigit() else None
