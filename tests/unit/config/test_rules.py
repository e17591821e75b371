import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.events import Event
from config.links import KEYS, LinkRule
from config.rules import DEFAULT_RULES, KINDS, Operation, Rule, RuleSet
from config.templates import Context, escape

CONTEXT = Context("1", "77", "VIP", "s", 0, "u1", {"email": "a@example.com", "tag": "new", "gone": None})
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
TEMPLATES = st.one_of(
    TEXTS.map(escape), st.sampled_from(["{cohort_name}", "in {cohort_id}", "{member[plan]}", "{{x}}"])
)
VALUES = st.recursive(
    st.one_of(
        TEMPLATES,
        st.booleans(),
        st.integers(-(2**63) + 1, 2**63 - 1),
        st.floats(allow_nan=False, allow_infinity=False),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEMPLATES, inner, max_size=3)),
    max_leaves=6,
)
OPERATIONS = st.lists(st.builds(Operation, st.sampled_from(KINDS), TEMPLATES, VALUES), max_size=3).map(tuple)
EVENTS = st.one_of(st.none(), st.builds(Event, TEMPLATES, st.dictionaries(TEMPLATES, VALUES, max_size=2)))
LINKS = st.lists(
    st.builds(LinkRule, st.sampled_from(sorted(KEYS)), TEMPLATES, TEMPLATES, st.booleans()), max_size=2
).map(tuple)
RULES = st.builds(
    Rule,
    st.frozensets(TEXTS, max_size=3),
    st.lists(TEXTS, max_size=3).map(tuple),
    OPERATIONS,
    OPERATIONS,
    OPERATIONS,
    st.dictionaries(TEXTS.filter(bool), TEXTS, max_size=3),
    EVENTS,
    EVENTS,
    EVENTS,
    LINKS,
)
RULE_SETS = st.lists(RULES, max_size=3).map(lambda rules: RuleSet(tuple(rules)))


@given(RULE_SETS)
def test_a_rule_set_survives_json_and_keeps_its_digest(rules: RuleSet) -> None:
    again = RuleSet.from_json(rules.to_json())
    assert again == rules
    assert again.to_json() == rules.to_json()
    assert again.digest == rules.digest


def test_rules_that_were_stored_before_there_were_events_and_links_are_read_and_keep_their_digest() -> None:
    stored = (
        b'[{"cohort_ids":[],"cohort_names":[],"copy":{},"enter":[["$union","Cohorts",["{cohort_name}"]]],'
        b'"exit":[["$remove","Cohorts","{cohort_name}"]],"update":[]}]'
    )
    assert RuleSet.from_json(stored) == DEFAULT_RULES
    assert DEFAULT_RULES.to_json() == stored
    assert not DEFAULT_RULES.has_events
    assert not DEFAULT_RULES.has_links


@pytest.mark.parametrize("occasion", ["enter_event", "exit_event", "update_event"])
def test_a_rule_set_knows_whether_it_has_events(occasion: str) -> None:
    rule = Rule(**{occasion: Event("e")})  # type: ignore[arg-type]
    assert RuleSet((Rule(), rule)).has_events


@given(RULE_SETS, RULE_SETS)
def test_two_rule_sets_share_a_digest_only_when_they_are_equal(one: RuleSet, other: RuleSet) -> None:
    assert (one.digest == other.digest) == (one.to_json() == other.to_json())


def test_the_digest_is_the_same_in_every_process() -> None:
    code = (
        "from config.rules import Rule, RuleSet;"
        "print(RuleSet((Rule(frozenset(map(str, range(50))), copy={'b': 'c', 'a': 'd'}),)).digest)"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1


def test_a_changed_value_changes_the_digest() -> None:
    assert (
        RuleSet((Rule(enter=(Operation("$set", "a", 1),)),)).digest
        != RuleSet((Rule(enter=(Operation("$set", "a", True),)),)).digest
    )


@pytest.mark.parametrize(
    ("rule", "matches"),
    [
        (Rule(), True),
        (Rule(cohort_ids=frozenset({"77"})), True),
        (Rule(cohort_ids=frozenset({"78"})), False),
        (Rule(cohort_names=("VIP *",)), True),
        (Rule(cohort_names=("vip *",)), False),
        (Rule(cohort_names=("x", "*gold*")), True),
        (Rule(cohort_ids=frozenset({"78"}), cohort_names=("VIP *",)), True),
        (Rule(cohort_ids=frozenset({"78"}), cohort_names=("X*",)), False),
    ],
)
def test_a_rule_matches_by_id_or_by_a_pattern_of_the_name(rule: Rule, matches: bool) -> None:
    assert rule.matches("77", "VIP gold") is matches


def test_every_rule_that_matches_applies_in_file_order() -> None:
    one, two, three = Rule(copy={"a": "b"}), Rule(frozenset({"9"})), Rule(cohort_names=("V*",))
    assert RuleSet((one, two, three)).matching("77", "VIP") == (one, three)


def test_what_the_log_must_carry_is_what_entering_and_updating_need() -> None:
    rules = RuleSet(
        (
            Rule(
                copy={"email": "$email", "od]d{": "x"},
                enter=(Operation("$set", "Plan of {member[first]}", ["{member[plan]}"]),),
                update=(Operation("$set", "a", {"b": "{member[deep]}"}),),
            ),
            Rule(frozenset({"other"}), copy={"phone": "$phone"}),
        )
    )
    assert rules.exported("77", "VIP") == {"email", "od]d{", "first", "plan", "deep"}
    assert DEFAULT_RULES.exported("77", "VIP") == frozenset()


def test_the_default_rule_keeps_the_cohorts_name_in_a_list() -> None:
    (rule,) = DEFAULT_RULES.matching("77", "VIP")
    assert [(op.kind, op.rendered(CONTEXT)) for op in rule.entering] == [("$union", ("Cohorts", ["VIP"]))]
    assert [(op.kind, op.rendered(CONTEXT)) for op in rule.exit] == [("$remove", ("Cohorts", "VIP"))]
    assert rule.updating == ()


def test_copied_properties_are_set_on_entering_and_on_an_update_before_the_rules_own_operations() -> None:
    own = Operation("$set", "$email", "hidden")
    rule = Rule(copy={"email": "$email", "gone": "Gone {x}"}, enter=(own,))
    assert [op.rendered(CONTEXT) for op in rule.entering] == [
        ("$email", "a@example.com"),
        None,
        ("$email", "hidden"),
    ]
    assert [op.rendered(CONTEXT) for op in rule.updating] == [("$email", "a@example.com"), None]
    present = CONTEXT._replace(member={"gone": [1]})
    assert rule.updating[1].rendered(present) == ("Gone {x}", [1])


@pytest.mark.parametrize(
    ("operation", "rendered"),
    [
        (Operation("$set", "{member[tag]} in {cohort_id}", 1), ("new in 77", 1)),
        (Operation("$set", "{member[gone]}", 1), None),
        (Operation("$set", "a", "{member[gone]}"), None),
        (Operation("$union", "Tags", "{member[tag]}"), ("Tags", ["new"])),
        (Operation("$unset", "a"), ("a", None)),
        (Operation("$delete", ""), ("", None)),
    ],
)
def test_an_operation_renders_its_property_and_value(operation: Operation, rendered: Any) -> None:
    assert operation.rendered(CONTEXT) == rendered
