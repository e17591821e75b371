"""Stories by chance: a cohort that changes a little from sync to sync, and a network that fails."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Literal

from tests.model.sender import Sender, Sent
from tests.model.story import SNAPSHOT_LIVES_S, SYNC_EVERY_S, Habits, Step, Story


@dataclass(frozen=True, slots=True)
class World:
    """The rates of one class of stories.

    Attributes:
        users: People who may be in the cohort; about half of them are.
        churn: Chance a person and sync to enter or leave.
        syncs: How many, without the warm-up.
        failing: Chance that a sync fails.
        lost: Which page of a failing sync can arrive with its answers lost: `any`, the `last`, or `none`.
        lost_share: In which share of the failing syncs it does; else the failing page never arrives.
        copied: Chance a page that its first answer is lost, so that it arrives twice.
        late: Chance that a page of a failed export, of which something had come, arrives minutes after the
            next one began.
        restarts: Chance that a failed export is begun again within minutes, not at the next half hour.
        gaps: Chance a failed sync that nothing arrives for three days after it.
        refreshes: Chance a sync to send the whole cohort unasked.
        warm: Begin with syncs that succeed and show the sender's habits: what a project that has been running
            knows.
    """

    users: int = 10
    churn: float = 0.1
    syncs: int = 10
    page_size: int = 2
    failing: float = 0.3
    lost: Literal["none", "last", "any"] = "none"
    lost_share: float = 1 / 3
    copied: float = 0.0
    late: float = 0.0
    restarts: float = 0.0
    gaps: float = 0.0
    refreshes: float = 0.0
    warm: bool = True
    habits: Habits = field(default_factory=Habits)


WARM_UP_SYNCS = 5


def random_story(world: World, seed: int) -> tuple[Story, Sent]:
    """Make the story number `seed` of a world, and what it puts on the wire. The last sync succeeds."""
    random = Random(seed)
    names = [f"u{number}" for number in range(world.users)]
    cohort = frozenset(name for name in names if random.random() < 0.5)
    cohorts = _warm_up(names, cohort, world.page_size) if world.warm else [cohort]
    warm = len(cohorts)
    for _ in range(world.syncs):
        flipped = {name for name in names if random.random() < world.churn}
        cohorts.append(cohorts[-1] ^ flipped)
    sender = Sender(Story((), world.habits, world.page_size))
    steps: list[Step] = []
    arrivals = []
    at = 0.0
    gap_s = 0.0
    for index, cohort in enumerate(cohorts):
        at += gap_s
        may_fail = warm <= index < len(cohorts) - 1
        step = _step(world, random, sender, cohort=cohort, at=at, gap_s=gap_s, may_fail=may_fail)
        steps.append(step)
        arrivals += sender.sync(step, at)
        gap_s = _gap(world, random, sender.failed)
    arrivals.sort(key=lambda page: page.at)
    story = Story(tuple(steps), world.habits, world.page_size)
    return story, Sent(tuple(arrivals), sender.snapshot or frozenset(), not sender.failed)


def _warm_up(names: list[str], cohort: frozenset[str], page_size: int) -> list[frozenset[str]]:
    """Show every kind of call: the whole list, two pages of adds alone, of removes alone, of both."""
    out = [name for name in names if name not in cohort][: page_size + 1]
    gone = frozenset(sorted(cohort)[: page_size + 1])
    return [cohort, cohort | set(out), cohort, (cohort | set(out)) - gone, cohort]


def _gap(world: World, random: Random, failed: bool) -> float:
    if failed and random.random() < world.gaps:
        return SNAPSHOT_LIVES_S
    if failed and random.random() < world.restarts:
        return random.uniform(90.0, 600.0)
    return SYNC_EVERY_S


def _step(
    world: World,
    random: Random,
    sender: Sender,
    *,
    cohort: frozenset[str],
    at: float,
    gap_s: float,
    may_fail: bool,
) -> Step:
    refresh = may_fail and random.random() < world.refreshes
    order = random.getrandbits(32)
    plain = Step(cohort, gap_s=gap_s, order=order, refresh=refresh)
    count = len(sender.pages(plain, at))
    copies = tuple(position for position in range(count) if random.random() < world.copied)
    pace_s = random.choice((0.5, 3.0, 30.0))
    if not (may_fail and count and random.random() < world.failing):
        return Step(cohort, copies=copies, order=order, gap_s=gap_s, pace_s=pace_s, refresh=refresh)
    fails_at = random.randrange(count)
    lost = world.lost != "none" and random.random() < world.lost_share
    if lost and world.lost == "last":
        fails_at = count - 1
    stragglers = range(fails_at, count) if fails_at else ()
    late = tuple(
        (position, random.uniform(0.0, 300.0)) for position in stragglers if random.random() < world.late
    )
    return Step(cohort, fails_at, lost, copies, late, order, gap_s, pace_s, refresh)
