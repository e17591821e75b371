"""Read values of many ids that are spread over buckets, in scripts of a bounded size and one round trip."""

from collections.abc import Callable, Sequence

from redis import Redis

from app.cohorts.buckets import by_bucket
from app.cohorts.commit import CHUNK
from app.store import scripts
from app.store.slices import slices


class BucketReader:
    """Runs read.lua."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._script = scripts.load(redis, "cohorts/scripts/read.lua")

    def values(
        self, key_of: Callable[[int], str], buckets: int, packed_ids: Sequence[bytes]
    ) -> dict[bytes, bytes | None]:
        """Return the value of each id, None where there is none.

        Args:
            key_of: gives the key of a bucket.
            buckets: how many there are now.
            packed_ids: any number; read in scripts of 250.
        """
        order: list[bytes] = []
        calls: list[scripts.Call] = []
        for some in slices(packed_ids, CHUNK):
            grouped = by_bucket(some, buckets)
            args: list[bytes | int] = []
            for group in grouped.values():
                args += [len(group), *group]
                order += group
            calls.append(([key_of(bucket) for bucket in grouped], args))
        found = [value for answer in scripts.run_all(self._redis, self._script, calls) for value in answer]
        return dict(zip(order, found, strict=True))
