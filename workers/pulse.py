"""A thread that tells that this process lives."""

from threading import Event, Thread
from typing import Self

from redis.exceptions import RedisError
from structlog.stdlib import get_logger

from app.store.heartbeats import Heartbeats

log = get_logger(__name__)

BEAT_S = 5.0


class Pulse:
    """Beats every few seconds until stopped; leaves no trace when stopped in good order."""

    def __init__(self, heartbeats: Heartbeats, role: str) -> None:
        self._heartbeats = heartbeats
        self._role = role
        self._stop = Event()
        self._thread = Thread(target=self._beat, name="pulse", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(BEAT_S)
        try:
            self._heartbeats.gone(self._role)
        except RedisError:
            log.debug("heartbeat_left")

    def _beat(self) -> None:
        while True:
            try:
                self._heartbeats.beat(self._role)
            except RedisError as error:
                log.debug("heartbeat_missed", error=type(error).__name__)
            if self._stop.wait(BEAT_S):
                return
