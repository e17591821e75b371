"""Signs of life of the processes, for readiness and status."""

import os
import socket
from collections.abc import Mapping
from typing import cast

from redis import Redis

from app.store import keys, scripts

STALE_S = 3_600.0
"""After this, a process is not missing but gone."""


class Heartbeats:
    """Writes and reads when each process was last seen alive, by Redis's clock."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._beat = scripts.load(redis, "store/scripts/beat.lua")

    def beat(self, role: str) -> None:
        """Say that this process, in this role (`clock`, `worker:apply`, ...), lives."""
        self._beat(keys=[keys.heartbeats()], args=[process_name(role)])

    def gone(self, role: str) -> None:
        """Say that this process ends in good order."""
        self._redis.hdel(keys.heartbeats(), process_name(role))

    def alive(self) -> Mapping[str, float]:
        """Return seconds since the last sign of life, by process name (role, then machine and process id)."""
        stored = cast("dict[bytes, bytes]", self._redis.hgetall(keys.heartbeats()))
        now_s, now_us = self._redis.time()
        now_ms = now_s * 1000 + now_us // 1000
        return {name.decode(): max(0.0, (now_ms - int(at)) / 1000) for name, at in stored.items()}

    def drop_stale(self) -> None:
        """Forget processes that have been silent for an hour."""
        stale = [name for name, age_s in self.alive().items() if age_s > STALE_S]
        if stale:
            self._redis.hdel(keys.heartbeats(), *stale)


def process_name(role: str) -> str:
    """Return the name under which this process is known."""
    return f"{role}@{socket.gethostname()}-{os.getpid()}"
