"""Linear hashing: one bucket more moves the members of one bucket only, and nobody is lost."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from app.cohorts.buckets import LOAD, bucket_of, splits_from, wanted

PEOPLE = [f"person-{number}".encode() for number in range(20_000)]


@given(st.binary(min_size=1, max_size=40), st.integers(1, 200_000))
def test_every_member_has_a_bucket(packed_id: bytes, buckets: int) -> None:
    assert 0 <= bucket_of(packed_id, buckets) < buckets


@given(st.binary(min_size=1, max_size=40), st.integers(1, 200_000))
def test_one_bucket_more_takes_members_from_one_bucket_only(packed_id: bytes, buckets: int) -> None:
    before, after = bucket_of(packed_id, buckets), bucket_of(packed_id, buckets + 1)
    assert after == before or (after == buckets and before == splits_from(buckets))


def test_buckets_are_split_in_turn_from_the_first_to_the_last_of_a_level() -> None:
    assert [splits_from(buckets) for buckets in range(1, 9)] == [0, 0, 1, 0, 1, 2, 3, 0]


def test_no_bucket_holds_much_more_than_twice_the_load() -> None:
    for people in (100, 1_000, 12_000, 17_000, 20_000):
        sizes = Counter(bucket_of(each, wanted(people)) for each in PEOPLE[:people])
        assert max(sizes.values()) < 2.6 * LOAD
        assert len(sizes) == wanted(people)


@given(st.integers(0, 10**8))
def test_there_are_as_few_buckets_as_the_load_allows(entries: int) -> None:
    buckets = wanted(entries)
    assert buckets * LOAD >= entries
    assert buckets == 1 or (buckets - 1) * LOAD < entries
