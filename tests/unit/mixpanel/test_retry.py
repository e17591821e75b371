from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.mixpanel.errors import OverBudget, Retryable, Throttled
from app.mixpanel.retry import backoff_s, delay_s, retry_after_s

NOW = datetime(2026, 8, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("tries", "least_s"), [(0, 2), (1, 2), (2, 4), (3, 8), (4, 16), (5, 32), (6, 60), (7, 60), (10**6, 60)]
)
def test_the_backoff_doubles_from_2_to_60_seconds_plus_1_to_5(tries: int, least_s: int) -> None:
    for seed in range(50):
        assert least_s + 1 <= backoff_s(tries, Random(seed)) <= least_s + 5


def test_two_lanes_do_not_come_back_at_the_same_moment() -> None:
    assert backoff_s(1, Random(1)) != backoff_s(1, Random(2))


@pytest.mark.parametrize("error", [Throttled(300.0), Retryable("503", retry_after_s=300.0)])
def test_a_longer_retry_after_wins_over_the_backoff(error: Throttled | Retryable) -> None:
    assert delay_s(error, 1, Random(0)) == 300.0


@pytest.mark.parametrize("error", [Throttled(), Throttled(0.5), Retryable("no answer in time")])
def test_a_short_or_missing_retry_after_leaves_the_backoff(error: Throttled | Retryable) -> None:
    assert delay_s(error, 3, Random(0)) == backoff_s(3, Random(0))


def test_our_own_budget_knows_the_time_exactly() -> None:
    assert delay_s(OverBudget(12.25), 9, Random(0)) == 12.25


@pytest.mark.parametrize(
    ("header", "wait_s"),
    [
        (None, 0.0),
        ("", 0.0),
        ("7", 7.0),
        (" 7 ", 7.0),
        ("0", 0.0),
        ("-3", 0.0),
        ("1.5", 0.0),
        ("soon", 0.0),
        ("²", 0.0),
        ("99999999", 3600.0),
        ("9" * 400, 3600.0),
        ("Sat, 01 Aug 2026 12:00:42 GMT", 42.0),
        ("Sat, 01 Aug 2026 12:00:42 -0000", 42.0),
        ("Sat, 01 Aug 2026 14:00:42 +0200", 42.0),
        ("Sat, 01 Aug 2026 11:00:00 GMT", 0.0),
        ("Sat, 01 Aug 2099 11:00:00 GMT", 3600.0),
        ("Sat, 99 Aug 2026 11:00:00 GMT", 0.0),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(header: str | None, wait_s: float) -> None:
    assert retry_after_s(header, NOW) == wait_s


@given(st.integers(min_value=0, max_value=3600))
def test_any_date_within_the_hour_is_honoured_to_the_second(seconds: int) -> None:
    header = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)
    assert retry_after_s(header, NOW) == seconds


@given(st.text())
def test_no_header_whatever_breaks_the_reading(header: str) -> None:
    assert 0.0 <= retry_after_s(header, NOW) <= 3600.0
