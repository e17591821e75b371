"""The largest request that each project accepts, as its own 413 answers have taught us.

10 MB is documented, yet some projects answer 413 naming 2,097,152 bytes: the answer is believed. What was
learned is forgotten after a month, so that a raised limit is found again.
"""

from contextlib import suppress

from redis import Redis
from redis.exceptions import OutOfMemoryError

from app.store import keys

DOCUMENTED_BYTES = 10_000_000
LIFETIME_S = 30 * 24 * 3600
_FLOOR_BYTES = 16_384  # halving blindly stops here: below it a 413 is about one record, not about the request


class SizeLimits:
    """Keep each project's size limit in Redis, where every worker sees it."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def get(self, project_id: str) -> int:
        """Give the most bytes that a request of the project may have, as far as is known."""
        known = self._redis.get(keys.size_limit(project_id))
        return int(known) if known else DOCUMENTED_BYTES

    def learn(self, project_id: str, size_bytes: int, named_bytes: int | None) -> int:
        """Take note of a 413.

        Two workers that learn different limits at once leave one of them behind; the next 413 puts it right.

        Args:
            project_id: Whose request was refused.
            size_bytes: Size of the refused request.
            named_bytes: The limit that the answer named, if any; not believed if the request kept to it.

        Returns:
            The new limit in bytes; below `size_bytes` unless that is tiny.
        """
        if named_bytes is None or named_bytes >= size_bytes:
            named_bytes = max(size_bytes // 2, _FLOOR_BYTES)
        limit = min(named_bytes, self.get(project_id))
        with suppress(
            OutOfMemoryError
        ):  # then the next 413 teaches it again; what is sent makes room meanwhile
            self._redis.set(keys.size_limit(project_id), limit, ex=LIFETIME_S)
        return limit
