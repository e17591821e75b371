"""A process's own log under `var/log/`, kept to a size."""

from collections import deque
from pathlib import Path

_MAX_BYTES = 10 * 1024 * 1024
_TAIL_BYTES = 64 * 1024


class LogFile:
    """Append lines to a file; past `max_bytes` it becomes `<name>.log.1`, replacing the one before."""

    def __init__(self, path: Path, max_bytes: int = _MAX_BYTES) -> None:
        self.path = path
        self._max_bytes = max_bytes
        self._file = path.open("ab", buffering=0)
        self._size_bytes = self._begin_bytes = self._file.tell()

    def write(self, lines: bytes) -> None:
        """Append whole lines, seen at once by `tail -f`."""
        if self._size_bytes and self._size_bytes + len(lines) > self._max_bytes:
            self._rotate()
        self._file.write(lines)
        self._size_bytes += len(lines)

    def tail(self, count: int) -> list[str]:
        """Return the last `count` lines of those written here: not those of the run before."""
        with self.path.open("rb") as file:
            file.seek(max(self._begin_bytes, self._size_bytes - _TAIL_BYTES))
            return list(deque((line.decode(errors="replace").rstrip() for line in file), maxlen=count))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _rotate(self) -> None:
        self._file.close()
        self.path.replace(self.path.with_name(self.path.name + ".1"))
        self._file = self.path.open("ab", buffering=0)
        self._size_bytes = self._begin_bytes = 0
