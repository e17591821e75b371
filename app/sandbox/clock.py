"""The sandbox's own clock: it can run ahead or faster, so that three days pass in a second."""

import threading
import time
from collections.abc import Callable
from typing import Protocol

POLL_S = 0.1  # real seconds; how soon a waiting thread notices that the clock was moved


class Clock(Protocol):
    """What the sandbox needs of a clock."""

    def now_s(self) -> float:
        """Return the sandbox's time in seconds since the epoch."""
        ...

    def wait(self, delay_s: float, stop: threading.Event) -> bool:
        """Wait for that many sandbox seconds; return whether `stop` was set meanwhile."""
        ...


class SandboxClock:
    """Real time, plus an offset, times a scale; thread-safe."""

    def __init__(
        self, offset_s: float = 0.0, scale: float = 1.0, real: Callable[[], float] = time.time
    ) -> None:
        self._real = real
        self._lock = threading.Lock()
        self._real_anchor_s = real()
        self._anchor_s = self._real_anchor_s + offset_s
        self._scale = scale

    @property
    def scale(self) -> float:
        """Sandbox seconds that pass in a real second."""
        return self._scale

    def offset_s(self) -> float:
        """Return how far the sandbox's time is ahead of real time, in seconds."""
        return self.now_s() - self._real()

    def now_s(self) -> float:
        """Return the sandbox's time in seconds since the epoch."""
        with self._lock:
            return self._now_s(self._real())

    def advance(self, delay_s: float) -> None:
        """Move the sandbox's time ahead at once; who waits wakes up if their time has come."""
        with self._lock:
            self._anchor_s += delay_s

    def set_scale(self, scale: float) -> None:
        """Let the sandbox's time run `scale` times as fast as real time, from now on."""
        if scale <= 0:
            raise ValueError("the scale must be above 0")
        with self._lock:
            real_s = self._real()
            self._anchor_s = self._now_s(real_s)
            self._real_anchor_s = real_s
            self._scale = scale

    def wait(self, delay_s: float, stop: threading.Event) -> bool:
        """Wait for that many sandbox seconds; return whether `stop` was set meanwhile."""
        until_s = self.now_s() + delay_s
        while not stop.is_set():
            left_s = (until_s - self.now_s()) / self._scale
            if left_s <= 0:
                return False
            stop.wait(min(left_s, POLL_S))
        return True

    def _now_s(self, real_s: float) -> float:
        return self._anchor_s + (real_s - self._real_anchor_s) * self._scale
