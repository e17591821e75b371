"""Many projects with work all the time, and fewer workers than would keep up: everybody gets a turn."""

from collections import Counter

from redis import Redis

from app.lanes.lanes import Lanes
from app.lanes.outcome import Outcome
from app.lanes.queue import LaneQueue
from app.lanes.work import APPLY
from app.store import keys

PROJECTS = [str(number) for number in range(40)]
LEASE_S = 15.0
SLICE_S = 5.0
SWEEPS_A_SLICE = 2


class OneWorker:
    """Takes jobs out of RQ's own queue, one at a time, and lets each lane run for a slice.

    Time passes by moving every time that a lane remembers into the past.
    """

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self.queue = LaneQueue(redis)
        self.lanes = Lanes(redis, self.queue, LEASE_S)
        self.runs: Counter[str] = Counter()
        self.stale = 0

    def pop(self) -> bytes | None:
        job_id = self.redis.lpop(f"rq:queue:{APPLY.queue}")
        assert job_id is None or isinstance(job_id, bytes)
        return job_id

    def turn(self) -> None:
        job_id = self.pop()
        assert job_id is not None
        project_id, lane, wake = job_id.decode().split("-")
        held = self.lanes.start(project_id, lane, int(wake))
        for _ in range(SWEEPS_A_SLICE):
            self.sweep()
            self.time_passes(SLICE_S / SWEEPS_A_SLICE)
        if held is None:
            self.stale += 1
        else:
            self.runs[project_id] += 1
            self.lanes.finish(held, Outcome.more())

    def sweep(self) -> None:
        for project_id in PROJECTS:
            self.lanes.sweep(project_id, APPLY)

    def time_passes(self, seconds: float) -> None:
        for project_id in PROJECTS:
            lane = keys.lane(project_id, APPLY.name)
            for name in ("due", "lease"):
                if at := self.redis.hget(lane, name):
                    self.redis.hset(lane, name, int(int(at) - seconds * 1000))


def test_every_busy_project_runs_and_no_jobs_pile_up(redis_client: Redis) -> None:
    for project_id in PROJECTS:
        redis_client.xadd(keys.inbox(project_id), {"digest": "1", "body": "{}"})
    worker = OneWorker(redis_client)
    worker.sweep()
    for _ in range(3 * len(PROJECTS)):
        worker.turn()
    assert worker.runs == Counter(dict.fromkeys(PROJECTS, 3))
    assert worker.stale == 0
    assert worker.queue.depth(APPLY.queue) == len(PROJECTS)


def test_a_late_job_that_was_lost_is_queued_again(redis_client: Redis) -> None:
    redis_client.xadd(keys.inbox("1"), {"digest": "1", "body": "{}"})
    worker = OneWorker(redis_client)
    first = worker.lanes.sweep("1", APPLY)
    worker.time_passes(LEASE_S + 5)
    assert worker.lanes.sweep("1", APPLY) == 0
    worker.pop()
    assert worker.lanes.sweep("1", APPLY) == first + 1
    assert worker.pop() == f"1-apply-{first + 1}".encode()


def test_a_late_job_keeps_its_number_while_the_queue_cannot_be_asked(redis_client: Redis) -> None:
    redis_client.xadd(keys.inbox("1"), {"digest": "1", "body": "{}"})
    worker = OneWorker(redis_client)
    first = worker.lanes.sweep("1", APPLY)
    worker.time_passes(LEASE_S + 5)
    away = LaneQueue(Redis(port=1))
    assert Lanes(redis_client, away, LEASE_S).sweep("1", APPLY) == 0
    assert worker.lanes.queued_wake("1", APPLY.name) == first
