"""What a person is told of webhook subscriptions."""

from app.status.checks import Check
from app.status.subscribed import Subscribers, Trouble, subscriber_checks

NOW_MS = 1_754_386_200_000
HOUR_MS = 3_600_000


def checks(**of: object) -> list[Check]:
    return list(subscriber_checks("1001", Subscribers(states={"active": 1}, **of), NOW_MS))  # type: ignore[arg-type]


def test_one_that_the_relay_has_paused_is_named_with_what_to_do() -> None:
    trouble = Trouble("abc", "paused", "14 tries in three days failed", "relay", NOW_MS)
    (check,) = checks(troubles=[trouble])
    assert (check.verdict, check.project_id) == ("warn", "1001")
    assert "abc was paused by the relay: 14 tries" in check.found
    assert "flask subscriptions show abc" in check.advice


def test_one_that_fails_is_told_of_after_an_hour() -> None:
    def failing(ms: int) -> list[Check]:
        return checks(troubles=[Trouble("abc", "failing", "answered 500", "", NOW_MS - ms)])

    assert failing(HOUR_MS - 1) == []
    (check,) = failing(2 * HOUR_MS)
    assert "has taken nothing for 2.0 hours: answered 500" in check.found


def test_one_that_will_soon_miss_entries_is_told_of() -> None:
    assert checks(furthest="abc", furthest_behind=49, keeps=100) == []
    (check,) = checks(furthest="abc", furthest_behind=50, keeps=100)
    assert "abc is 50 log entries behind, of 100" in check.found
