"""Know that the process is about to end, so that no page is begun that might not be answered."""

import signal
import threading
from types import FrameType


class Draining:
    """Whether the process is shutting down."""

    def __init__(self) -> None:
        self._begun = threading.Event()

    @property
    def begun(self) -> bool:
        """True from the moment the process was asked to end."""
        return self._begun.is_set()

    def begin(self) -> None:
        """From now on, pages are answered with 503."""
        self._begun.set()

    def follow(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Begin when the signal arrives, before whoever handled it until now does.

        The server's configuration calls it in each worker, once gunicorn has set its own handlers.
        """
        handled_by = signal.getsignal(number)

        def begin(received: int, frame: FrameType | None) -> None:
            self.begin()
            if callable(handled_by):
                handled_by(received, frame)

        signal.signal(number, begin)
