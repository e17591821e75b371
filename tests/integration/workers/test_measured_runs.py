"""What is counted of lanes' runs."""

import pytest
from redis import Redis
from redis.exceptions import OutOfMemoryError, ResponseError

from app.lanes.lanes import HeldLane, LaneLost
from app.lanes.outcome import Outcome
from app.metrics.families import LANE_RUNS, LANE_SECONDS, LANE_TAKEOVERS
from app.store import keys
from tests.integration.workers.made import Runner, make_services
from workers import jobs

ENDS: dict[str, Outcome | Exception] = {
    "drained": Outcome.drained(),
    "more": Outcome.more(),
    "later": Outcome.later(1.0, "a reason"),
    "failed": ResponseError("WRONGTYPE Operation against a key"),
    "interrupted": OutOfMemoryError("command not allowed ...", status_code="OOM"),
    "lost": LaneLost("apply"),
}


@pytest.mark.parametrize("ended", ENDS)
@pytest.mark.parametrize("vanished", [False, True])
def test_each_run_is_counted_by_its_end_and_whether_the_holder_before_had_vanished(
    redis_client: Redis, monkeypatch: pytest.MonkeyPatch, ended: str, vanished: bool
) -> None:
    def does(_held: HeldLane) -> Outcome:
        end = ENDS[ended]
        if isinstance(end, Exception):
            raise end
        return end

    made = make_services(redis_client, Runner(does), "1")
    monkeypatch.setattr(jobs, "services", lambda: made)
    redis_client.hset(
        keys.lane("1", "apply"), mapping={"state": "queued", "wake": 1, "due": 0, "lost": int(vanished)}
    )
    for wake in (1, 7):  # the second is out of date, and no run
        jobs.run_lane("1", "apply", wake)
    taken = made.recorder.take()
    runs = {labels: number for (name, labels, _), number in taken.items() if name == LANE_RUNS.name}
    assert runs == {("1", "apply", ended): 1}
    assert taken.get((LANE_TAKEOVERS.name, ("1", "apply"), ""), 0) == vanished
    assert taken[LANE_SECONDS.name, ("apply",), "sum"] >= 0
