"""Wait for something that other processes bring about."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(
    condition: Callable[[], T], timeout_s: float = 30.0, what: str = "", every_s: float = 0.1
) -> T:
    """Ask again and again until the answer is true, and return it.

    Raises:
        AssertionError: it was not within the time; `what` says what was waited for.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(
                f"not within {timeout_s:.0f} s: {what or condition}; last answer: {answer!r}"
            )
        time.sleep(every_s)
