"""The sender, written from Mixpanel's documentation of cohort syncs.

It exports every 30 minutes: the whole cohort first, then the difference from the snapshot of its last
SUCCESSFUL export. A page is retried five times within a minute; one that keeps failing fails the export,
which leaves the snapshot alone, so the next export computes a new difference from it and sends that from the
top. A snapshot lives three days; then a whole list follows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from tests.model.story import SNAPSHOT_LIVES_S, Step, Story
from tests.model.wire import Action, SentPage

RETRIES_AFTER_S = (2.0, 6.0, 14.0, 30.0, 58.0)
"""When a failing page is sent again: five times in a minute, the waits doubling."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What a story put on the wire: the arrivals in order, and what Mixpanel then takes for the cohort."""

    pages: tuple[SentPage, ...]
    snapshot: frozenset[str]
    last_succeeded: bool


@dataclass(slots=True)
class Sender:
    """Mixpanel's side of one connection; `sync` is called once an export."""

    story: Story
    snapshot: frozenset[str] | None = None
    succeeded_at: float = 0.0
    attempts: int = 0
    session: str = "0"
    failed: bool = False
    held_up: list[tuple[float, SentPage]] = field(default_factory=list)

    def sync(self, step: Step, at: float) -> list[SentPage]:
        """Export once, beginning at `at` seconds; return what arrives, the previous one's stragglers too."""
        self._new_session()
        arrivals = [_at(page, at + delay) for delay, page in self.held_up]
        self.held_up = []
        pages = self.pages(step, at)
        failed = step.fails_at is not None and bool(pages)
        stop = min(step.fails_at or 0, len(pages) - 1) if failed else len(pages)
        copied = {min(position, len(pages) - 1) for position in step.copies}
        clock = at
        for position, page in enumerate(pages[:stop]):
            arrivals.append(_at(page, clock))
            if position in copied:
                clock += RETRIES_AFTER_S[0]
                arrivals.append(_at(page, clock))
            clock += step.pace_s
        self.failed = failed
        if not failed:
            self.snapshot, self.succeeded_at = step.cohort, at
            return arrivals
        if step.lost:
            arrivals += [_at(pages[stop], clock + wait) for wait in (0.0, *RETRIES_AFTER_S)]
        self.held_up = [(delay, pages[min(position, len(pages) - 1)]) for position, delay in step.late]
        return arrivals

    def _new_session(self) -> None:
        habits = self.story.habits
        again = habits.constant_id or (habits.reuses_id and self.failed)
        if not (again and self.attempts):
            self.session = str(self.attempts)
            self.attempts += 1

    def pages(self, step: Step, at: float) -> list[SentPage]:
        """Cut this sync's calls into pages, in the order in which they travel; changes nothing."""
        calls = self._calls(step, at)
        cut = [(action, _chunks(members, self.story.page_size)) for action, members in calls]
        everything = sum(len(chunks) for _, chunks in cut)
        pages = []
        before = 0
        for action, chunks in cut:
            total = everything if self.story.habits.across else len(chunks)
            for index, members in enumerate(chunks):
                number = index + 1 + (before if self.story.habits.across else 0)
                if total == 1 and not members and self.story.habits.zero_total:
                    number, total = 0, 0
                pages.append(SentPage(self._session_of(action), action, number, total, members, at))
            before += len(chunks)
        if self.story.habits.parallel:
            Random(step.order).shuffle(pages)
        return pages

    def _session_of(self, action: Action) -> str:
        return (
            self.session + "r" if self.story.habits.two_ids and action == "remove_members" else self.session
        )

    def _calls(self, step: Step, at: float) -> list[tuple[Action, frozenset[str]]]:
        habits = self.story.habits
        first = self.snapshot is None
        expired = at - self.succeeded_at >= SNAPSHOT_LIVES_S
        if first or expired or step.refresh:
            as_add = habits.first_as_add if first else expired and habits.expired_as_add
            if not as_add:
                return [("members", step.cohort)]
            calls: list[tuple[Action, frozenset[str]]] = [
                ("add_members", step.cohort),
                ("remove_members", frozenset()),
            ]
        else:
            assert self.snapshot is not None
            calls = [
                ("add_members", step.cohort - self.snapshot),
                ("remove_members", self.snapshot - step.cohort),
            ]
        if habits.remove_first:
            calls.reverse()
        return calls if habits.empty_calls else [call for call in calls if call[1]]


def send(story: Story) -> Sent:
    """Tell what arrives in a story, in order of arrival."""
    sender = Sender(story)
    pages: list[SentPage] = []
    at = 0.0
    for index, step in enumerate(story.steps):
        at += step.gap_s if index else 0.0
        pages += sender.sync(step, at)
    pages.sort(key=lambda page: page.at)
    return Sent(tuple(pages), sender.snapshot or frozenset(), not sender.failed)


def _chunks(members: frozenset[str], size: int) -> list[tuple[str, ...]]:
    ordered = sorted(members)
    return [tuple(ordered[start : start + size]) for start in range(0, len(ordered), size)] or [()]


def _at(page: SentPage, at: float) -> SentPage:
    return SentPage(page.session, page.action, page.number, page.total, page.members, at, page.cohort)
