"""A lock that one process holds while it keeps saying so."""

from redis import Redis

from app.store import scripts


class Lock:
    """Taken by the first that asks, and free again some time after its holder last asked.

    Args:
        redis: where.
        key: its name.
        lifetime_ms: how long it is held after each time it was asked for.
    """

    def __init__(self, redis: Redis, key: str, lifetime_ms: int) -> None:
        self._key = key
        self._lifetime_ms = lifetime_ms
        self._script = scripts.load(redis, "store/scripts/lock.lua")

    def take(self, name: str) -> bool:
        """Take it or keep it; say whether `name` holds it now."""
        return bool(self._script(keys=[self._key], args=[name, self._lifetime_ms]))
