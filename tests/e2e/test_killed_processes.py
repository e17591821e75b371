"""Processes are killed (SIGKILL) in the middle of their work: nothing is lost, nothing comes out of order."""

import time
from random import Random

from tests.e2e.convergence import deliver, settle
from tests.e2e.process import Process
from tests.e2e.sandbox_client import SandboxClient
from tests.e2e.stack import Stack
from tests.e2e.traffic import Traffic
from tests.waiting import wait_until

LEASE_S = 1.5  # as the stack is configured
LATE_S = 3.0  # past the lease: the lane could be taken over before
ANSWER_S = 0.2  # requests take a while, so that most of the time some are under way


def slow_answers(sandbox: SandboxClient) -> None:
    sandbox.fault("delay", delay_s=ANSWER_S, count=None)


def kill_again_and_again(process: Process, times: int, moments: Random, within_s: float) -> None:
    """Kill and restart a process at moments that chance decides."""
    for _ in range(times):
        time.sleep(moments.uniform(0.0, within_s))
        process.restart(kill=True)


def start_until_it_applies(stack: Stack, sandbox: SandboxClient) -> None:
    """Start the apply worker and wait for the first change that comes out at the other end."""
    before = sandbox.counters()["engage_requests"]
    stack.apply.start()
    wait_until(lambda: sandbox.counters()["engage_requests"] > before, 20, "it applies", every_s=0.02)


def test_the_apply_worker_is_killed(stack: Stack, sandbox: SandboxClient) -> None:
    moments = Random("apply")
    settle(stack, sandbox)
    stack.apply.kill()
    for _ in range(6):
        sandbox.churn(0.3)
        sandbox.sync()
    for _ in range(2):  # in the middle of what waits
        start_until_it_applies(stack, sandbox)
        time.sleep(moments.uniform(0.0, 0.1))
        stack.apply.kill()
    stack.apply.start()
    with Traffic(sandbox) as traffic:
        kill_again_and_again(stack.apply, 2, moments, within_s=1.5)
    assert traffic.states == {"done"}
    settle(stack, sandbox)


def test_the_mixpanel_worker_is_killed(stack: Stack, sandbox: SandboxClient) -> None:
    moments = Random("mixpanel")
    with Traffic(sandbox) as traffic:
        for _ in range(2):  # in the middle of a request and whatever else is under way then
            sandbox.fault("delay", delay_s=0.5)
            wait_until(lambda: not sandbox.faults_left("api"), 30, "a request is under way", every_s=0.02)
            time.sleep(moments.uniform(0.0, 0.5))
            stack.mixpanel.restart(kill=True)
    assert traffic.states == {"done"}
    settle(stack, sandbox)


def test_what_a_killed_worker_had_sent_does_not_arrive_behind_what_follows(
    stack: Stack, sandbox: SandboxClient
) -> None:
    settle(stack, sandbox)
    cohort_id, name = next(iter(sandbox.cohorts().items()))
    sandbox.fault("delay", delay_s=LATE_S)
    sandbox.move(cohort_id, enter=["passer-by"])
    sandbox.sync(cohort_id)
    wait_until(lambda: not sandbox.faults_left("api"), 10, "the request is under way", every_s=0.02)
    arrived_s = time.monotonic() + LATE_S + 0.5
    stack.mixpanel.restart(kill=True)
    sandbox.move(cohort_id, leave=["passer-by"])
    deliver(stack, sandbox)
    time.sleep(max(0.0, arrived_s - time.monotonic()))
    settle(stack, sandbox)
    assert "passer-by" not in sandbox.carrying(name)


MOST_TURNS = 12


def test_workers_that_stood_still_change_nothing_when_they_go_on_after_others_took_over(
    stack: Stack, sandbox: SandboxClient
) -> None:
    moments = Random("frozen")
    settle(stack, sandbox)
    slow_answers(sandbox)
    others = [stack.another(process) for process in stack.workers]
    with Traffic(sandbox):
        for turn in range(MOST_TURNS):  # until it stood still with the lane in its hands
            time.sleep(moments.uniform(0.2, 0.6))
            stack.apply.freeze()
            if turn == 0:
                stack.mixpanel.freeze()
                for other in others:
                    other.start()
            time.sleep(LEASE_S + moments.uniform(0.7, 1.2))
            stack.apply.thaw()
            if turn and "lane_lost" in stack.apply.output():
                break
    stack.mixpanel.thaw()
    sandbox.clear_faults()
    settle(stack, sandbox)
    assert "lane_lost" in stack.apply.output()
    for other in others:
        other.stop()


def test_the_web_server_is_killed(stack: Stack, sandbox: SandboxClient) -> None:
    with Traffic(sandbox) as traffic:
        kill_again_and_again(stack.web, 3, Random("web"), within_s=1.5)
        stack.wait_for_web()
    assert traffic.states <= {"done", "failed"}
    settle(stack, sandbox)


def test_redis_is_killed(stack: Stack, sandbox: SandboxClient) -> None:
    moments = Random("redis")
    slow_answers(sandbox)
    with Traffic(sandbox) as traffic:
        for _ in range(3):
            time.sleep(moments.uniform(0.2, 1.5))
            stack.redis.kill()
            time.sleep(moments.uniform(0.0, 0.5))
            stack.redis.start()
    assert traffic.states <= {"done", "failed"}
    sandbox.clear_faults()
    settle(stack, sandbox)


def test_all_processes_are_killed_at_once(stack: Stack, sandbox: SandboxClient) -> None:
    slow_answers(sandbox)
    with Traffic(sandbox) as traffic:
        time.sleep(0.7)
        for process in stack.processes.values():
            process.kill()
        stack.redis.restart(kill=True)
        for process in stack.processes.values():
            process.start()
        stack.wait_for_web()
    assert traffic.states <= {"done", "failed"}
    sandbox.clear_faults()
    settle(stack, sandbox)
