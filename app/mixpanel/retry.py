"""How long to wait before the next try. The lane does the waiting: nothing here sleeps or loops.

Source: Mixpanel asks for exponential backoff from 2 s doubling to 60 s with a jitter of 1 to 5 s
(https://developer.mixpanel.com/reference/import-events#rate-limits).
"""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from random import Random

from app.mixpanel.errors import OverBudget, Retryable, Throttled

FIRST_S = 2.0
LONGEST_S = 60.0
JITTER_S = (1.0, 5.0)
LONGEST_RETRY_AFTER_S = 3600.0  # a broken clock or header must not park a project for days

_DOUBLINGS = 5  # 2 s * 2**5 is past the longest wait


def backoff_s(tries: int, random: Random) -> float:
    """Give the seconds to wait after `tries` failures in a row (1 and up)."""
    doublings = min(max(tries, 1) - 1, _DOUBLINGS)
    return min(FIRST_S * 2.0**doublings, LONGEST_S) + random.uniform(*JITTER_S)


def delay_s(error: Retryable | Throttled, tries: int, random: Random) -> float:
    """Give the seconds to wait after an error: never less than it asked for.

    Our own budget knows the exact time, so there is no backoff on top of it.
    """
    if isinstance(error, OverBudget):
        return error.retry_after_s
    return max(backoff_s(tries, random), error.retry_after_s)


def retry_after_s(header: str | None, now: datetime) -> float:
    """Read a `Retry-After` header (RFC 9110, 10.2.3): seconds, or an HTTP date.

    Args:
        header: Its value; None where the answer had none.
        now: The time, with its zone.

    Returns:
        Seconds from `now`, at most an hour; 0 where the header says nothing usable.
    """
    text = (header or "").strip()
    if not text:
        return 0.0
    wait_s = float(text) if text.isascii() and text.isdigit() else _seconds_until(text, now)
    return min(max(wait_s, 0.0), LONGEST_RETRY_AFTER_S)


def _seconds_until(http_date: str, now: datetime) -> float:
    try:
        then = parsedate_to_datetime(http_date)
    except ValueError:
        return 0.0
    if then.tzinfo is None:  # "-0000" stands for UTC of unknown origin
        then = then.replace(tzinfo=UTC)
    return (then - now).total_seconds()
