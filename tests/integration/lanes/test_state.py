"""How a lane stands, and since when."""

import time

from redis import Redis

from app.lanes.lanes import Lanes
from app.lanes.outcome import Outcome
from app.lanes.queue import LaneQueue
from app.lanes.state import LaneState, read_lane
from app.lanes.work import APPLY
from app.store import keys

P = "7"
LEASE_S = 15.0


class OneLane:
    """A lane with work, whose past the test can move further back."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self.lanes = Lanes(redis, LaneQueue(redis), LEASE_S)
        redis.xadd(keys.inbox(P), {"digest": "1", "body": "{}"})

    def run(self, outcome: Outcome) -> None:
        held = self.lanes.start(P, "apply", self.lanes.queued_wake(P, "apply"))
        assert held
        self.lanes.finish(held, outcome)

    def passes(self, seconds: float) -> None:
        for name in ("due", "lease", "since", "hindered"):
            if at := self.redis.hget(keys.lane(P, "apply"), name):
                self.redis.hset(keys.lane(P, "apply"), name, int(int(at) - seconds * 1000))

    def age_s(self) -> float:
        since_ms = self.state.since_ms
        assert since_ms
        return round(time.time() - since_ms / 1000)

    @property
    def state(self) -> LaneState:
        return read_lane(self.redis, P, "apply")


def test_a_lane_that_never_ran_is_idle_since_nobody_knows_when(redis_client: Redis) -> None:
    assert read_lane(redis_client, P, "apply") == LaneState("apply", "idle", "", None, None)


def test_each_state_has_its_beginning(redis_client: Redis) -> None:
    lane = OneLane(redis_client)
    lane.lanes.sweep(P, APPLY)
    lane.passes(3)
    assert (lane.state.state, lane.age_s()) == ("queued", 3)
    held = lane.lanes.start(P, "apply", 1)
    assert held
    lane.passes(4)
    assert (lane.state.state, lane.age_s()) == ("running", 4)
    redis_client.delete(keys.inbox(P))
    lane.lanes.finish(held, Outcome.drained())
    lane.passes(5)
    assert (lane.state.state, lane.age_s()) == ("idle", 5)


def test_a_lane_that_waits_again_and_again_does_so_since_the_first_time(redis_client: Redis) -> None:
    lane = OneLane(redis_client)
    lane.lanes.sweep(P, APPLY)
    for _ in range(3):
        lane.run(Outcome.later(1, "the server answered 503"))
        lane.passes(10)
        lane.lanes.sweep(P, APPLY)
    lane.run(Outcome.later(1, "the server answered 429"))
    assert (lane.state.state, lane.state.reason, lane.age_s()) == ("waiting", "the server answered 429", 30)
    lane.passes(10)
    lane.lanes.sweep(P, APPLY)
    lane.run(Outcome.more())
    lane.run(Outcome.later(1, "the server answered 503"))
    assert (lane.state.state, lane.age_s()) == ("waiting", 0)
