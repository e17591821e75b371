import threading

import pytest

from app.sandbox.clock import SandboxClock


class Moments:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


class CountedStop(threading.Event):
    """An event whose `wait` moves the moments on instead of sleeping."""

    def __init__(self, moments: Moments) -> None:
        super().__init__()
        self._moments = moments

    def wait(self, timeout: float | None = None) -> bool:
        self._moments.now_s += timeout or 0
        return self.is_set()


def test_the_clock_runs_ahead_by_its_offset_and_by_what_it_was_advanced() -> None:
    moments = Moments()
    clock = SandboxClock(offset_s=5, real=moments)
    clock.advance(10)
    moments.now_s += 1

    assert clock.now_s() == 1016
    assert clock.offset_s() == 15


def test_a_scale_counts_from_the_moment_it_is_set() -> None:
    moments = Moments()
    clock = SandboxClock(real=moments)
    moments.now_s += 10
    clock.set_scale(60)
    moments.now_s += 10

    assert clock.now_s() == 1000 + 10 + 600


def test_a_scale_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        SandboxClock().set_scale(0)


def test_waiting_takes_sandbox_time() -> None:
    moments = Moments()
    clock = SandboxClock(scale=10, real=moments)

    assert clock.wait(20, CountedStop(moments)) is False
    assert moments.now_s == pytest.approx(1002)


def test_waiting_ends_when_told_to() -> None:
    stop = threading.Event()
    stop.set()

    assert SandboxClock().wait(1000, stop) is True
