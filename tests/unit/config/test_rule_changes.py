"""What one rule set leaves that another would not, and how to get from the one to the other."""

from typing import Any

import pytest

from config.rule_changes import Effect, left, redone, settled, uncounted, undone, unknown
from config.rules import DEFAULT_RULES, Operation, Rule, RuleSet

Told = list[tuple[str, str, Any]]


def effect(*rules: Rule, name: str = "VIP") -> Effect:
    return Effect(RuleSet(rules), "1", name)


def rule(enter: Told = [], leave: Told = [], **more: Any) -> Rule:  # noqa: B006 - never changed
    def made(told: Told) -> tuple[Operation, ...]:
        return tuple(Operation(*each) for each in told)

    return Rule(enter=made(enter), exit=made(leave), **more)


def kinds(done: Any) -> list[tuple[str, str]]:
    return [(each.made.kind, each.made.property) for each in done]


LISTED = rule([("$union", "L", ["{cohort_name}"])], [("$remove", "L", "{cohort_name}")])
FLAG = rule([("$set", "F", True)], [("$unset", "F", None)])
COPY = rule(copy={"plan": "F"})


def test_equal_rules_and_rules_written_otherwise_for_the_same_are_settled() -> None:
    same = rule([("$union", "L", ["VIP"])], [("$remove", "L", "VIP")])
    assert settled(effect(LISTED), effect(LISTED))
    assert settled(effect(LISTED), effect(same))
    assert not settled(effect(LISTED, name="Gold"), effect(same))


def test_only_what_entering_wrote_is_undone() -> None:
    leaving = rule(leave=[("$remove", "L", "x"), ("$unset", "F", None), ("$set", "Left", True)])
    assert undone(effect(leaving), effect()) == ()
    assert kinds(undone(effect(LISTED, FLAG), effect())) == [("$remove", "L"), ("$unset", "F")]


def test_a_flag_that_an_exit_puts_back_is_put_back() -> None:
    status = rule([("$set", "Status", "vip")], [("$set", "Status", "free"), ("$set", "Left at", "{time}")])
    assert kinds(undone(effect(status), effect())) == [("$set", "Status")]


def test_a_value_that_the_new_rules_write_too_is_kept() -> None:
    kept = rule([("$union", "L", ["other", "{cohort_name}"])])
    assert undone(effect(LISTED), effect(kept)) == ()
    assert kinds(redone([effect(LISTED)], effect(kept))) == [("$union", "L")]


def test_several_values_of_one_removal_are_judged_each_for_itself() -> None:
    two = rule([("$union", "L", ["a", "b"])], [("$remove", "L", ["a", "b"])])
    (only,) = undone(effect(two), effect(rule([("$union", "L", ["a"])])))
    assert only.made.value == b'"b"'


def test_what_is_wiped_is_written_anew_even_where_the_old_rules_wrote_it() -> None:
    plain, also = rule([("$set_once", "F", 1)]), rule([("$set", "F", 2)], [("$unset", "F", None)])
    assert kinds(undone(effect(plain, also), effect(plain))) == [("$unset", "F")]
    assert kinds(redone([effect(plain, also)], effect(plain))) == [("$set_once", "F")]


def test_a_property_that_is_copied_now_is_not_unset() -> None:
    assert undone(effect(FLAG), effect(COPY)) == ()
    assert kinds(unknown([effect(FLAG)], effect(COPY))) == [("$set", "F")]
    assert redone([effect(FLAG)], effect(COPY)) == ()


@pytest.mark.parametrize("kind", ["$add", "$append"])
def test_what_counts_is_never_repeated(kind: str) -> None:
    counting = rule([(kind, "N", 1)])
    assert redone([effect()], effect(counting)) == ()
    assert kinds(uncounted([effect()], effect(counting))) == [(kind, "N")]


def test_what_needs_the_session_is_not_repeated() -> None:
    assert redone([effect()], effect(rule([("$set", "S", "{session_id}")]))) == ()


def test_what_no_exit_takes_away_is_named() -> None:
    stays = rule([("$set", "Seen", True)])
    assert left(effect(stays, FLAG), effect()) == {"Seen"}
    assert left(effect(stays), effect(stays)) == frozenset()


def test_whoever_may_have_been_written_by_any_of_several_gets_what_one_of_them_lacks() -> None:
    default = effect(*DEFAULT_RULES.rules)
    assert redone([default, effect()], default) == default.entering
    assert redone([default], default) == ()
