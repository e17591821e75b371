"""How the consumer groups of the log stand, for people."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from redis import Redis

from app.cohorts.gaps import Missing
from app.cohorts.groups import ConsumerGroups, name_of
from app.cohorts.holding import Holding, Place
from app.store import keys


@dataclass(frozen=True, slots=True)
class GroupStatus:
    """One group.

    Attributes:
        name: as its readers named it.
        position: it has confirmed everything up to this sequence.
        lag: entries behind that.
        lag_s: the age of the oldest of them, in seconds; 0 without any.
        pending: entries that were given out and not confirmed.
        idle_s: seconds since any of its consumers asked for something; None where none ever did.
        share: of what it may be behind (LOG_HOLD_...), how much is used up.
        missing: first and last sequence that went before it was there; None while it has its hold.
    """

    name: str
    position: int
    lag: int
    lag_s: float
    pending: int
    idle_s: float | None
    share: float
    missing: tuple[int, int] | None


class _Log(NamedTuple):
    """The log at one time: its first and last sequence, bytes ever written, the time, who misses what."""

    first: int
    end: int
    size: int
    now_ms: int
    missing: Mapping[str, Missing]


class Consumers:
    """Tell how consumer groups stand, and forget one.

    Args:
        redis: where.
        groups: the groups.
        holding: what they hold.
    """

    def __init__(self, redis: Redis, groups: ConsumerGroups, holding: Holding) -> None:
        self._redis = redis
        self._groups = groups
        self._holding = holding

    def list(self, project_id: str) -> "list[GroupStatus]":
        """Return a project's groups by name."""
        groups = self._groups.read(project_id)
        if not groups:
            return []
        log = self._log(project_id)
        found = (self._status(project_id, group, log) for group in groups)
        return sorted(found, key=lambda group: group.name)

    def forget(self, project_id: str, name: str) -> bool:
        """Forget a group; False if there is none."""
        return self._groups.forget(project_id, name)

    def counts(self, project_id: str) -> tuple[int, int]:
        """Count how often a consumer of any kind fell too far behind, and the entries that were missed."""
        stored = self._redis.hmget(keys.log_meta(project_id), ["gaps", "missed"])
        gaps, missed = (int(value or 0) for value in cast("list[bytes | None]", stored))
        return gaps, missed

    def _log(self, project_id: str) -> _Log:
        stored = self._redis.hmget(keys.log_meta(project_id), ["sequence", "bytes"])
        end, size = (int(value or 0) for value in cast("list[bytes | None]", stored))
        oldest = self._redis.xrange(keys.log(project_id), count=1)
        first = int(cast("Any", oldest)[0][0].split(b"-")[0]) if oldest else end + 1
        seconds, microseconds = self._redis.time()
        now_ms = seconds * 1000 + microseconds // 1000
        return _Log(first, end, size, now_ms, self._holding.missing(project_id))

    def _status(self, project_id: str, group: Mapping[str, Any], log: _Log) -> GroupStatus:
        name = name_of(group)
        position = self._groups.position(project_id, group, log.first)
        place = Place(self._groups.kind, name, position)
        gone = log.missing.get(place.id)
        if gone and position >= gone.last:
            gone = None  # it reads on; that it may hold the log again is noted when the log is trimmed
        reached = max(position, log.first - 1)
        next_ = self._holding.written(project_id, reached + 1) if reached < log.end else None
        lag = max(0, log.end - reached)
        lag_s = max(0.0, (log.now_ms - next_.ms) / 1000) if next_ else 0.0
        size = log.size - next_.before if next_ else 0
        return GroupStatus(
            name=name,
            position=position,
            lag=lag,
            lag_s=lag_s,
            pending=int(group["pending"]),
            idle_s=self._groups.idle_s(project_id, name),
            share=self._holding.share(lag, size, lag_s),
            missing=(gone.first, gone.last) if gone else None,
        )
