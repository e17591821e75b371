"""Who is in a cohort as Mixpanel says it, while that is read and compared: in buckets like the membership.

The number of buckets is fixed as the reading begins. Two families of them: who was read (with the exported
properties, where they may differ from ours), and whom a page made absent since. The latter are remembered
here because the membership forgets them, and the reading may have come by them before that page did.
"""

from collections.abc import Callable, Sequence
from typing import Final

from redis import Redis

from app.cohorts.buckets import bucket_of
from app.store import keys, scripts

LIVES_S: Final = 30 * 86_400
AT_ONCE: Final = 500
"""Buckets looked at in one round trip."""
CHUNK: Final = 250


class ReadMembers:
    """Reads what was read; keep.lua and the apply lane's commits write it."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._script = scripts.load(redis, "cohorts/scripts/read.lua")

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
        order: list[bytes] = []
        calls: list[scripts.Call] = []
        for start in range(0, len(packed_ids), CHUNK):
            grouped = by_bucket(packed_ids[start : start + CHUNK], buckets)
            args: list[bytes | int] = []
            for group in grouped.values():
                args += [len(group), *group]
                order += group
            calls.append(([key_of(bucket) for bucket in grouped], args))
        found = [value for answer in scripts.run_all(self._redis, self._script, calls) for value in answer]
        return {
            packed_id: value
            for packed_id, value in zip(order, found, strict=True)
            if value is not None and value is not False
        }


def by_bucket(packed_ids: Sequence[bytes], buckets: int) -> dict[int, list[bytes]]:
    """Sort ids into their buckets."""
    grouped: dict[int, list[bytes]] = {}
    for packed_id in packed_ids:
        grouped.setdefault(bucket_of(packed_id, buckets), []).append(packed_id)
    return grouped
