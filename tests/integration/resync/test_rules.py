"""Changed rules: what members have, who leaves meanwhile, what breaks off, and processes with other rules."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from unittest import mock

import pytest
from redis.exceptions import RedisError

from app.cohorts.applying.run import BUSY_BACKLOG
from app.lanes.work import APPLY, PROFILES
from app.store import keys
from config.rules import DEFAULT_RULES, Operation, Rule, RuleSet
from tests.depth import DEPTH
from tests.integration.cohorts.faulty import FaultyRedis, Line
from tests.integration.cohorts.invariants import check, check_drained
from tests.integration.cohorts.relay import P
from tests.integration.cohorts.scale import scaled_down
from tests.integration.resync.rules_world import RulesWorld, flagged, listed
from tests.redis_server import RedisServer

OLD = DEFAULT_RULES
NEW = RuleSet((listed("Cohorts", "{cohort_id}"),))
MEMBERS = tuple(f"u{number}" for number in range(1, 13))
ONE: dict[str, object] = {"cohort_ids": frozenset({"1"})}
TWO: dict[str, object] = {"cohort_ids": frozenset({"2"})}


@pytest.fixture(autouse=True)
def small() -> Iterator[None]:
    """Let a dozen members take several steps."""
    with (
        scaled_down(chunk=2, load=2, list_limit=100_000),
        mock.patch("app.cohorts.applying.migrating.CHUNK", 4),
    ):
        yield


@pytest.fixture
def world(redis_server: RedisServer) -> Iterator[RulesWorld]:
    redis_server.flush()
    made = RulesWorld(redis_server)
    made.rules(OLD)
    yield made
    made.close()


def begun(world: RulesWorld, *, steps: int) -> None:
    """Ask for the migration, and take some of its steps."""
    world.rule_changes.apply(world.project, "test")
    world.deliver()
    for _ in range(steps):
        world.clock.now_s += 1.0
        world.run(turns=1)
    share = world.rule_changes.status(world.project).migrating[0].share
    assert (0 < share < 1) or not steps


def test_members_who_stay_get_what_the_new_rules_write_and_lose_what_the_old_ones_did(
    world: RulesWorld,
) -> None:
    world.send_list("1", MEMBERS)
    world.deliver()
    world.rules(NEW)
    (planned,) = world.rule_changes.plan(world.project).cohorts
    assert (planned.members, planned.operations) == (12, {"$remove": 12, "$union": 12})
    world.migrate()
    assert world.seen() == {who: {"Cohorts": ["1"]} for who in MEMBERS}
    kinds = [entry.kind for entry in world.log() if entry.kind.startswith("cohort.")]
    assert kinds == ["cohort.rules_applied"]
    assert sum(len(entry.entered) for entry in world.log() if entry.cause == "rules") == 12
    check_drained(world.plain)


def test_nothing_is_to_do_in_a_fresh_installation_or_where_rules_come_to_the_same(world: RulesWorld) -> None:
    assert world.rule_changes.plan(world.project).cohorts == []
    world.send_list("1", MEMBERS)
    assert world.rule_changes.plan(world.project).cohorts == []
    world.rules(RuleSet((*OLD.rules, flagged("Gold", "yes", **TWO))))
    assert world.rule_changes.plan(world.project).cohorts == [], "no member is in cohort 2"
    before = world.changelog.end(P)
    world.migrate()
    assert world.changelog.end(P) == before


def test_whoever_leaves_before_members_are_migrated_loses_what_the_old_rules_wrote(world: RulesWorld) -> None:
    world.send_list("1", MEMBERS)
    world.deliver()
    world.rules(NEW)
    world.send_list("1", MEMBERS[2:])
    world.deliver()
    assert world.seen() == {who: {"Cohorts": ["VIP"]} for who in MEMBERS[2:]}


def test_entries_are_delivered_by_the_rules_they_were_logged_by_whichever_process_does_it(
    world: RulesWorld,
) -> None:
    world.send_list("1", MEMBERS[:2])
    world.rules(NEW)
    world.send_list("1", MEMBERS[:3])
    world.rules(OLD)
    world.deliver()
    assert world.seen() == {"u1": {"Cohorts": ["VIP"]}, "u2": {"Cohorts": ["VIP"]}, "u3": {"Cohorts": ["1"]}}
    world.send_list("1", ())  # an old process is still at work
    world.deliver()
    assert world.seen() == {}


def test_an_exit_by_an_old_process_spares_what_another_cohort_writes_by_the_new_rules(
    world: RulesWorld,
) -> None:
    old, new = RuleSet((flagged("Plan", "a", **ONE),)), RuleSet((flagged("Plan", "b", **TWO),))
    world.rules(old)
    world.send_list("1", ("u1",))
    world.rules(new)
    world.send_list("2", ("u1",))
    world.rules(old)
    world.send_list("1", ())
    world.deliver()
    world.rules(new)
    world.migrate()
    assert world.seen() == {"u1": {"Plan": "b"}}


def test_what_a_migration_under_way_takes_away_is_spared_for_nobody(world: RulesWorld) -> None:
    world.rules(RuleSet((flagged("Plan", "a"),)))
    world.send_list("1", ("u1", "x"))
    world.send_list("2", (*MEMBERS, *(f"v{number}" for number in range(40))))
    world.deliver()
    new = RuleSet((flagged("Plan", "a", **ONE),))
    world.rules(new)
    begun(world, steps=0)
    for _ in range(60):
        world.run(turns=1)
        world.deliver()
        passed = {who for entry in world.log() if entry.cause == "rules" for who, _ in entry.entered}
        if "u1" in passed:
            break
    world.send_list("1", ("x",), runs=False)
    for turns in range(1, 8):
        if "u1" in world.members("1"):
            world.run(turns)
    assert "u1" not in world.members("1")
    world.deliver()
    assert world.rule_changes.status(world.project).migrating, "it must not be through yet"
    world.settle()
    assert world.seen() == {"x": {"Plan": "a"}}


def test_a_second_change_in_the_middle_of_a_migration_takes_its_place(world: RulesWorld) -> None:
    world.send_list("1", MEMBERS)
    world.deliver()
    world.rules(NEW)
    begun(world, steps=4)
    third = RuleSet((flagged("In {cohort_name}", "yes"),))
    world.rules(third)
    world.migrate()
    assert world.seen() == {who: {"In VIP": "yes"} for who in MEMBERS}
    assert world.rule_changes.plan(world.project).cohorts == []


def test_going_back_in_the_middle_leaves_nothing_of_the_new_rules(world: RulesWorld) -> None:
    world.send_list("1", MEMBERS)
    world.deliver()
    world.rules(NEW)
    begun(world, steps=4)
    world.rules(OLD)
    world.migrate()
    assert world.seen() == {who: {"Cohorts": ["VIP"]} for who in MEMBERS}


def test_a_cohort_that_is_renamed_in_the_middle_ends_with_its_new_name(world: RulesWorld) -> None:
    world.rules(NEW)
    world.send_list("1", MEMBERS)
    world.deliver()
    world.rules(OLD)
    begun(world, steps=4)
    world.names["1"] = "Silver"
    world.send_list("1", MEMBERS)
    world.settle()
    assert world.seen() == {who: {"Cohorts": ["Silver"]} for who in MEMBERS}
    assert world.rule_changes.plan(world.project).cohorts == []


@pytest.mark.parametrize("matching", [True, False], ids=["newly matched", "no longer matched"])
def test_a_cohort_that_rules_match_newly_is_entered_and_one_that_they_do_not_is_left(
    world: RulesWorld, *, matching: bool
) -> None:
    nothing, rules = RuleSet(), RuleSet((listed("Cohorts", "in"), flagged("Plan", "a")))
    world.rules(nothing if matching else rules)
    world.send_list("1", MEMBERS)
    world.deliver()
    world.rules(rules if matching else nothing)
    world.migrate()
    assert world.seen() == ({who: {"Cohorts": ["in"], "Plan": "a"} for who in MEMBERS} if matching else {})


def test_it_waits_while_the_profiles_destination_is_behind(world: RulesWorld) -> None:
    world.send_list("1", MEMBERS)
    world.deliver()
    world.rules(NEW)
    begun(world, steps=0)
    behind = world.changelog.end(P) - BUSY_BACKLOG
    world.plain.hset(keys.destination(P, PROFILES.name), "cursor", behind)
    world.drain()
    assert not [entry for entry in world.log() if entry.cause == "rules"]
    assert world.lanes.sweep(P, APPLY) == 0, "it must not spin"


def test_values_of_members_are_news_to_rules_that_copy_them(world: RulesWorld) -> None:
    copying = Rule(copy={"plan": "Tier"}, exit=(Operation("$unset", "Tier"),))
    world.rules(RuleSet((copying,)))
    body_plan = "gold"
    world.send_list("1", MEMBERS, plan=body_plan)
    world.deliver()
    world.rules(RuleSet((Rule(copy={"plan": "Plan"}, exit=(Operation("$unset", "Plan"),)),)))
    (planned,) = world.rule_changes.plan(world.project).cohorts
    assert (planned.needs_values, planned.reads) == (["Plan"], ["plan"])
    world.migrate()
    assert world.seen() == {}, "the old copy is gone; the new one needs the value"
    world.send_list("1", MEMBERS, plan=body_plan)
    world.deliver()
    assert world.seen() == {who: {"Plan": "gold"} for who in MEMBERS}


def test_cohorts_of_an_installation_that_remembers_no_rules_are_by_those_seen_first(
    world: RulesWorld,
) -> None:
    world.send_list("1", MEMBERS)
    world.deliver()
    world.plain.hdel(keys.cohort(P, "1"), "carried", "migration")
    world.plain.delete(keys.rules_meta(P), keys.rule_sets(P))
    world.rule_changes.remember_first(world.project)
    world.rules(NEW)
    assert [each.cohort_id for each in world.rule_changes.plan(world.project).cohorts] == ["1"]
    world.migrate()
    assert world.seen() == {who: {"Cohorts": ["1"]} for who in MEMBERS}


def test_a_connection_that_breaks_at_any_command_leaves_nobody_out(redis_server: RedisServer) -> None:
    undisturbed = Line()
    told(redis_server, undisturbed)
    for place in range(3, undisturbed.sent, 1 if DEPTH > 1 else 13):
        for answer_lost in (False, True):
            told(redis_server, Line(place, answer_lost=answer_lost))


def told(server: RedisServer, line: Line) -> None:
    """Tell a story over a connection that breaks once, and see how it ends."""
    server.flush()
    world = RulesWorld(server, FaultyRedis)
    try:
        assert isinstance(world.redis, FaultyRedis)
        world.redis.line = line
        world.rules(OLD)
        again(world, lambda: world.send_list("1", MEMBERS[:6]))
        world.rules(NEW)
        world.deliver()
        world.rule_changes.apply(world.project, "test")
        again(world, lambda: world.run(turns=3))
        again(world, lambda: world.send_list("1", MEMBERS[1:7]))
        again(world, world.settle)
        check(world)
        check_drained(world.plain)
        assert world.seen() == {who: {"Cohorts": ["1"]} for who in MEMBERS[1:7]}
        assert not world.rule_changes.plan(world.project).cohorts
    finally:
        world.close()


def again(world: RulesWorld, do: Callable[[], object]) -> None:
    """Do it once more if the line broke, as another worker would."""
    with suppress(RedisError):
        do()
        return
    world.build()
    do()
