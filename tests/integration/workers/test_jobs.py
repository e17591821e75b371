"""What becomes of a lane whose run ends in an error, and of lanes that RQ cannot tell of."""

from collections.abc import Callable, MutableMapping
from threading import Event
from typing import Any

import pytest
import structlog
from redis import Redis
from redis.exceptions import OutOfMemoryError, RedisError, ResponseError
from structlog.testing import capture_logs

from app.lanes.lanes import HeldLane
from app.lanes.outcome import Outcome
from app.lanes.state import read_lane
from app.lanes.work import APPLY
from app.services import Services
from app.store import keys
from tests.conftest import StartRedis
from tests.integration.workers.made import Runner, make_services
from workers import jobs
from workers.unqueued import run_queued_lanes

Run = Callable[..., list[MutableMapping[str, Any]]]


@pytest.fixture
def run(redis_client: Redis, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a lane as a worker does, and return what is logged."""

    def run(does: Callable[[HeldLane], Outcome]) -> list[MutableMapping[str, Any]]:
        made = make_services(redis_client, Runner(does), "1")
        monkeypatch.setattr(jobs, "services", lambda: made)
        redis_client.hset(keys.lane("1", "apply"), mapping={"state": "queued", "wake": 1, "due": 0})
        with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as logs:
            jobs.run_lane("1", "apply", 1)
        return logs

    return run


def failing(error: RedisError) -> Callable[[HeldLane], Outcome]:
    def does(_held: HeldLane) -> Outcome:
        raise error

    return does


def test_a_fault_of_a_command_is_tried_again_later_and_told(redis_client: Redis, run: Run) -> None:
    (told,) = run(failing(ResponseError("WRONGTYPE Operation against a key")))
    lane = read_lane(redis_client, "1", "apply")
    assert (lane.state, lane.reason) == ("waiting", "an unexpected fault; see the worker's log")
    assert (told["event"], told["project_id"], told["lane"]) == ("lane_failed", "1", "apply")


def test_a_redis_that_refuses_for_now_interrupts_the_run_and_the_log_says_why(
    redis_client: Redis, run: Run
) -> None:
    (told,) = run(failing(OutOfMemoryError("command not allowed ...", status_code="OOM")))
    assert read_lane(redis_client, "1", "apply").state == "running"
    assert told["event"] == "lane_interrupted"
    assert (told["redis"], told["reason"]) == ("OOM", "is out of memory")


def test_the_log_shows_the_fencing_token(run: Run) -> None:
    (told,) = run(failing(OutOfMemoryError("command not allowed ...", status_code="OOM")))
    assert told["fence"] == "1"
    assert "token" not in told


def test_lanes_run_without_their_jobs(start_redis: StartRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    with start_redis().client() as redis:
        runner = Runner()
        made: Services = make_services(redis, runner, "1", "2", "3")
        monkeypatch.setattr(jobs, "services", lambda: made)
        for project_id in ("1", "3"):
            redis.xadd(keys.inbox(project_id), {"digest": "1", "body": "{}"})
        redis.config_set("maxmemory", 1)
        for project_id in ("1", "2", "3"):
            made.lanes.sweep(project_id, APPLY)
        assert made.queue.depth("apply") == 0
        assert not run_queued_lanes(made, ["mixpanel"], Event())
        assert run_queued_lanes(made, ["apply"], Event())
        assert runner.ran == ["1", "3"]
        stop = Event()
        stop.set()
        assert not run_queued_lanes(made, ["apply"], stop)
