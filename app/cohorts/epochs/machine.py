"""The state of one cohort between pages: its attempts, its counts and what is left to do."""

from dataclasses import asdict, dataclass, field, replace
from typing import Any

from app.cohorts.epochs.attempt import DONE, FAILED, OPEN, Attempt, Round
from app.cohorts.epochs.shrinking import Shrink, ShrinkLimit
from app.cohorts.epochs.words import Entry, Task

FAILED_AT_MOST = 160
"""How many failed attempts can wait for evidence: more than Mixpanel makes before its snapshot expires (three
days, one every 30 minutes). Should still more fail, the oldest are taken as they are."""
RECONCILES_AT_MOST = 16
IN_DOUBT = 4
"""How many done attempts, the last that named anybody, can still be refuted."""


@dataclass(slots=True)
class Machine:
    """One cohort's attempts in the order they began, and what follows from them.

    Attributes:
        attempts: those in doubt, open, or newest. Settled ones are forgotten.
        epoch: the last epoch given.
        step: counts events, to order them without a clock.
        prev: entries up to this epoch are settled.
        count: members now.
        completed_ms: when the last attempt completed (0: never), for the snapshot's lifetime.
        partial: no full list has come yet, so some members may be unknown; `proven` once a stranger left.
        tasks: what must be done before the next page.
        reconciled: epochs of reconciles that brought somebody in, until they are settled.
        excused: how many a reconcile let go whom the sender may still remove.
        began, closed: numbers of attempts that began or were superseded since the last commit.
        contradicted: contradictions since the last commit, for the alarm.
        spared: attempts that evidence said to take back and the guard did not, since the last commit.
        held: the full list whose removals wait for a person, or were refused.
        limit: what full lists may remove; given with every run, not kept.
        shrunk, superseded: a full list beyond the limit, and a held one that another took the place of,
            since the last commit.
    """

    attempts: list[Attempt] = field(default_factory=list)
    epoch: int = 0
    step: int = 0
    prev: int = 0
    count: int = 0
    completed_ms: int = 0
    partial: str = ""
    tasks: list[Task] = field(default_factory=list)
    reconciled: list[int] = field(default_factory=list)
    excused: int = 0
    began: list[int] = field(default_factory=list)
    closed: list[int] = field(default_factory=list)
    contradicted: int = 0
    spared: list[int] = field(default_factory=list)
    held: Shrink | None = None
    limit: ShrinkLimit | None = None
    shrunk: Shrink | None = None
    superseded: Shrink | None = None

    @property
    def newest(self) -> Attempt | None:
        """The attempt that began last."""
        return self.attempts[-1] if self.attempts else None

    def open_attempts(self) -> list[Attempt]:
        """Return the unfinished attempts that still take pages, at most two."""
        return [attempt for attempt in self.attempts if attempt.state == OPEN]

    def numbered(self, number: int) -> Attempt | None:
        """Return an attempt by its number, None once it is forgotten."""
        return next((attempt for attempt in self.attempts if attempt.number == number), None)

    def of_session(self, session: str) -> Attempt | None:
        """Return the attempt that a session's pages belong to."""
        return next((each for each in reversed(self.attempts) if session in each.sessions), None)

    def by_epoch(self) -> dict[int, tuple[Attempt, Round]]:
        """Return which attempt and round each epoch in doubt is of."""
        return {each.epoch: (attempt, each) for attempt in self.attempts for each in attempt.rounds}

    def next_step(self) -> int:
        """Count an event."""
        self.step += 1
        return self.step

    def next_epoch(self) -> int:
        """Give a new epoch."""
        self.epoch += 1
        return self.epoch

    def elder(self, attempt: Attempt) -> Attempt | None:
        """Return the attempt that was open when this one began, unless it is forgotten."""
        return self.numbered(attempt.elder) if attempt.elder else None

    def release(self, entry: Entry, owners: dict[int, tuple[Attempt, Round]]) -> None:
        """Take an entry out of the counts of the round that named it last."""
        owner = owners.get(entry.epoch)
        if owner:
            owner[1].left -= entry.changed
            owner[1].present -= entry.now

    def claim(self, entry: Entry, owners: dict[int, tuple[Attempt, Round]]) -> None:
        """Put an entry into the counts of the round whose epoch it carries."""
        owner = owners.get(entry.epoch)
        if owner:
            owner[1].left += entry.changed
            owner[1].present += entry.now

    def begin_correcting(self) -> int:
        """Give a reconcile the epoch under which it brings people in; no attempt owns it."""
        self.reconciled = [*self.reconciled, self.next_epoch()][-RECONCILES_AT_MOST:]
        return self.reconciled[-1]

    def foreseen(self, entry: Entry) -> bool:
        """Say whether an add or remove that changes nothing only repeats what a reconcile did before it."""
        if entry.epoch in self.reconciled or self.is_held(entry):
            return True
        excused = self.excused > 0 and entry.gone
        self.excused -= excused
        return excused

    def is_held(self, entry: Entry) -> bool:
        """Say whether the removal of this member waits for a person: a held list did not name it."""
        return self.held is not None and entry.now and entry.epoch < self.held.attempt

    def confirm(self) -> None:
        """Let those go whom the held list did not name, as a task."""
        if self.held:
            number = self.held.attempt
            self.tasks.append(Task("dismiss", number, [number], self.epoch, everywhere=True))

    def refuse(self) -> None:
        """Keep those whom the held list did not name, until another full list comes."""
        if self.held:
            self.held = replace(self.held, refused=True)

    def let_stand(self) -> None:
        """Take the oldest of very many failed attempts as they are, and forget what is settled."""
        failed = [each for each in self.attempts if each.state == FAILED and each.total("left")]
        for attempt in failed[:-FAILED_AT_MOST]:
            attempt.state, attempt.finished = DONE, self.next_step()
        self.settle()

    def settle(self) -> None:
        """Move `prev` behind the attempts in doubt, and forget those that are settled by it."""
        named = [each for each in self.attempts if each.state == DONE and each.total("named")]
        if len(named) > IN_DOUBT:
            self.prev = max(self.prev, named[-IN_DOUBT].number - 1)
            self.reconciled = [epoch for epoch in self.reconciled if epoch > self.prev]
            self.excused = self.excused if self.reconciled else 0
        kept = []
        for attempt in self.attempts:
            over = attempt.state != OPEN and attempt is not self.newest
            if not over or (attempt.epochs[-1] > self.prev and attempt.total("left")):
                kept.append(attempt)
                continue
            if attempt.listed or attempt.unlisted:
                # Nobody can be a tombstone of an attempt that would change nobody: its list only goes.
                epochs = attempt.epochs if attempt.total("left") else []
                self.tasks.append(Task("forget", attempt.number, epochs, self.epoch, attempt.is_long()))
        self.attempts = kept

    def to_json(self) -> dict[str, Any]:
        """Return a JSON form; what is newer than the first format is there only where it says something.

        So processes of older code, which refuse names that they do not know, work beside these.
        """
        held = {"held": asdict(self.held)} if self.held else {}
        return {
            "attempts": [each.to_json() for each in self.attempts],
            "epoch": self.epoch,
            "step": self.step,
            "prev": self.prev,
            "count": self.count,
            "completed_ms": self.completed_ms,
            "partial": self.partial,
            "tasks": [each.to_json() for each in self.tasks],
            "reconciled": self.reconciled,
            "excused": self.excused,
            **held,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Machine":
        """Read the JSON form; what was only there until a commit is not in it."""
        attempts = [Attempt.from_json(each) for each in data["attempts"]]
        tasks = [Task.from_json(each) for each in data["tasks"]]
        held = Shrink(**data["held"]) if data.get("held") else None
        return cls(**{**data, "attempts": attempts, "tasks": tasks, "held": held})
