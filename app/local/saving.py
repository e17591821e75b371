"""Take a backup into a new data directory of the embedded Redis.

A server that keeps an append-only file reads nothing else when it starts: it overlooks a backup beside which
there is no such file, and begins empty. So a backup is read by a server that keeps none, which then begins
one.
"""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from redis import Redis

from app.local.child import Command
from app.local.errors import LocalError

SNAPSHOT: Final = "dump.rdb"
_MAGIC: Final = b"REDIS"
_SAVING_S: Final = 3_600.0

Wait = Callable[[Callable[[], bool], float], bool]
"""Waits until something is so, at most so many seconds; says whether it is."""


def place(backup: Path, directory: Path) -> None:
    """Put a backup into an empty data directory, where `loading` finds it.

    Raises:
        LocalError: it is none.
    """
    try:
        with backup.open("rb") as file:
            known = file.read(len(_MAGIC)) == _MAGIC
    except OSError as err:
        raise LocalError(f"{backup} cannot be read: {err.strerror}.") from err
    if not known:
        raise LocalError(f"{backup} is no backup of Redis (RDB).")
    directory.mkdir(mode=0o700, parents=True)
    shutil.copyfile(backup, directory / SNAPSHOT)
    (directory / SNAPSHOT).chmod(0o600)


def loading(command: Command) -> Command:
    """Return the command of a server that reads the backup that was put there."""
    return replace(command, arguments=(*command.arguments, "--appendonly", "no"))


def begin_file(redis: Redis, directory: Path, wait: Wait) -> None:
    """Let a server that has read a backup begin its append-only file, and drop the backup's copy.

    Raises:
        LocalError: it did not.
    """
    redis.config_set("appendonly", "yes")
    if not wait(lambda: _has_file(redis), _SAVING_S):
        raise LocalError(f"Redis could not write its append-only file into {directory}: is the disk full?")
    (directory / SNAPSHOT).unlink()


def _has_file(redis: Redis) -> bool:
    info = _persistence(redis)
    under_way = info["aof_rewrite_in_progress"] or info["aof_rewrite_scheduled"]
    return bool(info["aof_enabled"] and not under_way and info["aof_last_bgrewrite_status"] == "ok")


def _persistence(redis: Redis) -> dict[str, Any]:
    found: dict[str, Any] = redis.info("persistence")
    return found
