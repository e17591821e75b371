import json
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cohorts.changelog import Entry
from app.destinations.plan import Plan
from app.destinations.profiles.claims import Claims
from app.destinations.profiles.plan import Present, plan, questions
from app.destinations.profiles.window import groups
from config.rules import DEFAULT_RULES, Operation, Rule, RuleSet
from tests.unit.destinations import profile_model
from tests.unit.destinations.entries import entry
from tests.unit.destinations.profile_model import Profiles, seen

VIP = ("1", "VIP")
GOLD = ("2", "Gold")
OTHER_VIP = ("3", "VIP")


def planned(
    entries: Sequence[Entry],
    rules: RuleSet = DEFAULT_RULES,
    cohorts: Sequence[tuple[str, str]] = (VIP, GOLD),
    present: Present | None = None,
) -> Plan:
    return plan(groups("p1", entries, rules), "token", Claims("p1", rules, cohorts), present or {})


def sent(result: Plan) -> list[list[dict[str, Any]]]:
    """The rounds' records without their token, in an order of their own."""
    rounds = []
    for one in result.rounds:
        records = [json.loads(record) for record in (*one.records, *(record for _, record in one.once))]
        assert all(record.pop("$token") == "token" for record in records)
        rounds.append(sorted(records, key=json.dumps))
    return rounds


def record(distinct_id: str, kind: str, body: Any) -> dict[str, Any]:
    return {"$distinct_id": distinct_id, kind: body}


def rules(
    enter: Mapping[str, Mapping[str, Any]] | None = None,
    exit: Mapping[str, Mapping[str, Any]] | None = None,  # noqa: A002 - the rule's own word
    names: tuple[str, ...] = (),
    copy: Mapping[str, str] | None = None,
    update: Mapping[str, Mapping[str, Any]] | None = None,
) -> Rule:
    def operations(of: Mapping[str, Mapping[str, Any]] | None) -> tuple[Operation, ...]:
        return tuple(
            Operation(kind, name, value) for kind, body in (of or {}).items() for name, value in body.items()
        )

    return Rule(
        cohort_names=names,
        enter=operations(enter),
        exit=operations(exit),
        update=operations(update),
        copy=copy or {},
    )


def test_entering_two_cohorts_is_one_list() -> None:
    entries = [entry(1, cohort=VIP, entered=["u"]), entry(2, cohort=GOLD, entered=["u"])]
    assert sent(planned(entries)) == [[], [record("u", "$union", {"Cohorts": ["VIP", "Gold"]})]]


def test_entering_and_leaving_ends_as_left() -> None:
    entries = [entry(1, entered=["u"]), entry(2, exited=["u"])]
    assert sent(planned(entries)) == [[record("u", "$remove", {"Cohorts": "VIP"})]]


def test_leaving_under_one_name_goes_before_entering_under_another() -> None:
    entries = [entry(1, entered=["U1"]), entry(2, exited=["$device:X"])]
    assert sent(planned(entries)) == [
        [record("$device:X", "$remove", {"Cohorts": "VIP"})],
        [record("U1", "$union", {"Cohorts": ["VIP"]})],
    ]


def test_copied_properties_keep_their_json_types_and_missing_ones_are_left_out() -> None:
    rule = rules(copy={"email": "$email", "age": "age", "tags": "tags"}, update={"$set": {"seen": "{time}"}})
    entries = [
        entry(1, entered={"a": {"email": "a@x", "age": 3, "tags": ["t"]}, "b": {"email": None}}),
        entry(2, updated={"c": {"age": 4}}),
    ]
    assert sent(planned(entries, RuleSet((rule,)))) == [
        [],
        [
            record("a", "$set", {"$email": "a@x", "age": 3, "tags": ["t"]}),
            record("c", "$set", {"age": 4, "seen": "2026-01-01T00:00:00"}),
        ],
    ]


def test_ids_that_mixpanel_refuses_are_reported_once_and_never_sent() -> None:
    entries = [entry(1, entered=["anonymous", "u", "0"]), entry(2, exited=["anonymous"])]
    result = planned(entries)
    assert [json.loads(letter.record)["$distinct_id"] for letter in result.given_up] == ["0", "anonymous"]
    assert sent(result) == [[], [record("u", "$union", {"Cohorts": ["VIP"]})]]


