"""Bring what a process has counted to Redis, once a second and at its end."""

from collections.abc import Mapping
from threading import Event, Lock, Thread
from typing import Final, Self
from uuid import uuid4

from redis import RedisError
from structlog.stdlib import get_logger

from app.metrics.recorder import Recorder, Series
from app.metrics.stored import StoredMetrics

log = get_logger(__name__)

EVERY_S: Final = 1.0
JOIN_S: Final = 6.0  # a command to Redis takes 5 s at the most


class Flushing:
    """Flush in a thread of its own, which sleeps while there is nothing to flush.

    What Redis does not take is kept, and tried again with what comes. A process that is killed loses what it
    had not flushed: what it counted within about a second.

    Args:
        recorder: what to flush.
        stored: where to.
    """

    def __init__(self, recorder: Recorder, stored: StoredMetrics) -> None:
        self._recorder = recorder
        self._stored = stored
        self._process = uuid4().hex
        self._number = 0
        self._under_way: Mapping[Series, float] = {}
        self._lock = Lock()
        self._stop = Event()
        self._thread: Thread | None = None

    def flush(self) -> bool:
        """Flush what there is; say whether Redis has taken it.

        An addition whose answer did not come is sent again as it was, under its number, before anything new.
        """
        with self._lock:
            try:
                while self._next():
                    self._stored.add(self._process, self._number, self._under_way)
                    self._under_way = {}
            except RedisError as error:
                log.debug("metrics_not_flushed", error=type(error).__name__)
                self._recorder.some.set()
                return False
        return True

    def start(self) -> None:
        """Begin to flush; call `stop` before the process ends."""
        self._thread = Thread(target=self._run, name="metrics", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Flush a last time."""
        self._stop.set()
        self._recorder.some.set()
        if self._thread:
            self._thread.join(JOIN_S)
        self.flush()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _next(self) -> bool:
        """See that something is under way; False when there is nothing."""
        if not self._under_way:
            self._under_way = self._recorder.take()
            self._number += 1
        return bool(self._under_way)

    def _run(self) -> None:
        while True:
            self._recorder.some.wait()
            if self._stop.wait(EVERY_S):
                return
            self.flush()
