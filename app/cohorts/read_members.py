"""Who is in a cohort as Mixpanel says it, while that is read and compared: in buckets like the membership.

The number of buckets is fixed as the reading begins. Two families of them: who was read (with the exported
properties, where they may differ from ours), and whom a page made absent since. The latter are remembered
here because the membership forgets them, and the reading may have come by them before that page did.
"""

from collections.abc import Callable, Sequence
from typing import Final

from redis import Redis

from app.cohorts.bucket_reading import BucketReader
from app.store import keys

LIVES_S: Final = 30 * 86_400
AT_ONCE: Final = 500
"""Buckets looked at in one round trip."""


class ReadMembers:
    """Reads what was read; keep.lua and the apply lane's commits write it."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._reader = BucketReader(redis)

    def find(
        self, project_id: str, number: int, buckets: int, packed_ids: Sequence[bytes]
    ) -> dict[bytes, bytes]:
        """Return what was read of those who were: exported properties in JSON, or nothing."""
        return self._find(lambda bucket: keys.resync_read(project_id, number, bucket), buckets, packed_ids)

    def gone(self, project_id: str, number: int, buckets: int, packed_ids: Sequence[bytes]) -> set[bytes]:
        """Return which of these a page has made absent since."""
        return set(
            self._find(lambda bucket: keys.resync_gone(project_id, number, bucket), buckets, packed_ids)
        )

    def portion(self, project_id: str, number: int, first: int, count: int) -> dict[bytes, bytes]:
        """Return who was read, from the bucket `first` on."""
        pipeline = self._redis.pipeline(transaction=False)
        for bucket in range(first, first + count):
            pipeline.hgetall(keys.resync_read(project_id, number, bucket))
        return {packed_id: value for found in pipeline.execute() for packed_id, value in found.items()}

    def count(self, project_id: str, number: int, buckets: int, keep: Callable[[], None]) -> int:
        """Count who is there, and let all of it live on; `keep` is called now and then, to hold the lane."""
        counted = 0
        for first in range(0, buckets, AT_ONCE):
            pipeline = self._redis.pipeline(transaction=False)
            for bucket in range(first, min(first + AT_ONCE, buckets)):
                pipeline.hlen(keys.resync_read(project_id, number, bucket))
                pipeline.expire(keys.resync_read(project_id, number, bucket), LIVES_S)
            counted += sum(pipeline.execute()[::2])
            keep()
        return counted

    def _find(
        self, key_of: Callable[[int], str], buckets: int, packed_ids: Sequence[bytes]
    ) -> dict[bytes, bytes]:
        found = self._reader.values(key_of, buckets, packed_ids)
        return {packed_id: value for packed_id, value in found.items() if value is not None}
