"""RQ's worker, but for what it does while Redis is away: it must neither end nor leave threads behind."""

from threading import Event
from types import FrameType
from typing import Any

from rq import SimpleWorker

WORKER_TTL_S = 20
"""RQ listens 15 s less than this before it looks whether its own writes are taken. Its default is 7 minutes,
during which a worker would not notice that a full Redis takes no jobs for it."""


class QueueWorker(SimpleWorker):
    """Runs jobs in its own process.

    RQ's `work` returns alike whether a signal came or a command to Redis failed; `stop` tells which.

    Args:
        names: of the queues.
        stop: set once a signal says to stop.
        options: RQ's own.
    """

    max_connection_wait_time = 4.0
    """Seconds between looks at whether Redis is back; RQ's own waits grow to a minute."""

    def __init__(self, names: list[str], stop: Event, **options: Any) -> None:
        self._stop = stop
        super().__init__(names, worker_ttl=WORKER_TTL_S, **options)

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """Note that a signal said to stop, and stop after the job at hand."""
        self._stop.set()
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]  # RQ leaves it untyped

    def teardown(self) -> None:
        """Sign off, and end the thread that listens for commands whether or not Redis can be reached."""
        try:
            super().teardown()  # type: ignore[no-untyped-call]  # RQ leaves it untyped
        finally:
            thread: Any = self.pubsub_thread  # RQ annotates it as None
            if thread is not None:
                thread.stop()
