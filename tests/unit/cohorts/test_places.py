"""An order of members that no split changes."""

from hypothesis import given
from hypothesis import strategies as st

from app.cohorts.buckets import END, bucket_at, bucket_of, place_of

ids = st.binary(min_size=1, max_size=20)
sizes = st.integers(1, 5_000)


@given(packed_id=ids, buckets=sizes)
def test_a_place_is_in_the_bucket_that_holds_its_member(packed_id: bytes, buckets: int) -> None:
    place = place_of(packed_id)
    number, behind = bucket_at(place, buckets)
    assert number == bucket_of(packed_id, buckets)
    assert 0 <= place < behind <= END


@given(buckets=sizes)
def test_the_buckets_follow_each_other_and_each_comes_once(buckets: int) -> None:
    place, numbers = 0, []
    while place < END:
        number, behind = bucket_at(place, buckets)
        assert behind > place
        assert bucket_at(behind - 1, buckets) == (number, behind)
        numbers.append(number)
        place = behind
    assert sorted(numbers) == list(range(buckets))
