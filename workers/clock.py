"""The clock: wakes every lane that ought to run and that nobody is going to run.

A small loop of our own, because RQ's scheduler pickles what it enqueues. Several clocks may run; one at a
time ticks, the others stand by.
"""

import signal
import time
from threading import Event

from redis.exceptions import RedisError
from structlog.stdlib import get_logger

from app.lanes.work import LaneKind, lanes_of
from app.services import Services
from app.store import keys
from app.store.faults import is_fault, redis_word
from app.store.heartbeats import process_name
from app.store.lock import Lock
from workers.process import services
from workers.pulse import Pulse

log = get_logger(__name__)

LOCK_MS = 5_000
TIDY_EVERY_S = 60.0


class Clock:
    """Ticks while it has the lock."""

    def __init__(self, made: Services, name: str) -> None:
        self._made = made
        self._name = name
        self._lock = Lock(made.redis, keys.clock_lock(), LOCK_MS)
        self._tidied = 0.0

    def tick(self) -> None:
        """Sweep every lane of every project, if no other clock does.

        Raises:
            RedisError: Redis is away, or refuses everything for now.
        """
        if not self._lock.take(self._name):
            return
        for project in self._made.settings.projects.values():
            for kind in lanes_of(project):
                self._sweep(project.id, kind)
        if time.monotonic() - self._tidied > TIDY_EVERY_S:
            self._made.heartbeats.drop_stale()
            self._tidied = time.monotonic()

    def _sweep(self, project_id: str, kind: LaneKind) -> None:
        """Sweep one lane; what is wrong with it alone keeps no other from being swept."""
        try:
            self._made.lanes.sweep(project_id, kind)
        except RedisError as error:
            if not is_fault(error):
                raise
            log.error(  # noqa: TRY400 - the error's text may quote data
                "lane_not_swept",
                project_id=project_id,
                lane=kind.name,
                error=type(error).__name__,
                redis=redis_word(error),
            )


def main() -> int:
    """Tick until a signal says to stop."""
    made = services()
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    clock = Clock(made, process_name("clock"))
    with Pulse(made.heartbeats, "clock"):
        while not stop.wait(made.settings.clock_tick_s):
            try:
                clock.tick()
            except RedisError as error:
                log.warning("clock_waits_for_redis", error=type(error).__name__, redis=redis_word(error))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
