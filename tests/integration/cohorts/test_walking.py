"""Going through a cohort's members page by page, while buckets are split and people come and go."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis

from app.cohorts.buckets import bucket_of
from app.cohorts.epochs import Entry
from app.cohorts.packing import pack_entry, pack_id
from app.cohorts.walking import Walk
from app.store import keys
from tests.depth import examples
from tests.integration.cohorts.relay import P
from tests.integration.cohorts.test_membership import PEOPLE, fill, split

OTHERS = [f"other-{number}" for number in range(20)]
changes = st.lists(
    st.tuples(st.integers(0, 30), st.sampled_from(["split", "enter", "exit"]), st.sampled_from(OTHERS)),
    max_size=40,
)


def put(redis: Redis, buckets: int, person: str, *, now: bool) -> None:
    packed_id = pack_id(person)
    entry = pack_entry(Entry(now=now, was=not now, epoch=1))
    redis.hset(keys.bucket(P, "c", bucket_of(packed_id, buckets)), packed_id, entry)


@settings(
    max_examples=examples(60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(buckets=st.integers(1, 9), limit=st.integers(1, 25), changes=changes)
def test_who_stays_is_found_once_and_nobody_twice_whatever_is_split_or_moves(
    redis_client: Redis, buckets: int, limit: int, changes: list[tuple[int, str, str]]
) -> None:
    fill(redis_client, buckets)
    redis_client.hset(keys.cohort(P, "c"), "members", len(PEOPLE))
    found: list[str] = []
    place: int | None = 0
    turn = 0
    while place is not None:
        step = Walk(redis_client).step(P, "c", place, limit)
        assert len(step.members) <= limit
        found += [member.distinct_id for member in step.members]
        place = step.next
        for at, change, person in changes:
            if at == turn and change == "split":
                split(redis_client, buckets)
                buckets += 1
            elif at == turn:
                put(redis_client, buckets, person, now=change == "enter")
        turn += 1
    assert len(found) == len(set(found))
    assert set(PEOPLE) <= set(found) <= {*PEOPLE, *OTHERS}


def test_a_cohort_that_has_shrunk_ends_its_steps_in_time(redis_client: Redis) -> None:
    redis_client.hset(keys.cohort(P, "c"), mapping={"buckets": 5_000, "members": 1})
    put(redis_client, 5_000, "person", now=True)
    steps = []
    place: int | None = 0
    while place is not None:
        steps.append(Walk(redis_client).step(P, "c", place, 10))
        place = steps[-1].next
    assert [member.distinct_id for step in steps for member in step.members] == ["person"]
    assert len(steps) == 3


def test_a_cohort_that_nobody_heard_of_is_empty(redis_client: Redis) -> None:
    step = Walk(redis_client).step(P, "nothing", 0, 10)
    assert (list(step.members), step.next) == ([], None)


def test_those_who_left_and_are_remembered_do_not_show(redis_client: Redis) -> None:
    fill(redis_client, 4)
    put(redis_client, 4, PEOPLE[0], now=False)
    found = {member.distinct_id for member in Walk(redis_client).all(P, "c")}
    assert found == set(PEOPLE[1:])
