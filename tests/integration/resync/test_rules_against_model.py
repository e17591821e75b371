"""Whatever happens while rules change, the profiles end as the last rules imply."""

from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.rules import Rule, RuleSet
from tests.depth import DEPTH
from tests.integration.cohorts.invariants import check
from tests.integration.cohorts.scale import scaled_down
from tests.integration.resync.rules_world import RulesWorld, flagged, listed, once
from tests.redis_server import RedisServer

PEOPLE = ("u1", "u2", "u3", "u4", "u5", "u6", "u7")
NAMES = ("VIP", "Gold", "Tin")
MATCHING: tuple[dict[str, Any], ...] = (
    {},
    {"cohort_ids": frozenset({"1"})},
    {"cohort_ids": frozenset({"2"})},
    {"cohort_names": ("VIP",)},
    {"cohort_names": ("*o*", "T*")},
)
VALUES = ("{cohort_name}", "{cohort_id}", "in", "c {cohort_name}")


@st.composite
def rule_sets(draw: st.DrawFn) -> RuleSet:
    """Rules whose exits take away what they write, and of which no two set a property differently."""
    value = draw(st.sampled_from(("a", "b")))
    kinds = {"P": draw(st.sampled_from((flagged, once))), "{cohort_name}": flagged}
    rules: list[Rule] = []
    for _ in range(draw(st.integers(0, 3))):
        matching = draw(st.sampled_from(MATCHING))
        if draw(st.booleans()):
            rules.append(listed(draw(st.sampled_from("LM")), draw(st.sampled_from(VALUES)), **matching))
        else:
            name = draw(st.sampled_from(sorted(kinds)))
            rules.append(kinds[name](name, value, **matching))
    return RuleSet(tuple(rules))


people = st.sets(st.sampled_from(PEOPLE)).map(sorted)
cohorts = st.sampled_from(("1", "2"))
which = st.integers(0, 2)
actions = st.lists(
    st.one_of(
        st.tuples(st.just("list"), which, cohorts, people),
        st.tuples(st.just("list"), which, cohorts, people),
        st.tuples(st.just("name"), which, cohorts, st.sampled_from(NAMES)),
        st.tuples(st.just("apply"), which),
        st.tuples(st.just("run"), which, st.integers(1, 6)),
        st.tuples(st.just("deliver"), which, st.integers(1, 4)),
    ),
    max_size=14,
)


@pytest.fixture(scope="module")
def server(redis_server: RedisServer) -> Iterator[RedisServer]:
    with (
        scaled_down(chunk=2, load=2, list_limit=100_000),
        mock.patch("app.cohorts.applying.migrating.CHUNK", 4),
    ):
        yield redis_server


def act(world: RulesWorld, known: list[RuleSet], action: tuple[Any, ...]) -> None:
    kind, process, *rest = action
    world.rules(known[process])
    match kind, rest:
        case "list", [cohort, members]:
            world.send_list(cohort, members, runs=False)
            world.run(turns=40)
        case "name", [cohort, name]:
            world.names[cohort] = name
        case "apply", []:
            world.rule_changes.apply(world.project, "test")
        case "run", [turns]:
            world.run(turns=turns)
        case "deliver", [entries]:
            world.deliver(entries)


@settings(max_examples=60 * DEPTH, deadline=None)
@given(st.lists(rule_sets(), min_size=3, max_size=3), actions, which)
def test_profiles_end_as_the_last_rules_imply(
    server: RedisServer, known: list[RuleSet], story: list[tuple[Any, ...]], last: int
) -> None:
    server.flush()
    world = RulesWorld(server)
    try:
        for action in story:
            act(world, known, action)
        world.rules(known[last])
        world.settle()
        for cohort in ("1", "2"):  # the names that the relay has heard
            found = world.cohorts.get(world.project.id, cohort)
            world.names[cohort] = found.name if found else ""
        world.migrate()
        assert world.seen() == world.implied()
        assert not world.rule_changes.plan(world.project).cohorts
        check(world)
    finally:
        world.close()
