"""Members who do not follow the rules are told of."""

from dataclasses import replace

from app.resync.rule_changes import Migrating, RulesStatus
from app.resync.rule_plan import CohortPlan, RulePlan
from app.status.rules import rule_checks
from tests.unit.status.states import project

PLANNED = CohortPlan("7", "VIP", 1234, (), (), (), (), (), ())
CHANGED = RulesStatus(RulePlan("2195193", "new", "new", 2, (PLANNED,)), (), 0, "")


def test_members_who_follow_other_rules_are_told_with_the_commands_that_help() -> None:
    (check,) = rule_checks(project(rules=CHANGED))
    assert check.verdict == "warn"
    assert "1 cohort of 1,234 members" in check.found
    assert "flask rules plan" in str(check.advice)


def test_what_is_being_migrated_to_them_is_nothing_to_act_upon() -> None:
    to_others = replace(CHANGED, migrating=(Migrating("7", "VIP", 1234, "others", 1, 0.5),))
    under_way = replace(CHANGED, migrating=(Migrating("7", "VIP", 1234, "new", 1, 0.5),))
    assert list(rule_checks(project(rules=to_others)))
    assert not list(rule_checks(project(rules=under_way)))
    assert not list(rule_checks(project()))
