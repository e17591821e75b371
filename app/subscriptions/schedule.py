"""When a message that was not taken is tried again: 13 times, over three days."""

import random
from collections.abc import Callable
from typing import Final

RETRIES_S: Final = (
    *(5, 30, 120, 600, 1_800),
    *(hours * 3_600 for hours in (1, 2, 5, 10, 14, 18, 21)),
)
"""Pauses before each further try. Their sum is 71.7 hours."""

JITTER: Final = 0.2


def retry_in_s(tries: int, asked_s: float = 0.0, chance: Callable[[], float] = random.random) -> float | None:
    """Return how many seconds to wait before the next try, or None when there is none left.

    Args:
        tries: how many there were.
        asked_s: what the receiver asked for with `Retry-After`.
        chance: a number from 0 to 1, for the jitter: many receivers behind one host that was away come back
            at different times.
    """
    if tries > len(RETRIES_S):
        return None
    pause = RETRIES_S[tries - 1] * (1 + JITTER * (2 * chance() - 1))
    return max(pause, asked_s)
