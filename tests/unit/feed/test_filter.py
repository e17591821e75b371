import pytest

from app.feed import filter as filters
from app.feed.filter import EventFilter, InvalidFilter
from app.feed.types import ENTERED, ERASED, EXITED, GAP, TYPES, UPDATED
from tests.unit.destinations.entries import entry


def test_types_may_be_patterns_and_may_leave_the_prefix_out() -> None:
    chosen = EventFilter.parse(types=["members.e*", "cohort-relay.members.updated"])
    assert chosen.types == {ENTERED, EXITED, UPDATED}


def test_no_types_are_all_types() -> None:
    assert all(EventFilter.parse().takes_type(name) for name in TYPES)


def test_a_type_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(InvalidFilter, match=r"there are: .*members\.entered"):
        EventFilter.parse(types=["members.eaten"])


def test_a_gap_is_always_wanted() -> None:
    assert EventFilter.parse(types=["members.entered"]).takes_type(GAP)


def test_that_somebody_was_erased_is_told_to_all() -> None:
    erased = entry(kind="person.erased", cause="erased", cohort=("", ""))
    chosen = EventFilter.parse(types=["members.entered"], cohorts=["2"])
    assert chosen.takes_entry(ERASED, erased)
    assert not chosen.takes_entry("cohort-relay.sync.completed", entry(kind="sync.completed"))


@pytest.mark.parametrize(
    ("wanted", "taken"), [("1", True), ("2", False), ("VIP", True), ("V*", True), ("v*", False), ("*", True)]
)
def test_a_cohort_is_meant_by_its_id_or_by_its_name(wanted: str, taken: bool) -> None:
    assert EventFilter.parse(cohorts=[wanted]).takes_cohort(entry(cohort=("1", "VIP"))) is taken


def test_an_id_is_compared_without_a_pattern_being_made_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filters, "fnmatchcase", None)
    assert not EventFilter.parse(cohorts=["2"]).takes_cohort(entry(cohort=("1", "VIP")))
    assert EventFilter.parse(cohorts=["VIP"]).takes_cohort(entry(cohort=("1", "VIP")))


def test_with_cohorts_chosen_what_is_about_the_project_is_left_out() -> None:
    about_all = entry(kind="batch.dead_lettered", cohort=("", ""))
    assert not EventFilter.parse(cohorts=["*"]).takes_cohort(about_all)
    assert EventFilter.parse().takes_cohort(about_all)


@pytest.mark.parametrize("old", ["VIP", ["VIP", "Gold"]])
def test_a_rename_is_told_to_those_who_chose_the_old_name(old: object) -> None:
    renamed = entry(kind="cohort.renamed", cohort=("1", "Best"), detail={"from": old, "to": "Best"})
    assert EventFilter.parse(cohorts=["VIP"]).takes_cohort(renamed)
    assert EventFilter.parse(cohorts=["Best"]).takes_cohort(renamed)
