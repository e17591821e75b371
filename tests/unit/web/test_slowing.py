"""Delaying answers."""

import threading

from app.web.slowing import Slowing


def test_a_delay_is_waited_for_up_to_a_second() -> None:
    waited: list[float] = []
    slowing = Slowing(1, waited.append)
    assert [slowing.wait(delay_s) for delay_s in (0.0, -1.0, 0.25, 1.0, 60.0)] == [0.0, 0.0, 0.25, 1.0, 1.0]
    assert waited == [0.25, 1.0, 1.0]


def test_only_so_many_wait_at_once_and_the_others_go_on() -> None:
    asleep, wake = threading.Semaphore(0), threading.Event()

    def sleep(_: float) -> None:
        asleep.release()
        wake.wait(10)

    slowing = Slowing(2, sleep)
    threads = [threading.Thread(target=slowing.wait, args=(1.0,)) for _ in range(2)]
    for thread in threads:
        thread.start()
        assert asleep.acquire(timeout=10)
    assert slowing.wait(1.0) == 0.0
    wake.set()
    for thread in threads:
        thread.join()
    assert slowing.wait(1.0) == 1.0


def test_an_interrupted_delay_gives_its_place_back() -> None:
    def fail(_: float) -> None:
        raise InterruptedError

    slowing = Slowing(1, fail)
    for _ in range(3):
        try:
            slowing.wait(1.0)
        except InterruptedError:
            continue
        raise AssertionError("nothing was waited for")