ALL_KINDS = rules(
    enter={
        "$set": {"a": 1, "in {cohort_name}": True, "m": "{member[x]}"},
        "$set_once": {"b": "{cohort_name}"},
        "$union": {"c": ["{cohort_name}"]},
        "$add": {"d": 1},
        "$append": {"e": "{cohort_name}"},
    },
    exit={
        "$remove": {"c": "{cohort_name}"},
        "$unset": {"in {cohort_name}": None},
        "$set": {"left": "{cohort_name}"},
    },
)


def kinds(result: Plan) -> list[set[str]]:
    return [{kind for one in records for kind in one if kind != "$distinct_id"} for records in sent(result)]


@pytest.mark.parametrize("cause", ["sync", "taken_back", "reconcile"])
def test_ordinary_changes_do_everything(cause: str) -> None:
    changed = entry(cause=cause, entered={"u": {"x": 1}}, exited=["v"])
    assert kinds(planned([changed], RuleSet((ALL_KINDS,)))) == [
        {"$remove", "$unset", "$set"},
        {"$set", "$set_once", "$union", "$add", "$append"},
    ]


@pytest.mark.parametrize("cause", ["reasserted", "replay"])
def test_asserting_again_does_only_what_may_be_repeated_and_needs_no_property(cause: str) -> None:
    again = entry(cause=cause, entered=["u"], exited=["v"], updated={"w": {}})
    assert sent(planned([again], RuleSet((ALL_KINDS,)))) == [
        [],
        [
            record("u", "$set", {"a": 1, "in VIP": True}),
            record("u", "$set_once", {"b": "VIP"}),
            record("u", "$union", {"c": ["VIP"]}),
        ],
    ]


def test_a_rename_replaces_what_carries_the_name_and_counts_nothing() -> None:
    renamed = entry(cause="rename", cohort=("1", "New"), entered=["u"], old_names=("VIP", "Older"))
    assert sent(planned([renamed], RuleSet((ALL_KINDS,)))) == [
        [
            record("u", "$remove", {"c": "Older"}),
            record("u", "$remove", {"c": "VIP"}),
            record("u", "$unset", ["in VIP", "in Older"]),
        ],
        [
            record("u", "$set", {"in New": True}),
            record("u", "$set_once", {"b": "New"}),
            record("u", "$union", {"c": ["New"]}),
        ],
    ]


def test_a_rename_out_of_a_rules_pattern_undoes_the_rule_and_into_one_does_it() -> None:
    rule_set = RuleSet(
        (
            rules(names=("VIP*",), enter={"$set": {"vip": True}}, exit={"$set": {"vip": False}}),
            rules(names=("Gold*",), enter={"$set": {"gold": True}, "$add": {"golds": 1}}),
        )
    )
    renamed = entry(cause="rename", cohort=("1", "Gold 1"), entered=["u"], old_names=("VIP 1",))
    assert sent(planned([renamed], rule_set)) == [
        [record("u", "$set", {"vip": False})],
        [record("u", "$set", {"gold": True})],
    ]


def test_leaving_while_a_rename_goes_on_removes_the_old_names_too() -> None:
    left = entry(cohort=("1", "New"), exited=["u"], old_names=("VIP",))
    assert sent(planned([left])) == [
        [record("u", "$remove", {"Cohorts": "New"}), record("u", "$remove", {"Cohorts": "VIP"})]
    ]


@pytest.mark.parametrize(
    ("kind", "cause"), [("changes", "erased"), ("sync.completed", "sync"), ("resync.started", "replay")]
)
def test_other_entries_cause_nothing(kind: str, cause: str) -> None:
    assert planned([entry(kind=kind, cause=cause, entered=["u"], exited=["v"])]).rounds == ()


def test_nobody_is_asked_about_where_no_claims_overlap() -> None:
    found = groups("p1", [entry(exited=["u"])], DEFAULT_RULES)
    assert questions(found, Claims("p1", DEFAULT_RULES, [VIP, GOLD])) == {}


