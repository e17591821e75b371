"""What audits make of counts and of differences."""

from dataclasses import replace
from typing import Any

import pytest

from app.cohorts.epochs.shrinking import Shrink
from app.cohorts.registry import Session
from app.mixpanel.query_answers import ListedCohort
from app.resync.audit.judging import (
    SAME_FOR_MS,
    WAITS_AT_MOST_MS,
    Check,
    is_settled,
    remaining,
    to_look_at,
)
from tests.unit.status.states import NOW_MS, cohort

CHECK = Check("7", ours=1_000, theirs=1_003, resync=1, state="same", looked_ms=NOW_MS)


def looked_at(theirs: int, check: Check | None = None, *, tolerance: float = 0.0, **changes: Any) -> bool:
    ours = cohort(members=1_000, **changes)
    listed = {"7": ListedCohort("7", "VIP", theirs)}
    checks = {"7": check} if check else {}
    return to_look_at([ours], listed, checks, tolerance, NOW_MS) == [ours]


def test_a_cohort_is_read_where_counts_differ_beyond_the_tolerance() -> None:
    assert not looked_at(1_000)
    assert looked_at(1_001)
    assert looked_at(999)
    assert not looked_at(1_010, tolerance=0.01)
    assert looked_at(1_011, tolerance=0.01)


def test_one_that_is_being_read_or_waits_for_its_sync_is_left_alone() -> None:
    assert not looked_at(1_003, replace(CHECK, state="reading"))
    assert not looked_at(1_003, replace(CHECK, state="settling"))


def test_a_difference_that_came_to_nobody_is_not_looked_into_again_for_a_day() -> None:
    assert not looked_at(1_003, CHECK)
    assert looked_at(1_004, CHECK), "another difference is another case"
    assert looked_at(1_003, replace(CHECK, looked_ms=NOW_MS - SAME_FOR_MS))


def test_a_drifted_one_is_read_again_though_the_counts_agree() -> None:
    assert looked_at(1_000, replace(CHECK, state="drift", since_ms=1))


def test_one_whose_removals_wait_for_a_person_is_not_read() -> None:
    held = Shrink(1, 600, 1_000, NOW_MS)
    assert not looked_at(400, held=held)
    assert looked_at(400, held=replace(held, refused=True))


def test_what_mixpanel_does_not_list_is_not_read_and_small_ones_come_first() -> None:
    ours = [cohort(str(number), members=number) for number in (30, 10, 20, 40)]
    listed = {str(number): ListedCohort(str(number), "", number + 1) for number in (30, 10, 20)}
    assert [each.id for each in to_look_at(ours, listed, {}, 0.0, NOW_MS)] == ["10", "20", "30"]


@pytest.mark.parametrize(
    ("state", "began_ms", "settled"),
    [("completed", NOW_MS + 1, True), ("completed", NOW_MS, False), ("open", NOW_MS + 1, False)],
)
def test_only_a_sync_that_began_after_the_reading_and_is_through_explains_it(
    state: str, began_ms: int, settled: bool
) -> None:
    session = Session("s", state, began_ms, began_ms, {})
    assert is_settled(CHECK, [session], NOW_MS + 2) is settled


def test_without_a_sync_it_is_waited_for_two_hours() -> None:
    assert not is_settled(CHECK, [], NOW_MS + WAITS_AT_MOST_MS - 1)
    assert is_settled(CHECK, [], NOW_MS + WAITS_AT_MOST_MS)


@pytest.mark.parametrize(
    ("found", "sample", "explained", "left"),
    [
        (3, ["a", "b", "c"], {"a"}, 2),
        (3, ["a", "b", "c"], {"a", "b", "c"}, 0),
        (1_000, ["a", "b", "c", "d"], {"a", "b", "c"}, 250),
        (1_000, ["a", "b", "c"], {"a", "b"}, 334),
        (5, [], set(), 5),
        (0, [], set(), 0),
    ],
)
def test_what_remains_is_told_from_the_sample(
    found: int, sample: list[str], explained: set[str], left: int
) -> None:
    assert remaining(found, sample, explained) == left
