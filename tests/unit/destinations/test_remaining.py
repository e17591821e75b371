"""What is left to deliver, and how long that takes."""

from dataclasses import fields, replace
from typing import Any

import pytest

from app.destinations.held import Held, ProjectHeld
from app.destinations.remaining import Remaining, eta_s

NOTHING = Remaining(pages=0, entries=0, records=0, waiting=0, cohorts=0, resyncs=0, held_up={})


def closed(left: int) -> ProjectHeld:
    return ProjectHeld(closed=Held("accepting was stopped", "ada", "", 1_000_000), left=left)


@pytest.mark.parametrize("name", sorted({each.name for each in fields(Remaining)} - {"resyncs", "held_up"}))
def test_each_thing_that_is_left_is_waited_for(name: str) -> None:
    assert NOTHING.nothing
    changed: dict[str, Any] = {name: 1}
    some = replace(NOTHING, **changed)
    assert not some.nothing
    assert some.changes > 0


def test_a_reconcile_of_days_is_not_waited_for() -> None:
    assert replace(NOTHING, resyncs=1).nothing


@pytest.mark.parametrize(
    ("left", "expected"),
    [(750, 30.0), (0, 0.0), (1_000, None), (2_000, None)],
)
def test_the_time_that_is_left_follows_from_the_pace_so_far(left: int, expected: float | None) -> None:
    assert eta_s(closed(1_000), left, 1_010_000) == expected


def test_nobody_knows_how_long_it_takes_while_more_comes() -> None:
    assert eta_s(ProjectHeld(), 10, 1_010_000) is None
