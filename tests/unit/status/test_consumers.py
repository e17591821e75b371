"""Consumers of the log: who is told of, and when."""

from dataclasses import replace

from app.cohorts.consumers import GroupStatus
from app.status.attention import project_checks
from tests.unit.status.states import NOW_MS, project

FINE = GroupStatus("crm", 5, 5, 12.0, 1, 0.5, 0.1, None)


def told(*groups: GroupStatus) -> list[str]:
    checks = project_checks(project(consumers=groups), NOW_MS)
    return [check.found for check in checks if check.verdict != "ok"]


def test_a_consumer_that_keeps_up_is_not_told() -> None:
    assert told(FINE, replace(FINE, name="search", share=0.49)) == []


def test_one_that_has_used_up_half_of_its_hold_is() -> None:
    assert told(replace(FINE, share=0.5, lag=50_000)) == [
        "crm is 50,000 log entries behind, the oldest 12 s old: 50% of what is kept for it"
    ]


def test_one_that_lost_entries_is_told_with_these() -> None:
    assert told(replace(FINE, name="c\x1brm", share=9.0, missing=(3, 900))) == [
        "c?rm fell too far behind, and misses log entries 3-900"
    ]
