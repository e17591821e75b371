"""Fifty callers in two processes, one of which is killed: at no time are there more than Mixpanel allows.

Times are Redis's, when each slot was taken and given back: on a busy machine the server's would tell of the
machine.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import redis

from tests.integration.mixpanel.server import Reply, Server

ROOT = Path(__file__).resolve().parents[4]
CALLERS = 25
AT_ONCE, WINDOW, WINDOW_S, BURST, BURST_S, LEASE_S = 5, 40, 1.5, 3, 0.1, 0.4
SECOND = 1_000_000

CALL = f"""
import sys, threading, time
import redis
from app.mixpanel.calling.failures import CallFailed
from app.mixpanel.calling.options import AS_LONG_AS_IT_TAKES, NO_RETRIES, Options
from app.mixpanel.request_budget import Rates, Window
from tests.integration.mixpanel.calling.conftest import World, project_at

seen = redis.Redis.from_url(sys.argv[1])
world = World(seen, None, project_at(sys.argv[2]))
rates = Rates("query", (Window({WINDOW}, {WINDOW_S}), Window({BURST}, {BURST_S})), {AT_ONCE}, {LEASE_S})
api = world.api(rates=rates, sleep=time.sleep, timeout_s={LEASE_S})
budget = api._budgets._requests["query"]
begin, end = budget.begin, budget.end

def noted_begin(*args, **options):
    slot = begin(*args, **options)
    seen.hset("begun", slot.id, slot.begun_us)
    return slot

def noted_end(project_id, slot, *, reached=True):
    ended_us = end(project_id, slot, reached=True)  # what was counted stays counted
    seen.hset("ended", slot.id, ended_us)
    return ended_us

budget.begin, budget.end = noted_begin, noted_end
options = Options(retries=NO_RETRIES)

def work():
    while True:
        try:
            api.call(world.project, "query", "profiles", wait=AS_LONG_AS_IT_TAKES, options=options)
        except (CallFailed, redis.RedisError):  # a machine that stands still for seconds
            pass

for _ in range({CALLERS}):
    threading.Thread(target=work, daemon=True).start()
time.sleep(60)
"""


def most_in(times: list[int], length_s: float) -> int:
    length_us = round(length_s * SECOND)
    return max(sum(1 for at in times if first <= at < first + length_us) for first in times)


def overlaps(spans: list[tuple[int, int]]) -> int:
    return max(sum(1 for begun, ended in spans if begun <= at < ended) for at, _ in spans)


def test_fifty_callers_of_two_processes_never_exceed_the_budget_though_one_is_killed(
    redis_client: redis.Redis, redis_url: str
) -> None:
    def wait_for(requests: int) -> None:
        while redis_client.hlen("begun") < requests and time.monotonic() < deadline:
            time.sleep(0.02)

    deadline = time.monotonic() + 30
    with Server(lambda _request: Reply(200, b"{}", pause_s=0.08)) as server:
        server.peeks = False
        arguments = [sys.executable, "-c", CALL, redis_url, server.url]
        callers = [subprocess.Popen(arguments, cwd=ROOT) for _ in range(2)]
        try:
            wait_for(15)
            os.kill(callers[0].pid, signal.SIGKILL)
            wait_for(75)
        finally:
            for caller in callers:
                caller.kill()
                caller.wait()
        arrived = len(server.requests)
    begun = {slot: int(at) for slot, at in redis_client.hgetall("begun").items()}
    ended = {slot: int(at) for slot, at in redis_client.hgetall("ended").items()}
    # A slot is held until it is given back; one whose holder was killed, until its lease has ended.
    lease_us = round(LEASE_S * SECOND)
    held = [(at, min(ended.get(slot, at + lease_us), at + lease_us)) for slot, at in begun.items()]
    assert most_in([*begun.values()], WINDOW_S) <= WINDOW
    assert most_in([*begun.values()], BURST_S) <= BURST
    assert 2 <= overlaps(held) <= AT_ONCE
    assert len(begun) >= 75
    assert arrived >= 70
    assert arrived <= len(begun) + CALLERS  # nothing went out without a slot, but for what was killed between
