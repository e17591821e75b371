"""The error rates of the specification of epochs, class by class, and the exhaustive small worlds.

A run of a few hundred stories cannot tell 0.2 % from 0.3 %: each class is allowed what chance allows. The
table with the large numbers is made by `python -m tests.model.rates` and kept in docs/decisions.
"""

from __future__ import annotations

from math import sqrt

import pytest

from tests.model.chance import random_story
from tests.model.classes import CLASSES, Class
from tests.model.oracle import likeliest_end, possible_ends
from tests.model.rates import RECEIVERS, end_of, rate, wrong
from tests.model.worlds import DEFAULT, TinyWorld
from tests.model.worlds import wrong as wrong_in_world

BY_NAME = {each.name: each for each in CLASSES}
STORIES = 600


def allowed(stated: float, stories: int) -> float:
    """Tell the share that a receiver with the stated rate exceeds in less than one run of a thousand."""
    return stated + 3.3 * sqrt(max(stated, 1.0 / stories) * (1 - stated) / stories)


@pytest.mark.parametrize("of", [each for each in CLASSES if each.stated is not None], ids=lambda of: of.name)
def test_a_class_ends_wrong_no_more_often_than_stated(of: Class) -> None:
    stories = STORIES // 10 if of.worlds[0].users > 100 else STORIES
    assert of.stated is not None
    assert rate("engine", of, stories) <= allowed(of.stated, stories)


@pytest.mark.parametrize(
    ("name", "stories"),
    [
        ("documented", STORIES),
        ("documented-400", STORIES // 10),
        ("documented-restarts", STORIES),
        ("no-failures", STORIES),
        ("no-empty-calls-no-failures", STORIES),
        ("outages", STORIES // 5),
        ("outages-400", STORIES // 30),
        ("expired", STORIES),
        ("refreshes", STORIES),
        ("two-ids", STORIES),
        ("reused-id-refreshes", STORIES),
        ("reused-id-parallel", STORIES),
        ("constant-id-no-failures", STORIES),
        ("parallel", STORIES),
    ],
)
def test_nothing_ends_wrong_where_no_answer_of_a_last_page_is_lost(name: str, stories: int) -> None:
    of = BY_NAME[name]
    assert [seed for seed, _ in wrong(RECEIVERS["engine"], of.worlds, range(stories))] == []


@pytest.mark.parametrize("name", ["lost-half", "lost-last"])
def test_lost_answers_mislead_only_where_the_likeliest_explanation_is_wrong_too(name: str) -> None:
    world = BY_NAME[name].worlds[0]
    misled = 0
    for seed, _ in wrong(RECEIVERS["engine"], (world,), range(STORIES)):
        misled += 1
        _, sent = random_story(world, seed)
        got = end_of(RECEIVERS["engine"](), sent)
        assert len(possible_ends(sent)) > 1
        assert got == likeliest_end(sent, world) != sent.snapshot
    assert misled, "the class has become too easy to show anything"


@pytest.mark.slow
@pytest.mark.parametrize(
    "world", DEFAULT, ids=lambda world: f"{world.people}-{world.syncs}-{world.page_size}"
)
def test_every_story_of_a_small_world_ends_right(world: TinyWorld) -> None:
    tried, bad = wrong_in_world(RECEIVERS["trusting"], world)
    assert tried > 1000
    assert bad == []


def test_the_baselines_fail_as_the_specification_says() -> None:
    cold = BY_NAME["cold"]
    assert 0.65 < rate("plain", cold, STORIES) < 0.85
    assert 0.03 < rate("mark-and-sweep", cold, STORIES) < 0.10


def test_additions_only_goes_wrong_at_every_refresh_that_somebody_left_before() -> None:
    refreshes = BY_NAME["refreshes"]
    assert rate("additions-only", refreshes, STORIES) > 0.25
    assert rate("mark-and-sweep", refreshes, STORIES) < 0.10


def test_ending_by_page_number_goes_wrong_where_pages_overtake_each_other() -> None:
    parallel = BY_NAME["parallel"]
    assert rate("by-page-number", parallel, STORIES) > rate("mark-and-sweep", parallel, STORIES) + 0.02
