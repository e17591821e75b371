"""Redis stays, but connections to it break, and processes are told to stop while it is away."""

import time

from tests.e2e.convergence import settle
from tests.e2e.sandbox_client import SandboxClient
from tests.e2e.stack import Stack
from tests.e2e.traffic import Traffic

PAUSE_MS = 1_000


def test_connections_break_while_commands_wait_for_their_answers(
    stack: Stack, sandbox: SandboxClient
) -> None:
    sandbox.fault("delay", delay_s=0.2, count=None)
    with Traffic(sandbox) as traffic, stack.redis.client() as client:
        for breaks in (1, 2, 2, 3):
            time.sleep(0.5)
            client.execute_command("CLIENT", "PAUSE", str(PAUSE_MS), "WRITE")  # commands wait, and then ...
            for _ in range(breaks):
                time.sleep(0.3)
                client.client_kill_filter(_type="normal", skipme=True)
    assert traffic.states <= {"done", "failed"}
    assert all(process.running for process in stack.processes.values())
    sandbox.clear_faults()
    settle(stack, sandbox)


def test_a_worker_that_is_told_to_stop_while_redis_is_away_stops(
    stack: Stack, sandbox: SandboxClient
) -> None:
    settle(stack, sandbox)
    stack.redis.kill()
    time.sleep(0.5)
    for process in (*stack.workers, stack.clock):
        assert process.stop() == 0, process.tail()
    stack.redis.start()
    for process in (*stack.workers, stack.clock):
        process.start()
    sandbox.churn(0.1)
    settle(stack, sandbox)
