"""The lane that gives subscriptions their turns: it hands each to a thread, and waits for none of them."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Condition
from typing import Final

from app.lanes.lanes import HeldLane
from app.lanes.outcome import Outcome
from app.subscriptions.turns import Turn, Turns
from config.projects import Project

FAILING_SHARE: Final = 4
"""One thread in so many may be with receivers that failed the last time: most of these hang till the end."""
LOOKS_S: Final = 0.2


class Threads:
    """The threads of this process that send, for all projects.

    Args:
        most: how many there are.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._most_failing = max(1, most // FAILING_SHARE)
        self._busy = 0
        self._failing = 0
        self._changed = Condition()
        self._pool: ThreadPoolExecutor | None = None

    def free(self) -> tuple[int, int]:
        """Return how many threads are free, and how many of them may go to failing receivers."""
        with self._changed:
            free = self._most - self._busy
            return free, min(free, self._most_failing - self._failing)

    def wait(self, seconds: float) -> None:
        """Wait until a thread becomes free, or the time is over."""
        with self._changed:
            if self._busy >= self._most:
                self._changed.wait(seconds)

    def start(self, work: Callable[[], None], *, failing: bool) -> None:
        """Have a free thread do something."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._most, thread_name_prefix="webhooks")
        with self._changed:
            self._busy += 1
            self._failing += failing
        self._pool.submit(work).add_done_callback(lambda _done: self._ended(failing=failing))

    def join(self) -> None:
        """Wait for what is under way."""
        if self._pool:
            self._pool.shutdown(wait=True)
            self._pool = None

    def _ended(self, *, failing: bool) -> None:
        with self._changed:
            self._busy -= 1
            self._failing -= failing
            self._changed.notify()


class WebhookLane:
    """Gives turns. The lane only says who looks: a turn has a lease of its own, and outlives the run.

    Args:
        turns: whose turn it is.
        threads: that send.
        send: does a turn of a project.
        lease_s: how long a turn goes on without a word: longer than a request can be on its way.
    """

    def __init__(
        self, turns: Turns, threads: Threads, send: Callable[[str, Turn], None], lease_s: float
    ) -> None:
        self._turns = turns
        self._threads = threads
        self._send = send
        self._lease_s = lease_s

    def run(self, lane: HeldLane, project: Project, until: float) -> Outcome:
        """Give turns until nobody's has come, or the time (monotonic seconds) is up."""
        while time.monotonic() < until:
            lane.keep()
            free, failing = self._threads.free()
            if not free:
                self._threads.wait(LOOKS_S)
                continue
            turns = self._turns.take(project.id, free, failing, self._lease_s)
            for turn in turns:
                self._start(project.id, turn)
            if not turns:
                return Outcome.drained()
        return Outcome.more()

    def _start(self, project_id: str, turn: Turn) -> None:
        self._threads.start(lambda: self._send(project_id, turn), failing=turn.failing)
