"""Cuts a story down: drops syncs, people, failures, copies and stragglers as long as it still goes wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from tests.model.sender import Sent, send
from tests.model.story import SNAPSHOT_LIVES_S, SYNC_EVERY_S, Step, Story

Fails = Callable[[Sent], bool]


def shrunk(story: Story, fails: Fails) -> tuple[Story, Sent]:
    """Return the smallest story found that still fails, and what it sends."""
    current = story
    progress = True
    while progress:
        progress = False
        for smaller in _smaller(current):
            sent = send(smaller)
            if sent.last_succeeded and fails(sent):
                current, progress = smaller, True
                break
    return current, send(current)


def _smaller(story: Story) -> Iterator[Story]:
    steps = story.steps
    for index in range(len(steps)):
        if len(steps) > 1:
            yield replace(story, steps=steps[:index] + steps[index + 1 :])
    for name in sorted(frozenset[str]().union(*(step.cohort for step in steps))):
        yield replace(story, steps=tuple(replace(step, cohort=step.cohort - {name}) for step in steps))
    for index, step in enumerate(steps):
        for simpler in _simpler(step, steps[index - 1].cohort if index else frozenset()):
            yield replace(story, steps=(*steps[:index], simpler, *steps[index + 1 :]))
    if story.page_size < 4:
        yield replace(story, page_size=4)


def _simpler(step: Step, before: frozenset[str]) -> Iterator[Step]:
    if step.fails_at is not None:
        yield replace(step, fails_at=None, lost=False, late=())
        if step.fails_at:
            yield replace(step, fails_at=step.fails_at - 1)
    if step.copies:
        yield replace(step, copies=step.copies[1:])
    if step.late:
        yield replace(step, late=step.late[1:])
    for simpler in (replace(step, lost=False), replace(step, refresh=False), replace(step, order=0)):
        if simpler != step:
            yield simpler
    if step.gap_s not in {SYNC_EVERY_S, SNAPSHOT_LIVES_S}:
        yield replace(step, gap_s=SYNC_EVERY_S)
    for name in sorted(step.cohort ^ before):
        yield replace(step, cohort=step.cohort ^ {name})
    for name in sorted(step.cohort):
        if name in before:
            yield replace(step, cohort=step.cohort - {name})
