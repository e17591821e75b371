"""Silences that somebody knows of: of a cohort that was disconnected or archived in Mixpanel.

What is muted is one silence. Once a page of the cohort comes, the mute is over: the next silence is told of
again.
"""

from collections.abc import Mapping
from typing import cast

from redis import Redis

from app.store import keys


class Muting:
    """Mutes silences and ends that."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def mute(self, project_id: str, cohort_id: str) -> int:
        """Mute a cohort's silence; return since when (ms)."""
        now_s, now_us = self._redis.time()
        at_ms = now_s * 1000 + now_us // 1000
        self._redis.hset(keys.muted(project_id), cohort_id, str(at_ms))
        return at_ms

    def unmute(self, project_id: str, cohort_id: str) -> bool:
        """End a mute; return whether there was one."""
        return bool(self._redis.hdel(keys.muted(project_id), cohort_id))

    def muted(self, project_id: str) -> Mapping[str, int]:
        """Return since when (ms) cohorts are muted."""
        found = cast("dict[bytes, bytes]", self._redis.hgetall(keys.muted(project_id)))
        return {cohort_id.decode(): int(at_ms) for cohort_id, at_ms in found.items()}
