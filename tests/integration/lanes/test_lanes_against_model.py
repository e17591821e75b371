"""The lane scripts against a plain-Python model of a lane, with time in the test's hands.

Time passes by moving every time that a lane remembers into the past. All spans are chosen so that no sum of
them comes within seconds of another: what the scripts' own clock adds meanwhile changes no outcome.
"""

from dataclasses import dataclass, field
from typing import cast

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from redis import Redis

from app.lanes.lanes import HeldLane, LaneLost, Lanes
from app.lanes.outcome import Outcome
from app.lanes.queue import LaneQueue
from app.lanes.work import APPLY, PROFILES
from app.store import keys, scripts
from tests.depth import examples

P = "7"
LEASE_S = 30.0
STEP_S = 20.0
DELAYS_S = (0.0, 10.0, 50.0)
INFLIGHT_S = (0.0, 10.0, 50.0)


@dataclass
class ModelLane:
    """What a lane is, in Python. `now` counts seconds."""

    state: str = "idle"
    now: float = 0.0
    wake: int = 0
    token: int = 0
    due: float = 0.0
    lease: float = 0.0
    inflight: float = 0.0
    lost: bool = False
    work: bool = False

    def accept(self) -> int:
        self.work = True
        return self.queue() if self.state == "idle" else 0

    def queue(self) -> int:
        self.wake += 1
        self.state, self.due = "queued", self.now
        return self.wake

    def start(self, wake: int) -> tuple[int, bool]:
        if self.state != "queued" or wake != self.wake:
            return -1, False
        if self.inflight > self.now:
            self.state, self.due = "waiting", self.inflight
            return 0, False
        self.token += 1
        self.state, self.lease, self.inflight = "running", self.now + LEASE_S, 0.0
        lost, self.lost = self.lost, False
        return self.token, lost

    def holds(self, token: int) -> bool:
        return self.state == "running" and token == self.token

    def renew(self, token: int, inflight_s: float) -> bool:
        if not self.holds(token):
            return False
        self.lease = self.now + LEASE_S
        if inflight_s:
            self.inflight = self.now + inflight_s
        return True

    def finish(self, token: int, outcome: Outcome) -> int:
        if not self.holds(token):
            return 0
        self.inflight = 0.0
        if outcome.kind == "later":
            self.state, self.due = "waiting", self.now + outcome.delay_s
            return 0
        if outcome.kind == "more" or self.work:
            return self.queue()
        self.state = "idle"
        return 0

    def sweep(self, *, job_waits: bool) -> int:
        ripe = {
            "idle": self.work,
            "waiting": self.due <= self.now,
            "queued": self.due + LEASE_S <= self.now and not job_waits,
            "running": self.lease <= self.now,
        }[self.state]
        if ripe and self.state == "running":
            self.lost = True
        return self.queue() if ripe else 0


@dataclass
class Jobs:
    """A queue whose jobs stay in it until the test loses them."""

    wakes: list[int] = field(default_factory=list)
    waiting: set[int] = field(default_factory=set)

    def enqueue(self, _project_id: str, _lane: str, wake: int) -> None:
        self.wakes.append(wake)
        self.waiting.add(wake)

    def holds(self, _project_id: str, _lane: str, wake: int) -> bool:
        return wake in self.waiting

    def taken(self) -> int:
        """Return the wake number given since the last look, 0 for none."""
        wake = self.wakes[-1] if self.wakes else 0
        self.wakes.clear()
        return wake


