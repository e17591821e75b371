"""Reading all of a cohort while its buckets are split."""

from typing import cast

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis

from app.cohorts.buckets import bucket_of, splits_from
from app.cohorts.epochs import Entry
from app.cohorts.membership import Membership
from app.cohorts.packing import pack_entry, pack_id
from app.store import keys
from tests.depth import examples
from tests.integration.cohorts.relay import P

PEOPLE = [f"person-{number}" for number in range(60)]


def fill(redis: Redis, buckets: int) -> None:
    redis.flushall()
    redis.hset(keys.cohort(P, "c"), "buckets", buckets)
    for person in PEOPLE:
        packed_id = pack_id(person)
        entry = pack_entry(Entry(now=True, epoch=1))
        redis.hset(keys.bucket(P, "c", bucket_of(packed_id, buckets)), packed_id, entry)


def split(redis: Redis, buckets: int) -> None:
    """Split one bucket, as the apply lane does: at one moment."""
    source = splits_from(buckets)
    stored = cast("dict[bytes, bytes]", redis.hgetall(keys.bucket(P, "c", source)))
    step = redis.pipeline()
    for packed_id, entry in stored.items():
        if bucket_of(packed_id, buckets + 1) == buckets:
            step.hdel(keys.bucket(P, "c", source), packed_id)
            step.hset(keys.bucket(P, "c", buckets), packed_id, entry)
    step.hset(keys.cohort(P, "c"), "buckets", buckets + 1)
    step.execute()


@settings(
    max_examples=examples(40),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(buckets=st.integers(1, 9), splits=st.lists(st.integers(0, 59), max_size=30))
def test_everybody_is_read_once_while_buckets_are_split(
    redis_client: Redis, buckets: int, splits: list[int]
) -> None:
    fill(redis_client, buckets)
    read = []
    for place, person in enumerate(Membership(redis_client).members(P, "c")):
        read.append(person)
        for _ in range(splits.count(place)):
            split(redis_client, buckets)
            buckets += 1
    assert sorted(read) == sorted(PEOPLE)
