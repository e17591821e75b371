"""Go through a cohort's members in steps, each by itself, that stay right while buckets are split.

Members are taken in the order of their places (`buckets.place_of`), which no split changes. So the place at
which a step ended is all that the next one has to know: it may come after an hour, and from another process.
Whoever stays in the cohort meanwhile is found exactly once, and nobody is found twice.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, cast

from redis import Redis

from app.cohorts.buckets import END, bucket_at, place_of
from app.cohorts.epoch_times import Began, EpochTimes
from app.cohorts.packing import unpack_entry, unpack_id
from app.store import keys

MOST_BUCKETS: Final = 64
"""Read in one round trip: some 6,000 members."""
BUCKETS_A_STEP: Final = 2_048
"""Where a cohort has shrunk, most of its buckets are empty: a step ends all the same."""
EXPORTED_AT_ONCE: Final = 1_000

_Found = tuple[int, bytes, int]
"""A member: place, packed id, the epoch that it came in by."""


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who is in a cohort.

    Attributes:
        distinct_id: who.
        since: the sync that brought the person in; None where it is not known any more.
    """

    distinct_id: str
    since: Began | None


@dataclass(frozen=True, slots=True)
class Step:
    """Some members, and the place at which to go on; None at the end."""

    members: Sequence[Member]
    next: int | None


class Walk:
    """Reads members step by step.

    Args:
        redis: where.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._times = EpochTimes(redis)

    def step(self, project_id: str, cohort_id: str, place: int, limit: int) -> Step:
        """Return members from a place on.

        Args:
            project_id: whose cohort.
            cohort_id: which.
            place: 0, or `next` of the step before.
            limit: how many at most. There may be fewer, or none, although there are more.
        """
        found: list[_Found] = []
        read = 0
        while place < END and len(found) < limit and read < BUCKETS_A_STEP:
            buckets, count = self._size(project_id, cohort_id, limit - len(found))
            some, place = self._read(project_id, cohort_id, place, buckets, min(count, BUCKETS_A_STEP - read))
            found += some
            read += count
        found, place = _cut(found, limit, place)
        times = self._times.of(project_id, cohort_id, {epoch for _, _, epoch in found})
        members = [Member(unpack_id(packed_id), times.get(epoch)) for _, packed_id, epoch in found]
        return Step(members, place if place < END else None)

    def all(self, project_id: str, cohort_id: str, place: int = 0) -> Iterator[Member]:
        """Yield all members from a place on; no more than some thousand of them are held at a time."""
        going: int | None = place
        while going is not None:
            step = self.step(project_id, cohort_id, going, EXPORTED_AT_ONCE)
            yield from step.members
            going = step.next

    def _size(self, project_id: str, cohort_id: str, wanted: int) -> tuple[int, int]:
        """Return how many buckets there are (0: no such cohort), and how many hold about so many members."""
        stored = self._redis.hmget(keys.cohort(project_id, cohort_id), ("buckets", "members"))
        buckets, members = (int(each or 0) for each in cast("list[bytes | None]", stored))
        return buckets, max(1, min(MOST_BUCKETS, -(-wanted * buckets // max(1, members))))

    def _read(
        self, project_id: str, cohort_id: str, place: int, buckets: int, count: int
    ) -> tuple[list[_Found], int]:
        """Return the members of the next buckets in order, and the place behind those.

        The buckets are read between two looks at their number: while that stays, none was split, so they are
        as if read at one moment. Without MULTI, which a Redis at its maxmemory refuses even for reading.
        """
        cohort = keys.cohort(project_id, cohort_id)
        while buckets:
            numbers, behind = _next(place, buckets, count)
            pipeline = self._redis.pipeline(transaction=False)
            pipeline.hget(cohort, "buckets")
            for number in numbers:
                pipeline.hgetall(keys.bucket(project_id, cohort_id, number))
            pipeline.hget(cohort, "buckets")
            before, *stored, after = pipeline.execute()
            if int(before or 0) == int(after or 0) == buckets:
                return _present(stored, place), behind
            buckets = int(after or 0)
        return [], END


def _next(place: int, buckets: int, count: int) -> tuple[list[int], int]:
    """Return the numbers of the buckets that hold the places from one on, and the place behind them."""
    numbers: list[int] = []
    while place < END and len(numbers) < count:
        number, place = bucket_at(place, buckets)
        numbers.append(number)
    return numbers, place


def _present(stored: Sequence[dict[bytes, bytes]], place: int) -> list[_Found]:
    found: list[_Found] = []
    for bucket in stored:
        for packed_id, packed in bucket.items():
            entry = unpack_entry(packed)
            if entry.now and (at := place_of(packed_id)) >= place:
                found.append((at, packed_id, entry.entered))
    return sorted(found)


def _cut(found: list[_Found], limit: int, place: int) -> tuple[list[_Found], int]:
    """Keep so many members, all of one place or none, and return the place behind them."""
    if len(found) <= limit:
        return found, place
    kept = limit
    while kept and found[kept - 1][0] == found[kept][0]:
        kept -= 1
    if not kept:  # more at one place than asked for: they come together
        kept = sum(at == found[0][0] for at, _, _ in found)
    return found[:kept], found[kept][0] if kept < len(found) else place
