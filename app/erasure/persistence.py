"""Have Redis write anew what it has on disk: what was deleted stands in its append-only file until then.

Redis does it in a process of its own; whoever asks looks again until it is done. A rewrite that began before
does not count, and one that a restart broke off is begun anew: a note of it holds the server's run id.
"""

from typing import Any, Final, Literal, cast

from redis import Redis
from redis.exceptions import ResponseError

Kind = Literal["aof", "rdb"]
_BUSY: Final = ("aof_rewrite_in_progress", "aof_rewrite_scheduled", "rdb_bgsave_in_progress")


class Persistence:
    """Rewrites the files of one Redis.

    Args:
        redis: whose.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def kinds(self) -> list[Kind]:
        """Say which files it keeps."""
        found: list[Kind] = ["aof"] if self._info("persistence").get("aof_enabled") else []
        return [*found, "rdb"] if self._saves(found) else found

    def step(self, kind: Kind, note: str) -> tuple[bool, str]:
        """Go on with one file.

        Args:
            kind: which.
            note: what the last step returned; empty at first.

        Returns:
            Whether it is written, and the note for the next step.

        Raises:
            ResponseError: Redis does not allow it.
        """
        info = self._info("persistence")
        if any(int(info.get(name, 0)) for name in _BUSY):
            return False, note  # ours, or another one: which began before, so ours comes after it
        run_id = str(self._info("server").get("run_id", ""))
        begun = f"{kind}:{run_id}"
        status = "aof_last_bgrewrite_status" if kind == "aof" else "rdb_last_bgsave_status"
        if note == begun and info.get(status, "ok") == "ok":
            return True, ""
        try:
            self._redis.bgrewriteaof() if kind == "aof" else self._redis.bgsave()
        except ResponseError as error:
            if "in progress" in str(error):
                return False, note
            raise
        return False, begun

    def _saves(self, known: list[Kind]) -> bool:
        """Say whether snapshots are saved; where Redis does not tell, they may be unless there is an AOF."""
        try:
            stored = cast("dict[str, str]", self._redis.config_get("save"))
        except ResponseError:  # a managed one may forbid it
            return not known
        return bool(stored.get("save"))

    def _info(self, section: str) -> dict[str, Any]:
        found: dict[str, Any] = self._redis.info(section)
        return found
