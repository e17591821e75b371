"""Read who is in a cohort: by id, by bucket, all of them in bounded steps."""

from collections.abc import Iterator, Sequence
from typing import cast

from redis import Redis

from app.cohorts.bucket_reading import BucketReader
from app.cohorts.buckets import bucket_of
from app.cohorts.epochs import Entry
from app.cohorts.packing import pack_id, unpack_entry, unpack_id
from app.store import keys


class Membership:
    """Reads the bucketed hashes; only the apply lane's commits write them."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._reader = BucketReader(redis)

    def entries(
        self, project_id: str, cohort_id: str, buckets: int, packed_ids: Sequence[bytes]
    ) -> dict[bytes, Entry]:
        """Return the entries of these members; those never heard of are new, absent entries.

        Args:
            project_id: whose cohort.
            cohort_id: which.
            buckets: how many buckets it has now.
            packed_ids: any number; read in scripts of 250, all in one round trip.
        """
        found = self._reader.values(
            lambda number: keys.bucket(project_id, cohort_id, number), buckets, packed_ids
        )
        return {packed_id: unpack_entry(value) if value else Entry() for packed_id, value in found.items()}

    def present(self, project_id: str, cohort_id: str, distinct_ids: Sequence[str]) -> frozenset[str]:
        """Return which of these people are in the cohort now.

        The apply lane may split buckets meanwhile: somebody who was moved would look absent, so it is then
        asked again.
        """
        packed = {pack_id(distinct_id): distinct_id for distinct_id in distinct_ids}
        buckets = 0
        entries: dict[bytes, Entry] = {}
        while (stored := self._buckets(project_id, cohort_id)) != buckets:
            buckets = stored
            entries = self.entries(project_id, cohort_id, buckets, list(packed))
        return frozenset(packed[packed_id] for packed_id, entry in entries.items() if entry.now)

    def read_buckets(
        self, project_id: str, cohort_id: str, first: int, count: int
    ) -> list[dict[bytes, Entry]]:
        """Return the contents of `count` buckets from number `first` on."""
        pipeline = self._redis.pipeline(transaction=False)
        for number in range(first, first + count):
            pipeline.hgetall(keys.bucket(project_id, cohort_id, number))
        return [
            {packed_id: unpack_entry(packed) for packed_id, packed in bucket.items()}
            for bucket in pipeline.execute()
        ]

    def members(self, project_id: str, cohort_id: str) -> Iterator[str]:
        """Yield everybody who is in the cohort, once, bucket by bucket; changes meanwhile may not show.

        A split moves people into a bucket behind those that are read already. Whoever is found in one was
        yielded before if, by the number of buckets there were then, they stood in one that was read.
        """
        were: list[int] = []  # how many buckets there were as each was read
        while True:
            number = len(were)
            buckets, entries = self._read_bucket(project_id, cohort_id, number)
            if number >= buckets:
                return
            for packed_id, entry in entries.items():
                if entry.now and not _was_read(packed_id, number, were):
                    yield unpack_id(packed_id)
            were.append(buckets)

    def _read_bucket(self, project_id: str, cohort_id: str, number: int) -> tuple[int, dict[bytes, Entry]]:
        """Return how many buckets there are, and one bucket's contents at the same moment.

        Without MULTI, which a Redis at its maxmemory refuses even for reading: the number before equals that
        after.
        """
        buckets, stored = -1, list[dict[bytes, Entry]]()
        while (found := self._buckets(project_id, cohort_id)) != buckets:
            buckets = found
            stored = self.read_buckets(project_id, cohort_id, number, 1)
        return buckets, stored[0]

    def _buckets(self, project_id: str, cohort_id: str) -> int:
        """Return how many buckets a cohort has, 0 if it was never heard of."""
        stored = cast("bytes | None", self._redis.hget(keys.cohort(project_id, cohort_id), "buckets"))
        return int(stored or 0)


def _was_read(packed_id: bytes, number: int, were: Sequence[int]) -> bool:
    """Say whether an entry, now in the bucket `number`, stood in an earlier one as that was read."""
    while number:
        number -= 1 << (number.bit_length() - 1)  # where the bucket's entries came from
        if bucket_of(packed_id, were[number]) == number:
            return True
    return False
