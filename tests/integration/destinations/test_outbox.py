"""What services submit is taken in durably and in order, once, within bounds."""

import threading
from typing import cast

import pytest
from redis import Redis
from redis.exceptions import OutOfMemoryError

from app.destinations.outbox import KeyReused, OutboxDepth, Outboxes, OutboxFull, Request
from app.lanes.lanes import Lanes
from app.lanes.queue import LaneQueue
from app.lanes.state import read_lane
from app.store import keys
from tests.conftest import StartRedis

P = "2195193"


class Jobs:
    """Keeps which lanes were asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def enqueue(self, project_id: str, lane: str, wake: int) -> None:
        self.asked.append(f"{project_id} {lane} {wake}")


@pytest.fixture
def jobs() -> Jobs:
    return Jobs()


@pytest.fixture
def outboxes(redis_client: Redis, jobs: Jobs) -> Outboxes:
    return make(redis_client, jobs)


def make(redis: Redis, jobs: Jobs, cap_bytes: int = 1_000) -> Outboxes:
    return Outboxes(redis, Lanes(redis, cast("LaneQueue", jobs), lease_s=15.0), cap_bytes)


def records(*numbers: int) -> list[bytes]:
    return [b'{"n":%d}' % number for number in numbers]


def request(key: str = "k", digest: str = "d", lifetime_s: int = 60) -> Request:
    return Request(key, digest, b'{"accepted":1}', lifetime_s)


def test_submissions_are_read_in_order_as_they_were_handed_over(outboxes: Outboxes, jobs: Jobs) -> None:
    first = outboxes.submit(P, "events", records(1, 2))
    second = outboxes.submit(P, "events", records(3))
    assert (first.sequence, second.sequence) == (1, 2)
    found = outboxes.read(P, "events", after=0, max_records=100)
    assert [(each.sequence, each.records) for each in found] == [
        (1, tuple(records(1, 2))),
        (2, tuple(records(3))),
    ]
    assert outboxes.read(P, "events", after=1, max_records=100) == found[1:]
    assert outboxes.read(P, "profiles", after=0, max_records=100) == []
    assert jobs.asked == [f"{P} events-outbox 1"]  # a lane that is queued already is not asked for again


def test_a_window_ends_after_enough_records_and_is_read_again_to_the_same_end(outboxes: Outboxes) -> None:
    for number in range(10):
        outboxes.submit(P, "events", records(number, number))
    found = outboxes.read(P, "events", after=0, max_records=7)
    assert [each.sequence for each in found][:4] == [1, 2, 3, 4]
    end = found[-1].sequence
    assert outboxes.read(P, "events", after=0, max_records=1, last=end) == found


def test_what_waits_is_counted_until_it_is_dropped(redis_client: Redis, outboxes: Outboxes) -> None:
    assert outboxes.depth(P, "groups") == OutboxDepth(0, 0, None)
    outboxes.submit(P, "groups", records(1, 2))
    outboxes.submit(P, "groups", records(3))
    depth = outboxes.depth(P, "groups")
    assert (depth.records, depth.bytes) == (3, len(b'{"n":1}') * 3 + 1)
    assert depth.oldest_ms is not None
    assert abs(depth.oldest_ms / 1000 - redis_client.time()[0]) < 60
    for key, command, args in outboxes.dropping(P, "groups", outboxes.read(P, "groups", 0, 1)[:1]):
        redis_client.execute_command(command, key, *args)  # type: ignore[no-untyped-call]  # redis leaves it untyped
    assert outboxes.depth(P, "groups").records == 1
    assert [each.sequence for each in outboxes.read(P, "groups", 0, 100)] == [2]
    assert outboxes.end(P, "groups") == 2


def test_over_its_cap_an_outbox_takes_nothing_but_always_a_first_submission(
    redis_client: Redis, jobs: Jobs
) -> None:
    outboxes = make(redis_client, jobs, cap_bytes=20)
    outboxes.submit(P, "events", records(*range(10)))  # larger than the cap: would never fit
    with pytest.raises(OutboxFull) as full:
        outboxes.submit(P, "events", records(1), request=request())
    assert full.value.retry_after_s > 0
    assert len(outboxes.read(P, "events", 0, 100)) == 1
    outboxes.submit(P, "profiles", records(1))  # each outbox has a cap of its own
    assert not redis_client.exists(keys.outbox_request(P, "events", "k"))


def test_a_repeated_request_gets_the_first_answer_and_adds_nothing(
    redis_client: Redis, outboxes: Outboxes
) -> None:
    first = outboxes.submit(P, "events", records(1), request=request())
    again = outboxes.submit(P, "events", records(1), request=request())
    assert (first.sequence, first.replayed) == (1, None)
    assert (again.sequence, again.replayed) == (None, b'{"accepted":1}')
    assert outboxes.end(P, "events") == 1
    lifetime_s = redis_client.ttl(keys.outbox_request(P, "events", "k"))
    assert 50 < lifetime_s <= 60
    outboxes.submit(P, "profiles", records(1), request=request())  # a key belongs to one outbox
    assert outboxes.end(P, "profiles") == 1


def test_a_request_without_a_lifetime_is_looked_up_but_not_remembered(
    redis_client: Redis, outboxes: Outboxes
) -> None:
    look_up = request(lifetime_s=0)
    assert outboxes.submit(P, "events", records(1), request=look_up).sequence == 1
    assert not redis_client.exists(keys.outbox_request(P, "events", "k"))
    assert outboxes.submit(P, "events", records(2), request=request()).sequence == 2
    assert outboxes.submit(P, "events", records(2), request=look_up).replayed == b'{"accepted":1}'
    assert outboxes.end(P, "events") == 2


def test_a_key_that_stands_for_another_request_is_refused(outboxes: Outboxes) -> None:
    outboxes.submit(P, "events", records(1), request=request(digest="one"))
    with pytest.raises(KeyReused):
        outboxes.submit(P, "events", records(2), request=request(digest="other"))
    assert outboxes.end(P, "events") == 1


def test_of_requests_under_one_key_at_the_same_time_one_is_taken_in(outboxes: Outboxes) -> None:
    answers: list[bytes | None] = []
    gate = threading.Barrier(8)

    def submit() -> None:
        gate.wait()
        answers.append(outboxes.submit(P, "events", records(1), request=request()).replayed)

    threads = [threading.Thread(target=submit) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.count(None) == 1
    assert outboxes.end(P, "events") == 1


def test_a_full_redis_takes_no_submission_but_knows_its_repetitions(
    start_redis: StartRedis, jobs: Jobs
) -> None:
    with start_redis().client() as client:
        outboxes = make(client, jobs)
        outboxes.submit(P, "events", records(1), request=request())
        client.config_set("maxmemory", 1)
        with pytest.raises(OutOfMemoryError):
            outboxes.submit(P, "events", records(2))
        assert outboxes.submit(P, "events", records(1), request=request()).replayed
        client.config_set("maxmemory", 0)
        assert outboxes.end(P, "events") == 1


def test_a_submission_wakes_the_lane_of_its_outbox(redis_client: Redis, outboxes: Outboxes) -> None:
    outboxes.submit(P, "identity", records(1))
    assert read_lane(redis_client, P, "identity-outbox").state == "queued"
    assert read_lane(redis_client, P, "events-outbox").state == "idle"


def test_a_large_submission_becomes_entries_that_redis_handles_quickly(
    redis_client: Redis, jobs: Jobs
) -> None:
    outboxes = make(redis_client, jobs, cap_bytes=100_000_000)
    large = [b'{"n":%d,"p":"%b"}' % (number, b"x" * 2_500) for number in range(2_000)]
    assert outboxes.submit(P, "events", large, request=request()).sequence == 6
    found = outboxes.read(P, "events", after=0, max_records=10_000)
    assert [record for each in found for record in each.records] == large
    assert max(each.size for each in found) <= 1_000_000
    depth = outboxes.depth(P, "events")
    assert (depth.records, depth.bytes) == (2_000, sum(each.size for each in found))
    assert outboxes.submit(P, "events", large, request=request()).replayed == b'{"accepted":1}'


def test_an_entry_has_500_records_at_the_most_and_at_least_one(redis_client: Redis, jobs: Jobs) -> None:
    outboxes = make(redis_client, jobs, cap_bytes=100_000_000)
    outboxes.submit(P, "events", [b"{}"] * 1_001)
    outboxes.submit(P, "events", [b"x" * 1_200_000, b"{}"])
    found = outboxes.read(P, "events", after=0, max_records=10_000)
    assert [len(each.records) for each in found] == [500, 500, 1, 1, 1]


def test_of_a_large_submission_that_finds_no_room_nothing_is_kept(redis_client: Redis, jobs: Jobs) -> None:
    outboxes = make(redis_client, jobs, cap_bytes=5_000_000)
    outboxes.submit(P, "events", records(1))
    with pytest.raises(OutboxFull):
        outboxes.submit(P, "events", [b"x" * 4_900] * 1_100, request=request())
    assert [each.sequence for each in outboxes.read(P, "events", 0, 100)] == [1]
