"""Noticing that the process is asked to end."""

import signal
from types import FrameType

from app.web.draining import Draining


def test_it_begins_with_the_signal_and_the_handler_before_it_still_runs() -> None:
    received: list[int] = []

    def handler(number: int, _: FrameType | None) -> None:
        received.append(number)

    before = signal.signal(signal.SIGUSR1, handler)
    try:
        draining = Draining()
        draining.follow(signal.SIGUSR1)
        seen = [draining.begun]
        signal.raise_signal(signal.SIGUSR1)
        seen.append(draining.begun)
        assert seen == [False, True]
        assert received == [signal.SIGUSR1]
    finally:
        signal.signal(signal.SIGUSR1, before)
