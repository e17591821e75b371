"""The file that raw events are exported to, and how much of it is complete."""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO

import orjson


@dataclass(frozen=True, slots=True)
class Exported:
    """How far an export is.

    Attributes:
        next_day: First day that is not complete yet.
        last_day: Last day wanted.
        days_done: Days that are complete.
        days: Days wanted.
        events: Events written, those of the incomplete step included.
        size_bytes: Bytes written, before any compression.
    """

    next_day: date
    last_day: date
    days_done: int = 0
    days: int = 0
    events: int = 0
    size_bytes: int = 0


class NotResumable(ValueError):  # noqa: N818 - a sentence about a file
    """Say that a file is there already, and not the beginning of this export."""


class Journal:
    """Remembers beside a file how much of it is complete.

    Args:
        path: The file.
        wanted: The export; with another one the file is not gone on with.
    """

    def __init__(self, path: Path, wanted: Mapping[str, Any]) -> None:
        self._file = path
        self._path = path.with_name(path.name + ".progress")
        self._wanted = orjson.loads(orjson.dumps(dict(wanted)))

    def read(self, beginning: Exported) -> tuple[Exported, int]:
        """Return how far the export is, and how many bytes of the file that is.

        Raises:
            NotResumable: The file is there, and is not a part of this same export.
        """
        if not self._path.exists():
            if self._file.exists() and self._file.stat().st_size:
                raise NotResumable(f"{self._file} is there already: name another file, or remove it")
            return beginning, 0
        try:
            said = orjson.loads(self._path.read_bytes())
        except orjson.JSONDecodeError:
            said = {}
        if said.get("size") == 0:  # nothing is complete, so whatever is wanted now can begin
            return beginning, 0
        if said.get("wanted") != self._wanted or not self._file.exists():
            raise NotResumable(f"{self._path} is of another export: name another file, or remove both")
        facts = said["done"]
        days = {name: date.fromisoformat(facts[name]) for name in ("next_day", "last_day")}
        return Exported(**{**facts, **days}), said["size"]

    def write(self, done: Exported, size: int) -> None:
        """Remember it, in one step."""
        text = orjson.dumps({"wanted": self._wanted, "done": asdict(done), "size": size})
        new = self._path.with_name(self._path.name + ".new")
        with new.open("wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._path)

    def remove(self) -> None:
        """Forget it: the export is complete."""
        self._path.unlink(missing_ok=True)


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open a file to be written by one process at a time."""
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise NotResumable(f"{path} is being written by another process") from None
        yield file
