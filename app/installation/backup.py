"""Let Redis write a backup, and take the file from where it lies."""

import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from redis import Redis, ResponseError

_SAVING_S: Final = 3_600.0


class NotSaved(Exception):  # noqa: N818 - a state that a person has to see to
    """There is no backup; the message says why, and what to do."""


def save(redis: Redis, target: Path, tick: Callable[[], None] = lambda: None) -> int:
    """Write a backup of all that Redis holds at one moment, while everything goes on.

    Args:
        redis: a server on this machine, whose files this process may read.
        target: the file to write; readable by its owner only.
        tick: called now and then.

    Returns:
        its size in bytes.

    Raises:
        NotSaved: it could not be done.
    """
    source = _file(redis)
    before = _identity(source)
    _bgsave(redis, tick)
    if _identity(source) in (None, before):  # another server's, by chance, or none
        raise NotSaved(f"Redis wrote {source}, on its own machine: fetch it from there.")
    draft = target.with_name(f"{target.name}.part")
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(draft, "wb", opener=_private) as file, source.open("rb") as written:
            shutil.copyfileobj(written, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
        if before is None:  # it keeps none by itself
            source.unlink()
    except OSError as err:
        with suppress(OSError):
            draft.unlink()
        raise NotSaved(f"{target} cannot be written from {source}: {err.strerror}.") from err
    return target.stat().st_size


def _bgsave(redis: Redis, tick: Callable[[], None]) -> None:
    saves = _persistence(redis).get("rdb_saves")  # from 7.0 on
    before = redis.lastsave()
    try:
        redis.bgsave()
    except ResponseError as err:
        raise NotSaved(
            "Redis does not let itself be told to save (BGSAVE): it is saving or rewriting already, or that"
            " is forbidden; try again, or use its own means (docs/installation.md)."
        ) from err
    deadline = time.monotonic() + _SAVING_S
    while (info := _persistence(redis))["rdb_bgsave_in_progress"] and time.monotonic() < deadline:
        time.sleep(0.05)
        tick()
    done = not info["rdb_bgsave_in_progress"] and info["rdb_last_bgsave_status"] == "ok"
    newer = redis.lastsave() >= before if saves is None else info["rdb_saves"] != saves
    if not (done and newer):
        raise NotSaved("Redis could not write its backup: look at its log, and whether its disk is full.")


def _file(redis: Redis) -> Path:
    """Return where the server puts it."""
    try:
        told: list[dict[Any, Any]] = [redis.config_get("dir"), redis.config_get("dbfilename")]
        found = {_text(name): _text(value) for each in told for name, value in each.items()}
        return Path(found["dir"], found["dbfilename"])
    except (ResponseError, KeyError) as err:
        raise NotSaved(
            "Redis does not tell where it keeps its files: use its own means (docs/installation.md)."
        ) from err


def _identity(file: Path) -> tuple[int, int] | None:
    """Return what tells one writing of a file from the next."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _persistence(redis: Redis) -> dict[str, Any]:
    found: dict[str, Any] = redis.info("persistence")
    return found


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
