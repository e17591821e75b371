"""Slow the sender down gently: an answer that comes later makes Mixpanel send the next page later.

A delayed answer holds a thread. So only a few may be delayed at once in a process; the others are answered at
once, and the inbox's hard cap is what holds then.
"""

import threading
from collections.abc import Callable
from typing import Final

MAX_DELAY_S: Final = 1.0


class Slowing:
    """Delays answers.

    Args:
        max_at_once: How many threads may wait at the same time.
        sleep: Waits for a number of seconds.
    """

    def __init__(self, max_at_once: int, sleep: Callable[[float], object]) -> None:
        self._places = threading.BoundedSemaphore(max_at_once)
        self._sleep = sleep

    def wait(self, delay_s: float) -> float:
        """Wait up to a second, or not at all when too many wait already; return the seconds waited for."""
        if delay_s <= 0 or not self._places.acquire(blocking=False):
            return 0.0
        try:
            waited_s = min(delay_s, MAX_DELAY_S)
            self._sleep(waited_s)
            return waited_s
        finally:
            self._places.release()
