"""Cuts a story down: drops syncs, people, failures, copies and stragglers as long as it still goes wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise

from tests.model.sender import Sent, send
from tests.model.story import SNAPSHOT_LIVES_S, SYNC_EVERY_S, Step, Story

Fails = Callable[[Sent], bool]

_PLENTY = 8
"""A page size with which the few people of a small story fit one page."""


def shrunk(story: Story, fails: Fails) -> tuple[Story, Sent]:
    """Return the smallest story found that still fails, and what it sends."""
    current = story
    progress = True
    while progress:
        progress = False
        for smaller in _smaller(current):
            sent = send(smaller)
            if _size(smaller) < _size(current) and sent.last_succeeded and fails(sent):
                current, progress = smaller, True
                break
    return current, send(current)


def _size(story: Story) -> tuple[int, ...]:
    """Measure a story; only what gets smaller is taken, so cutting ends."""
    steps = story.steps
    return (
        len(steps),
        sum(len(step.cohort ^ before.cohort) for before, step in pairwise(steps)),
        sum(len(step.cohort) for step in steps),
        sum(step.fails_at is not None for step in steps),
        sum(len(step.copies) + len(step.late) + step.lost + step.refresh for step in steps),
        sum(step.gap_s not in {0.0, SYNC_EVERY_S} for step in steps),
        sum(step.order != 0 for step in steps) + sum(step.pace_s != 1.0 for step in steps),
        abs(story.page_size - _PLENTY),
        sum(step.fails_at or 0 for step in steps),
    )


def _smaller(story: Story) -> Iterator[Story]:
    steps = story.steps
    for index in range(len(steps)):
        if len(steps) > 1:
            yield replace(story, steps=steps[:index] + steps[index + 1 :])
    for name in sorted(frozenset[str]().union(*(step.cohort for step in steps))):
        yield replace(story, steps=tuple(replace(step, cohort=step.cohort - {name}) for step in steps))
    yield replace(story, page_size=_PLENTY)
    for index, step in enumerate(steps):
        for simpler in _simpler(step, steps[index - 1].cohort if index else frozenset()):
            yield replace(story, steps=(*steps[:index], simpler, *steps[index + 1 :]))


def _simpler(step: Step, before: frozenset[str]) -> Iterator[Step]:
    if step.fails_at is not None:
        yield replace(step, fails_at=None, lost=False, late=())
        yield replace(step, fails_at=max(step.fails_at - 1, 0))
    yield replace(step, copies=step.copies[1:])
    yield replace(step, late=step.late[1:])
    yield replace(step, lost=False)
    yield replace(step, refresh=False)
    yield replace(step, order=0)
    yield replace(step, pace_s=1.0)
    if step.gap_s != SNAPSHOT_LIVES_S:
        yield replace(step, gap_s=SYNC_EVERY_S)
    for name in sorted(step.cohort ^ before):
        yield replace(step, cohort=step.cohort ^ {name})
    for name in sorted(step.cohort):
        yield replace(step, cohort=step.cohort - {name})
