import re
from collections.abc import Callable
from typing import Any

import pytest

from app.sandbox.chance import seeded
from app.sandbox.machine import Machine
from app.sandbox.population.conditions import Condition, InvalidConditionError
from app.sandbox.population.people import person

CONDITIONS = [
    Condition("n", "at_least", 20),
    Condition("n", "at_most", 3),
    Condition("plan", "equals", "trial"),
    Condition("newsletter", "equals", value=True),
    Condition("newsletter", "equals", value=False),
    Condition("ratio", "at_least", 0.5),
]


def holds(machine: Machine, condition: Condition, value: Any) -> bool:
    machine.profiles.write({"probe": {condition.property: value}}, 0)
    cohort_id = machine.cohorts.create("probe", "", [condition])
    return "probe" in machine.population.members(machine.cohorts.get(cohort_id))


@pytest.mark.parametrize("condition", CONDITIONS)
def test_churn_can_meet_and_break_every_condition(machine: Machine, condition: Condition) -> None:
    for number in range(20):
        assert holds(machine, condition, condition.meeting(seeded(number)))
        assert not holds(machine, condition, condition.breaking(seeded(number)))


@pytest.mark.parametrize("value", ["25", None, [25], True])
def test_a_bound_is_met_by_numbers_only(machine: Machine, value: Any) -> None:
    assert not holds(machine, Condition("n", "at_least", 1), value)


@pytest.mark.parametrize(
    "item",
    [
        {},
        {"property": "n", "operator": "at_least"},
        {"property": "n", "operator": "like", "value": 1},
        {"property": "n", "operator": "at_least", "value": "1"},
        {"property": "n", "operator": "at_least", "value": True},
        {"property": "n", "operator": "equals", "value": None},
        {"property": 'n"', "operator": "equals", "value": 1},
    ],
)
def test_a_condition_that_cannot_be_evaluated_is_refused(item: dict[str, Any]) -> None:
    with pytest.raises(InvalidConditionError):
        Condition.from_json(item)


def test_people_are_the_same_for_a_seed_and_others_for_another() -> None:
    assert person(1, 7) == person(1, 7)
    assert person(1, 7) != person(2, 7)


def test_people_have_unlike_ids_of_several_kinds_and_plausible_addresses() -> None:
    people = [person(1, number) for number in range(500)]
    ids = {distinct_id for distinct_id, _ in people}
    uuids = {
        distinct_id
        for distinct_id in ids
        if re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", distinct_id)
    }

    assert len(ids) == 500
    assert 300 < len(uuids) < 400
    assert not any(distinct_id.startswith("$device:") for distinct_id in ids)
    assert all(
        re.fullmatch(r"[a-z]+\.[a-z]+\.\d+@example\.(com|org|net)", one["$email"]) for _, one in people
    )


def test_two_sandboxes_of_one_seed_churn_alike(make_machine: Callable[..., Machine]) -> None:
    def members(machine: Machine) -> list[set[str]]:
        for _ in range(3):
            machine.churn.run(0.1)
        return [machine.population.members(cohort) for cohort in machine.cohorts.all()]

    one, two, other = make_machine(), make_machine(), make_machine(seed=2)
    before = [one.population.members(cohort) for cohort in one.cohorts.all()]
    assert members(one) == members(two) != members(other)
    assert members(one) != before


def test_no_churn_changes_nobody(machine: Machine) -> None:
    before = {profile.distinct_id: profile.properties for profile in machine.profiles.scan()}
    machine.churn.run(0)

    assert before == {profile.distinct_id: profile.properties for profile in machine.profiles.scan()}


def test_more_cohorts_than_have_names_are_numbered_segments(make_machine: Callable[..., Machine]) -> None:
    names = [cohort.name for cohort in make_machine(cohorts=7).cohorts.all()]

    assert names[0] == "Power users"
    assert names[5:] == ["Segment 6", "Segment 7"]


def test_whoever_is_made_to_enter_without_a_profile_gets_one(machine: Machine) -> None:
    cohort = machine.cohorts.get(1001)
    machine.population.enter(cohort, ["new-person"])

    assert "new-person" in machine.population.members(cohort)
    assert "$email" in machine.profiles.properties(["new-person"])["new-person"]
