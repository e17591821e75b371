"""The clock: wakes every lane that ought to run and that nobody is going to run.

A small loop of our own, because RQ's scheduler pickles what it enqueues. Several clocks may run; one at a
time ticks, the others stand by.
"""

import signal
import time
from collections.abc import Callable
from threading import Event

from redis.exceptions import RedisError
from structlog.stdlib import get_logger

from app.lanes.lanes import Unswept
from app.lanes.work import lanes_of
from app.services import Services
from app.store import keys
from app.store.faults import redis_word
from app.store.heartbeats import process_name
from app.store.lock import Lock
from workers.process import services
from workers.pulse import Pulse

log = get_logger(__name__)

LOCK_MS = 5_000
TIDY_EVERY_S = 60.0
TIDIED_A_TICK = 20
"""Projects; each costs some commands, and sweeping must not wait for them."""
TELL_EVERY_S = 60.0


class Clock:
    """Ticks while it has the lock."""

    def __init__(self, made: Services, name: str, now_s: Callable[[], float] = time.monotonic) -> None:
        self._made = made
        self._name = name
        self._now_s = now_s
        self._lock = Lock(made.redis, keys.clock_lock(), LOCK_MS)
        self._lanes = {project.id: lanes_of(project) for project in made.settings.projects.values()}
        self._tidied_s = -TIDY_EVERY_S
        self._to_tidy: list[str] = []
        self._told_s: dict[tuple[str, str], float] = {}

    def tick(self) -> None:
        """Sweep every lane of every project, if no other clock does.

        Raises:
            RedisError: Redis is away, or refuses everything for now.
        """
        if not self._lock.take(self._name):
            return
        for fault in self._made.lanes.sweep_all(self._lanes):
            self._tell(fault)
        if self._now_s() - self._tidied_s >= TIDY_EVERY_S:
            self._made.stored_format.check(self._made.redis)
            self._made.heartbeats.drop_stale()
            self._made.auditing.schedule(list(self._made.settings.projects.values()))
            self._to_tidy = list(self._lanes)
            self._tidied_s = self._now_s()
        some, self._to_tidy = self._to_tidy[:TIDIED_A_TICK], self._to_tidy[TIDIED_A_TICK:]
        self._made.ageing.tidy(some)
        for project_id in some:
            self._made.rule_changes.remember_first(self._made.settings.projects[project_id])

    def _tell(self, fault: Unswept) -> None:
        """Log what is wrong with a lane, once a minute: it is met at every tick."""
        lane = (fault.project_id, fault.name)
        if self._now_s() - self._told_s.get(lane, -TELL_EVERY_S) < TELL_EVERY_S:
            return
        self._told_s[lane] = self._now_s()
        log.error(
            "lane_not_swept",
            project_id=fault.project_id,
            lane=fault.name,
            error=type(fault.error).__name__,
            redis=redis_word(fault.error),
        )


def main() -> int:
    """Tick until a signal says to stop."""
    made = services()
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    clock = Clock(made, process_name("clock"))
    with Pulse(made.heartbeats, "clock"), made.flushing:
        while not stop.wait(made.settings.clock_tick_s):
            try:
                clock.tick()
            except RedisError as error:
                log.warning("clock_waits_for_redis", error=type(error).__name__, redis=redis_word(error))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
