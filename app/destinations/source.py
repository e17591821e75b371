"""Where a destination's windows come from: the change log, or an outbox."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

from app.cohorts.changelog import ChangeLog, Entry
from app.destinations.completing import Completions, Told
from app.destinations.outbox import Command, Outboxes, Submission
from app.destinations.plan import Plan
from app.destinations.position import Position
from app.lanes.lanes import HeldLane
from app.lanes.work import OutboxName
from config.projects import Project
from config.rules import RuleSet

WINDOW: Final = 20_000
"""Changes, or records, that are delivered at a time; the last entry may pass it."""


SYNCS_AT_ONCE: Final = 500
"""Syncs whose end one step tells: some 5 us of Redis's time each."""

Keep = Callable[[], None]
"""Keeps the lane while a plan is made, if it is called every so often; raises LaneLost if it is gone."""


def kept() -> None:
    """Do nothing: for plans that nobody else could take over."""


class Sequenced(Protocol):
    """What windows are made of: an entry of the log, a submission, a part of a waiting room."""

    @property
    def sequence(self) -> int:
        """Its place, gapless."""
        ...


E = TypeVar("E", bound=Sequenced)


@dataclass(frozen=True, slots=True)
class Delivery(Generic[E]):
    """A window and how it is delivered.

    Attributes:
        after: the sequence before it.
        entries: its entries, one or more.
        rules: the rules that turn them into records.
        known: what an earlier try's plan rested on; None if this is the first.
    """

    after: int
    entries: Sequence[E]
    rules: RuleSet
    known: bytes | None

    @property
    def end(self) -> int:
        """Its last sequence."""
        return self.entries[-1].sequence


class Source(Protocol[E]):
    """Gives windows in order, plans them, and is told when they are delivered."""

    def admit(self, lane: HeldLane) -> None:
        """See that the cursor begins where it ought to, before anything is read."""
        ...

    def next(self, project: Project, position: Position) -> Delivery[E] | None:
        """Give the window after the cursor: the one that was begun, or a new one; None at the end."""
        ...

    def plan(self, project: Project, delivery: Delivery[E], keep: Keep = kept) -> tuple[Plan, bytes]:
        """Plan a window, the same at every try; return also what the plan rests on beyond the entries."""
        ...

    def begun(self, lane: HeldLane, delivery: Delivery[E], plan: Plan, known: bytes) -> None:
        """Do what comes before anything is sent, once the window is remembered; at every try."""
        ...

    def passing(self, project: Project, delivery: Delivery[E]) -> Sequence[Command]:
        """Return what is to be done in the step that moves the cursor over the window."""
        ...

    def telling(self, project: Project, delivery: Delivery[E], completions: Completions) -> Told:
        """Return what is to be told in the log in that step, and what goes with it."""
        ...

    def passed(self, project: Project, delivery: Delivery[E]) -> None:
        """Note that the cursor has moved over the window."""
        ...


class LogSource(ABC):
    """Windows of the change log."""

    def __init__(self, changelog: ChangeLog) -> None:
        self._changelog = changelog

    def admit(self, lane: HeldLane) -> None:
        """Begin at the log's end where the rules have newly given this reader something to do."""
        self._changelog.admit(lane)

    def next(self, project: Project, position: Position) -> Delivery[Entry] | None:
        """Give the window after the cursor: the one that was begun, or a new one; None at the log's end."""
        window = position.window
        last = window.end if window else None
        entries = self._changelog.read(project.id, position.cursor, WINDOW, last)
        if not entries:
            return None
        if window is None:
            some, digest = _of_one_rule_set(_of_some_syncs(entries))
            rules = self._changelog.rule_sets.of(project, digest)
            return Delivery(position.cursor, some, rules, known=None)
        return Delivery(position.cursor, entries, RuleSet.from_json(window.rules), window.known)

    @abstractmethod
    def plan(self, project: Project, delivery: Delivery[Entry], keep: Keep = kept) -> tuple[Plan, bytes]:
        """Plan a window."""

    def begun(self, lane: HeldLane, delivery: Delivery[Entry], plan: Plan, known: bytes) -> None:
        """Do nothing."""
        del lane, delivery, plan, known

    def passing(self, project: Project, delivery: Delivery[Entry]) -> Sequence[Command]:
        """Return nothing: the log is trimmed behind the slowest reader."""
        del project, delivery
        return ()

    def telling(self, project: Project, delivery: Delivery[Entry], completions: Completions) -> Told:
        """Tell of syncs that end in the window."""
        return completions.of_window(project.id, delivery.entries)

    def passed(self, project: Project, delivery: Delivery[Entry]) -> None:
        """Trim the log."""
        del delivery
        self._changelog.trim(project.id)


def _of_some_syncs(entries: Sequence[Entry]) -> Sequence[Entry]:
    """Cut entries behind as many ends of syncs as one step may tell of: a window can hold many quiet ones."""
    ends = [place for place, entry in enumerate(entries, 1) if entry.kind == "sync.completed"]
    return entries[: ends[SYNCS_AT_ONCE - 1]] if len(ends) > SYNCS_AT_ONCE else entries


def _of_one_rule_set(entries: Sequence[Entry]) -> tuple[Sequence[Entry], str]:
    """Cut entries where those begin that go by other rules; return what is left and its rules' digest."""
    digest: str | None = None
    for place, entry in enumerate(entries):
        if entry.kind == "changes":
            if digest is None:
                digest = entry.rules
            elif digest != entry.rules:
                return entries[:place], digest
    return entries, digest or ""


class OutboxSource(ABC):
    """Windows of an outbox."""

    def __init__(self, outboxes: Outboxes, name: OutboxName) -> None:
        self._outboxes = outboxes
        self._name: OutboxName = name

    def admit(self, lane: HeldLane) -> None:
        """Do nothing: an outbox is read from its beginning."""
        del lane

    def next(self, project: Project, position: Position) -> Delivery[Submission] | None:
        """Give the window after the cursor: the one that was begun, or a new one; None at the end."""
        window = position.window
        last = window.end if window else None
        submissions = self._outboxes.read(project.id, self._name, position.cursor, WINDOW, last)
        if not submissions:
            return None
        return Delivery(position.cursor, submissions, RuleSet(), window.known if window else None)

    @abstractmethod
    def plan(self, project: Project, delivery: Delivery[Submission], keep: Keep = kept) -> tuple[Plan, bytes]:
        """Plan a window."""

    def begun(self, lane: HeldLane, delivery: Delivery[Submission], plan: Plan, known: bytes) -> None:
        """Do nothing."""
        del lane, delivery, plan, known

    def passing(self, project: Project, delivery: Delivery[Submission]) -> Sequence[Command]:
        """Return what drops the window's submissions."""
        return self._outboxes.dropping(project.id, self._name, delivery.entries)

    def telling(self, project: Project, delivery: Delivery[Submission], completions: Completions) -> Told:
        """Tell nothing."""
        del project, delivery, completions
        return Told()

    def passed(self, project: Project, delivery: Delivery[Submission]) -> None:
        """Do nothing: the submissions went with the step that moved the cursor."""
        del project, delivery
