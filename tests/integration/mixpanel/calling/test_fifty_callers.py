"""Fifty callers in several processes, one of which is killed: Mixpanel never sees more than it allows."""

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import redis

from app.store import keys
from tests.integration.mixpanel.server import Reply, Request, Server

ROOT = Path(__file__).resolve().parents[4]
CALLERS = 25
AT_ONCE, WINDOW, WINDOW_S, BURST, BURST_S, LEASE_S = 5, 40, 1.5, 3, 0.1, 0.4

CALL = f"""
import sys, threading, time
import redis
from app.mixpanel.calling.failures import CallFailed
from app.mixpanel.calling.options import AS_LONG_AS_IT_TAKES, NO_RETRIES, Options
from app.mixpanel.request_budget import Rates, Window
from tests.integration.mixpanel.calling.conftest import World, project_at

world = World(redis.Redis.from_url(sys.argv[1]), None, project_at(sys.argv[2]))
rates = Rates("query", (Window({WINDOW}, {WINDOW_S}), Window({BURST}, {BURST_S})), {AT_ONCE}, {LEASE_S})
api = world.api(rates=rates, sleep=time.sleep, timeout_s={LEASE_S})
ONCE = Options(retries=NO_RETRIES)
def work():
    while True:
        try:
            api.call(world.project, "query", "profiles", wait=AS_LONG_AS_IT_TAKES, options=ONCE)
        except CallFailed:
            pass
for _ in range({CALLERS}):
    threading.Thread(target=work, daemon=True).start()
time.sleep(60)
"""


@dataclass
class Seen:
    lock: threading.Lock = field(default_factory=threading.Lock)
    spans: list[tuple[float, float]] = field(default_factory=list)

    def __call__(self, _request: Request) -> Reply:
        begun = time.monotonic()
        time.sleep(0.08)
        with self.lock:
            self.spans.append((begun, time.monotonic()))
        return Reply(200, b"{}")


def most_in(times: list[float], length_s: float) -> int:
    return max(sum(1 for at in times if first <= at < first + length_s) for first in times)


def overlaps(spans: list[tuple[float, float]]) -> int:
    return max(sum(1 for begun, ended in spans if begun <= at < ended) for at, _ in spans)


def test_fifty_callers_of_two_processes_never_exceed_the_budget_though_one_is_killed(
    redis_client: redis.Redis, redis_url: str
) -> None:
    seen = Seen()
    with Server(seen) as server:
        server.peeks = False
        arguments = [sys.executable, "-c", CALL, redis_url, server.url]
        callers = [subprocess.Popen(arguments, cwd=ROOT) for _ in range(2)]
        try:
            deadline = time.monotonic() + 20
            while len(seen.spans) < 10 and time.monotonic() < deadline:
                time.sleep(0.02)
            os.kill(callers[0].pid, signal.SIGKILL)
            before = len(seen.spans)
            while len(seen.spans) < before + 60 and time.monotonic() < deadline:
                time.sleep(0.02)
        finally:
            for caller in callers:
                caller.kill()
                caller.wait()
    begun = [one for one, _ in seen.spans]
    # We count when a request leaves, the server when it arrives: that is why real windows are taken longer.
    uneven_s = 0.05
    assert most_in(begun, WINDOW_S - uneven_s) <= WINDOW
    assert most_in(begun, BURST_S - uneven_s) <= BURST
    assert overlaps(seen.spans) <= AT_ONCE
    assert overlaps(seen.spans) >= 2  # the test is about something
    assert len(begun) >= 70
    assert redis_client.zcard(keys.request_window("2195193", "query", 0)) <= WINDOW
