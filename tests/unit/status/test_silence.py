"""Cohorts that nothing is heard of any more."""

from app.cohorts.silence import Silence, silences
from app.status.attention import project_checks
from tests.unit.status.states import NOW_MS, cohort, project

AFTER_S = 3_900.0
OLD_MS = NOW_MS - 4_000_000
FRESH_MS = NOW_MS - 3_800_000


def silent(*cohorts: object, **given: object) -> list[Silence]:
    plain = {"now_ms": NOW_MS, "after_s": AFTER_S, "pages_wait": False, "muted": {}, "unlisted": ()}
    return silences(cohorts, **{**plain, **given})  # type: ignore[arg-type]  # keywords of many types


def test_a_cohort_is_silent_after_two_intervals() -> None:
    assert silent(cohort(syncs=2, heard_ms=FRESH_MS)) == []
    assert silent(cohort(syncs=2, heard_ms=OLD_MS)) == [Silence("7", OLD_MS)]


def test_one_that_was_synced_once_only_was_perhaps_meant_to_be() -> None:
    assert silent(cohort(syncs=1, heard_ms=OLD_MS)) == []


def test_nothing_is_silent_where_that_is_switched_off_or_nothing_is_known() -> None:
    assert silent(cohort(syncs=9, heard_ms=OLD_MS), after_s=0.0) == []
    assert silent() == []


def test_pages_that_wait_to_be_applied_are_no_silence() -> None:
    """Of a project that is behind, only the time up to the last applied page is known."""
    one, two = cohort("1", syncs=2, heard_ms=OLD_MS), cohort("2", syncs=2, heard_ms=OLD_MS + 1)
    assert silent(one, two, pages_wait=True) == []
    late = cohort("3", syncs=2, heard_ms=OLD_MS + 4_000_000)
    assert [each.cohort_id for each in silent(one, late, pages_wait=True)] == ["1"]


def test_a_mute_holds_for_one_silence() -> None:
    (muted,) = silent(cohort(syncs=2, heard_ms=OLD_MS), muted={"7": OLD_MS + 1})
    assert (muted.muted, muted.alarming) == (True, False)
    (again,) = silent(cohort(syncs=3, heard_ms=OLD_MS), muted={"7": OLD_MS - 1})
    assert again.alarming


def test_one_that_mixpanel_does_not_list_is_quiet() -> None:
    (gone,) = silent(cohort(syncs=2, heard_ms=OLD_MS), unlisted=("7",))
    assert not gone.alarming


def test_it_says_where_to_look_and_how_to_mute() -> None:
    state = project(silences=[Silence("7", OLD_MS), Silence("8", OLD_MS, muted=True)])
    (check,) = [check for check in project_checks(state, NOW_MS) if check.name == "silence"]
    assert check.verdict == "warn"
    assert check.found.endswith("for 66 minutes or more: cohort 7")
    assert "flask cohorts mute COHORT" in check.advice


def test_where_all_are_silent_the_way_in_is_what_to_look_at() -> None:
    state = project(silences=[Silence("7", OLD_MS)], cohorts=[cohort("7")])
    (check,) = [check for check in project_checks(state, NOW_MS) if check.name == "silence"]
    assert check.advice.startswith("all are silent: is the webhook's address reachable")
