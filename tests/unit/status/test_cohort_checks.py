"""Drift and shrinking, as a person is told of them."""

from dataclasses import replace

from app.cohorts.epochs.shrinking import Shrink
from app.resync.audit.findings import AuditState
from app.resync.audit.judging import Check as Checked
from app.status.cohort_checks import TOLD_FOR_MS, odd_cohorts
from tests.unit.status.states import NOW_MS, cohort, project

DRIFT = Checked("7", 10, 12, 3, "drift", missing=3, surplus=1, since_ms=NOW_MS)
SHRINK = Shrink(4, goes=900, of=1_000, at_ms=NOW_MS - 1)


def found(**changes: object) -> list[str]:
    return [check.found for check in odd_cohorts(project(**changes), NOW_MS)]


def test_nothing_is_said_where_all_is_well() -> None:
    explained = replace(DRIFT, state="settling", since_ms=0)
    assert found() == found(audit=AuditState(checks={"7": explained})) == []


def test_drift_is_told_with_its_numbers() -> None:
    assert found(audit=AuditState(checks={"7": DRIFT})) == [
        "the copy differs from Mixpanel's: cohort 7 (3 missing, 1 too many)"
    ]


def test_an_audit_that_cannot_ask_says_why() -> None:
    assert found(audit=AuditState(reason="the service account was refused")) == [
        "the counts of cohorts could not be compared: the service account was refused"
    ]


def test_a_held_list_is_told_of_until_it_is_answered() -> None:
    assert found(cohorts=[cohort(held=SHRINK, shrunk=SHRINK)]) == [
        "a full list would remove many members, and is held: cohort 7 (900 of 1,000)"
    ]
    assert found(cohorts=[cohort(held=replace(SHRINK, refused=True), shrunk=SHRINK)]) == []


def test_a_list_that_has_removed_many_is_told_of_for_a_day() -> None:
    assert found(cohorts=[cohort(shrunk=SHRINK)]) == [
        "a full list removed many members within the last day: cohort 7 (900 of 1,000)"
    ]
    assert found(cohorts=[cohort(shrunk=replace(SHRINK, at_ms=NOW_MS - TOLD_FOR_MS))]) == []
