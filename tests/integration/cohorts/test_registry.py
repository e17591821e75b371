"""Cohorts as they are read for people and destinations: the records' facts, without the epoch machine."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis

from app.cohorts.epochs import Machine
from app.cohorts.record import CohortRecord, Rename
from app.cohorts.registry import Cohort, Cohorts
from app.store import keys
from tests.depth import examples
from tests.integration.cohorts.relay import P

numbers = st.integers(0, 2**40)
records = st.builds(
    CohortRecord,
    cohort_id=st.sampled_from("abcdef"),
    name=st.text(max_size=5),
    description=st.text(max_size=5),
    machine=st.builds(Machine, count=numbers, partial=st.sampled_from(("", "assumed", "proven"))),
    buckets=st.integers(1, 2**20),
    entries=numbers,
    rename=st.none() | st.builds(Rename, st.lists(st.text(max_size=3), min_size=1, max_size=3), numbers),
    suspect=st.sampled_from(("", "why")),
    quarantined=numbers,
    synced_ms=numbers,
)


def store(redis: Redis, *kept: CohortRecord) -> None:
    redis.flushall()
    for record in kept:
        redis.sadd(keys.cohorts(P), record.cohort_id)
        fields = [part for pair in record.to_hash().items() for part in pair]
        redis.hset(keys.cohort(P, record.cohort_id), items=fields)


def expected(record: CohortRecord) -> Cohort:
    return Cohort(
        id=record.cohort_id,
        name=record.name,
        description=record.description,
        members=record.machine.count,
        partial=record.machine.partial,
        suspect=record.suspect,
        synced_ms=record.synced_ms,
        renaming_from=tuple(record.old_names),
        quarantined=record.quarantined,
        buckets=record.buckets,
        tombstones=record.entries - record.machine.count,
    )


@settings(
    max_examples=examples(50), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(kept=st.lists(records, max_size=4, unique_by=lambda record: record.cohort_id))
def test_what_is_read_is_what_the_apply_lane_wrote(redis_client: Redis, kept: list[CohortRecord]) -> None:
    store(redis_client, *kept)
    cohorts = Cohorts(redis_client)
    by_name = sorted(map(expected, kept), key=lambda cohort: (cohort.name, cohort.id))
    assert cohorts.list(P) == by_name
    assert cohorts.names(P) == [(cohort.id, cohort.name) for cohort in by_name]
    assert [cohorts.get(P, cohort.id) for cohort in by_name] == by_name
    assert cohorts.get(P, "z") is None


def test_names_take_two_round_trips_and_no_machine_whatever_the_number_of_cohorts(
    redis_client: Redis,
) -> None:
    store(redis_client, *(CohortRecord(str(number), name=f"n{number}") for number in range(200)))
    for number in range(200):
        redis_client.hset(keys.cohort(P, str(number)), "machine", "x" * 10_000)
    redis_client.config_resetstat()
    assert len(Cohorts(redis_client).names(P)) == 200
    info: Any = redis_client.info("stats")
    assert info["total_reads_processed"] < 10
    assert info["total_net_output_bytes"] < 20_000


def test_a_cohort_that_is_listed_and_gone_is_left_out(redis_client: Redis) -> None:
    redis_client.sadd(keys.cohorts(P), "gone")
    assert Cohorts(redis_client).list(P) == []
    assert Cohorts(redis_client).names(P) == []