class LaneMachine(RuleBasedStateMachine):
    """Workers that start, renew, vanish and finish, jobs that get lost or come twice, and a sweeper."""

    redis: Redis

    @initialize()
    def begin(self) -> None:
        self.redis.flushall()
        self.jobs = Jobs()
        self.lanes = Lanes(self.redis, cast("LaneQueue", self.jobs), LEASE_S)
        self.model = ModelLane()
        self.given = [1]
        self.held: list[HeldLane] = []
        self.accept_script = scripts.load(self.redis, "cohorts/scripts/accept.lua")
        self.pages = 0

    def gave(self, wake: int) -> None:
        assert self.jobs.taken() == wake
        if wake:
            self.given.append(wake)

    @rule()
    def accept(self) -> None:
        self.pages += 1
        of = (keys.inbox, keys.inbox_meta, keys.inbox_waiting)
        names = [*(name(P) for name in of), keys.lane(P, "apply")]
        _, _, wake, _ = cast("list[int]", self.accept_script(keys=names, args=[self.pages, "body", 4, 1000]))
        self.lanes.enqueue(P, "apply", wake)
        self.gave(self.model.accept())

    @rule(data=st.data())
    def start(self, data: st.DataObject) -> None:
        wake = data.draw(st.sampled_from([self.model.wake] * 5 + self.given))
        held = self.lanes.start(P, "apply", wake)
        token, lost = self.model.start(wake)
        self.jobs.waiting.discard(wake)
        assert (held is not None) == (token > 0)
        if held:
            assert (held.token, held.lost) == (str(token), lost)
            self.held.append(held)

    @rule(data=st.data(), inflight_s=st.sampled_from(INFLIGHT_S))
    def renew(self, data: st.DataObject, inflight_s: float) -> None:
        if self.held:
            held = data.draw(st.sampled_from(self.held[-1:] * 5 + self.held))
            if self.model.renew(int(held.token), inflight_s):
                held.renew(inflight_s)
            else:
                with pytest.raises(LaneLost):
                    held.renew(inflight_s)

    @rule(
        data=st.data(), kind=st.sampled_from(("drained", "more", "later")), delay_s=st.sampled_from(DELAYS_S)
    )
    def finish(self, data: st.DataObject, kind: str, delay_s: float) -> None:
        if self.held:
            held = data.draw(st.sampled_from(self.held[-1:] * 5 + self.held))
            outcome = {"drained": Outcome.drained(), "more": Outcome.more()}.get(
                kind, Outcome.later(delay_s, "x")
            )
            self.lanes.finish(held, outcome)
            self.gave(self.model.finish(int(held.token), outcome))

    @rule(data=st.data())
    def apply_all(self, data: st.DataObject) -> None:
        if self.held and self.model.holds(int(self.held[-1].token)):
            self.redis.delete(keys.inbox(P))
            self.model.work = False

    @rule(times=st.integers(1, 3))
    def time_passes(self, times: int) -> None:
        self.model.now += times * STEP_S
        for name in ("due", "lease", "inflight"):
            at = cast("bytes | None", self.redis.hget(keys.lane(P, "apply"), name))
            if at and at != b"0":
                self.redis.hset(keys.lane(P, "apply"), name, int(int(at) - times * STEP_S * 1000))

    @rule(together=st.booleans())
    def sweep(self, *, together: bool) -> None:
        expected = self.model.sweep(job_waits=self.model.wake in self.jobs.waiting)
        if together:
            assert self.lanes.sweep_all({"6": [APPLY], P: [APPLY, PROFILES]}) == []
        else:
            assert self.lanes.sweep(P, APPLY) == expected
        self.gave(expected)

    @rule()
    def jobs_are_lost(self) -> None:
        self.jobs.waiting.clear()

    @rule()
    def every_job_is_lost_and_every_worker_dies(self) -> None:
        """Whatever the lane is in: once time has passed, the sweeper finds work that nobody is on."""
        if self.model.work or self.model.state != "idle":
            self.jobs_are_lost()
            self.time_passes(3)
            self.time_passes(3)
            self.sweep(together=True)
            assert self.model.state == "queued"
            self.start_newest()

    def start_newest(self) -> None:
        held = self.lanes.start(P, "apply", self.model.wake)
        token, lost = self.model.start(self.model.wake)
        self.jobs.waiting.discard(self.model.wake)
        assert held is not None
        assert (held.token, held.lost) == (str(token), lost)
        self.held.append(held)

    def teardown(self) -> None:
        if hasattr(self, "model"):
            holding = [held for held in self.held if self._still_writes(held)]
            assert [int(held.token) for held in holding] == [self.model.token] * (
                self.model.state == "running"
            )

    def _still_writes(self, held: HeldLane) -> bool:
        try:
            held.renew()
        except LaneLost:
            return False
        return True


def test_lanes_behave_as_their_model(redis_client: Redis) -> None:
    LaneMachine.redis = redis_client
    run_state_machine_as_test(
        LaneMachine,
        settings=settings(
            max_examples=examples(60),
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
