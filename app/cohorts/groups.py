"""Consumer groups on the log's stream, made by whoever reads it there: they hold the log.

A group has confirmed everything before its oldest pending entry, or up to the last one it was given.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from redis import Redis
from redis.exceptions import ResponseError

from app.cohorts.holding import ConsumerKind, Place
from app.store import keys

KIND: Final[ConsumerKind] = "group"
_ACKED_A_CALL: Final = 500


class ConsumerGroups:
    """Look at the groups of a project's log.

    Args:
        redis: where.
    """

    kind: ConsumerKind = KIND

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def behind(self, project_id: str, first: int, sequence: int) -> Iterator[Place]:
        """Give the groups that have not confirmed everything up to `sequence`; the log begins at `first`."""
        for group in self.read(project_id):
            position = self.position(project_id, group, first)
            if position < sequence:
                yield Place(KIND, name_of(group), position)

    def has(self, project_id: str, name: str) -> bool:
        """Say whether there is such a group."""
        return any(name_of(group) == name for group in self.read(project_id))

    def read(self, project_id: str) -> list[dict[str, Any]]:
        """Return what Redis says of each group: its name, last-delivered-id, pending, and more."""
        try:
            return self._redis.xinfo_groups(keys.log(project_id))
        except ResponseError:  # no log yet
            return []

    def position(self, project_id: str, group: Mapping[str, Any], first: int) -> int:
        """Return the sequence up to which a group has confirmed everything that is there, from `first` on.

        What it never confirmed of what has gone does not count: nobody can be given it any more.
        """
        position = _sequence(group["last-delivered-id"])
        if not group["pending"]:
            return position
        oldest = self._redis.xpending_range(keys.log(project_id), group["name"], f"{first}-0", "+", 1)
        ids = [cast("bytes", each["message_id"]) for each in oldest]
        return min([position, *(_sequence(each) - 1 for each in ids)])

    def idle_s(self, project_id: str, name: str) -> float | None:
        """Say for how long no consumer of a group has asked for anything; None without consumers."""
        found = self._redis.xinfo_consumers(keys.log(project_id), name)
        return min((each["idle"] / 1000 for each in found), default=None)

    def forget(self, project_id: str, name: str) -> bool:
        """Drop a group, in small steps; False if there is none.

        Whoever still reads by it is refused from then on.
        """
        log = keys.log(project_id)
        if not self.has(project_id, name):
            return False
        while pending := self._redis.xpending_range(log, name, "-", "+", _ACKED_A_CALL):
            self._redis.xack(log, name, *(each["message_id"] for each in pending))
        return bool(self._redis.xgroup_destroy(log, name))


def name_of(group: Mapping[str, Any]) -> str:
    """Return a group's name, as `ConsumerGroups.read` gave it."""
    return cast("bytes", group["name"]).decode(errors="backslashreplace")


def _sequence(entry_id: bytes) -> int:
    return int(entry_id.split(b"-")[0])