def test_a_value_stays_while_its_bearer_is_in_another_cohort_that_claims_it() -> None:
    entries = [entry(1, exited=["u", "v"]), entry(2, exited=["u"])]
    claims = Claims("p1", DEFAULT_RULES, [VIP, GOLD, OTHER_VIP])
    assert questions(groups("p1", entries, DEFAULT_RULES), claims) == {"3": ["u", "v"]}
    result = planned(entries, cohorts=[VIP, GOLD, OTHER_VIP], present={"3": frozenset({"u"})})
    assert sent(result) == [[record("v", "$remove", {"Cohorts": "VIP"})]]


def test_an_old_name_stays_on_those_who_are_in_another_cohort_of_that_name() -> None:
    renamed = entry(cause="rename", cohort=("1", "New"), entered=["u", "v"], old_names=("VIP",))
    result = planned([renamed], cohorts=[("1", "New"), OTHER_VIP], present={"3": frozenset({"u"})})
    assert sent(result)[0] == [record("v", "$remove", {"Cohorts": "VIP"})]


def test_a_property_is_not_unset_while_another_cohort_sets_or_copies_it() -> None:
    rule_set = RuleSet(
        (
            rules(names=("VIP",), exit={"$unset": {"plan": None, "$email": None, "own": None}}),
            rules(names=("Gold",), enter={"$set": {"plan": "gold"}}, copy={"email": "$email"}),
        )
    )
    result = planned([entry(exited=["u"])], rule_set, present={"2": frozenset({"u"})})
    assert sent(result) == [[record("u", "$unset", ["own"])]]


def test_marks_are_the_same_at_every_try_whatever_the_membership_says() -> None:
    rule_set = RuleSet((ALL_KINDS,))
    entries = [entry(1, entered=["u", "v"]), entry(2, exited=["u"]), entry(3, entered=["u"])]
    marks = [
        sorted(
            mark
            for one in planned(entries, rule_set, [VIP, OTHER_VIP], present).rounds
            for mark, _ in one.once
        )
        for present in ({}, {"3": frozenset({"u"})})
    ]
    assert marks[0] == marks[1]
    assert len(set(marks[0])) == len(marks[0]) == 6


# --- whole windows against the model ---------------------------------------------------------------------

PEOPLE = ["a", "b", "c"]
COHORTS = [VIP, GOLD, OTHER_VIP, ("4", "Silver")]
CHANGES = st.lists(st.tuples(st.sampled_from(PEOPLE), st.sampled_from(COHORTS)), max_size=25)


@given(CHANGES, CHANGES, st.randoms(use_true_random=False))
def test_the_profiles_list_exactly_the_cohorts_that_their_owners_are_in(
    first: list[tuple[str, tuple[str, str]]], second: list[tuple[str, tuple[str, str]]], shuffle: Random
) -> None:
    members: dict[str, set[str]] = {cohort_id: set() for cohort_id, _ in COHORTS}
    profiles: Profiles = {}
    windows = [toggled(members, changes) for changes in (first, second)]
    for entries in windows:  # the membership is ahead of the first window already
        deliver(entries, {cohort_id: frozenset(ids) for cohort_id, ids in members.items()}, profiles, shuffle)
    expected = {who: {name for cohort_id, name in COHORTS if who in members[cohort_id]} for who in PEOPLE}
    assert {who: set(seen(profiles.get(who, {})).get("Cohorts", [])) for who in PEOPLE} == expected


def toggled(members: dict[str, set[str]], changes: list[tuple[str, tuple[str, str]]]) -> list[Entry]:
    entries = []
    for number, (who, cohort) in enumerate(changes):
        inside = who in members[cohort[0]]
        members[cohort[0]] ^= {who}
        named = {"exited": [who]} if inside else {"entered": [who]}
        entries.append(entry(number + 1, cohort=cohort, **named))  # type: ignore[arg-type]  # either list
    return entries


def deliver(entries: list[Entry], present: Present, profiles: Profiles, shuffle: Random) -> None:
    for one in planned(entries, cohorts=COHORTS, present=present).rounds:
        records = list(one.records)
        shuffle.shuffle(records)
        for encoded in records:
            profile_model.send(profiles, encoded)
