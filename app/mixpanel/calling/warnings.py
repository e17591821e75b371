"""Say a warning in the log once in a while, not with every call."""

import threading
import time
from collections.abc import Callable
from typing import Final

from structlog.stdlib import get_logger

log = get_logger(__name__)

EVERY_S: Final = 3600.0


class Warnings:
    """Warns of a project's deprecated credential, once an hour and process."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._said: dict[str, float] = {}
        self._lock = threading.Lock()

    def say(self, warning: str, project_id: str) -> None:
        """Log a warning, if there is one and it was not logged lately."""
        if not warning:
            return
        with self._lock:
            now_s = self._monotonic()
            last_s = self._said.get(project_id)
            if last_s is not None and now_s - last_s < EVERY_S:
                return
            self._said[project_id] = now_s
        log.warning("project_secret_retires", project_id=project_id, reason=warning)
