"""One export as the sender meant it."""

from dataclasses import dataclass, field
from typing import Any

from app.cohorts.epochs.trust import Trust
from app.cohorts.epochs.words import ADD, MEMBERS, REMOVE

OPEN, DONE, FAILED = "open", "done", "failed"
LIST_LIMIT = 100_000
_HALF = {ADD: "add", REMOVE: "remove"}


@dataclass(slots=True)
class Call:
    """The pages of one action in an attempt.

    Attributes:
        total: pages announced (at least 1).
        pages: distinct pages seen.
        round_pages: distinct pages seen in the current round.
        people: members named.
    """

    total: int
    pages: int = 0
    round_pages: int = 0
    people: int = 0

    @property
    def whole(self) -> bool:
        """Whether every announced page came."""
        return self.pages >= self.total


@dataclass(slots=True)
class Round:
    """One pass over an export's pages; a repeat of a page begins the next. Counts are of entries.

    Attributes:
        epoch: the round's own.
        named: named in this round first.
        present: whose latest epoch this is, and who are in the cohort.
        left: whose latest epoch this is, and who would change if the attempt fell.
        again: adds of somebody who was present by a settled or done epoch.
        contradictions: names that fit no snapshot the sender can have.
        removed: members whom this round removed.
        repeats: changes of earlier rounds that this round named again.
    """

    epoch: int
    named: int = 0
    present: int = 0
    left: int = 0
    again: int = 0
    contradictions: int = 0
    removed: int = 0
    repeats: int = 0


@dataclass(slots=True)
class Attempt:
    """One export: its rounds, the pages seen, and the evidence that came later.

    Attributes:
        number: orders attempts; its first epoch.
        began, began_ms: the step and time (ms) it began at.
        elder: number of the attempt that was open when this one began, 0 for none.
        newest_ms: time (ms) of its last new page; `heard_ms`: of its last page, new or not.
        finished: the step it was completed at, 0 if it was not.
        fell: times that later attempts named its changes again; `stood`: that they built on them.
        entered, exited, updated: changes logged under it, for the record of the sync.
        shadows: exits of ids that may be another name of somebody who entered.
        top: the place of the current round's first page in the order of the export.
        overlap: a page number was used in both calls.
        restarted: it is what came before its session was restarted.
        listed: how many people it changed, as its list of ids in the store holds them.
        unlisted: some of its people are on another attempt's list, so its own is of no use.
        blind: a page of it could not be applied; what it did not name proves nothing.
    """

    number: int
    rounds: list[Round]
    began: int
    began_ms: int
    newest_ms: int
    heard_ms: int = 0
    elder: int = 0
    sessions: list[str] = field(default_factory=list)
    calls: dict[str, Call] = field(default_factory=dict)
    state: str = OPEN
    finished: int = 0
    fell: int = 0
    stood: int = 0
    entered: int = 0
    exited: int = 0
    updated: int = 0
    shadows: int = 0
    top: tuple[int, int] = (0, 0)
    overlap: bool = False
    restarted: bool = False
    listed: int = 0
    unlisted: bool = False
    blind: bool = False

    @property
    def epochs(self) -> list[int]:
        """The epochs of its rounds."""
        return [each.epoch for each in self.rounds]

    def gave(self, epoch: int) -> bool:
        """Say whether a round of this attempt, folded or not, had this epoch: they follow each other."""
        return self.number <= epoch <= self.round.epoch

    @property
    def round(self) -> Round:
        """The current round."""
        return self.rounds[-1]

    def fold_empty(self) -> None:
        """Make one of the rounds that hold no entry any more; their counts stay.

        Without it, a sender that uses one session id for ever would add a round at every repeat.
        """
        empty = [each for each in self.rounds if not each.present and not each.left]
        for each in empty[1:]:
            for count in ("named", "again", "contradictions", "removed", "repeats"):
                setattr(empty[0], count, getattr(empty[0], count) + getattr(each, count))
            self.rounds.remove(each)

    def total(self, count: str) -> int:
        """Sum one of the rounds' counts."""
        return sum(getattr(each, count) for each in self.rounds)

    @property
    def full(self) -> bool:
        """Whether it is an export of the whole cohort by its own word."""
        return MEMBERS in self.calls

    def place(self, action: str, number: int) -> tuple[int, int]:
        """Return where a page stands in the order that an export goes through: call by call, page by page."""
        actions = list(self.calls)
        return (actions.index(action) if action in actions else len(actions), number)

    def is_long(self) -> bool:
        """Whether its list does not hold all whom it changed; then all buckets are looked through."""
        return self.unlisted or self.listed > LIST_LIMIT

    def half(self) -> str:
        """Return the kind of a half (one whole action, the other never seen), else nothing."""
        if len(self.calls) != 1 or self.full:
            return ""
        (action, call) = next(iter(self.calls.items()))
        return _HALF[action] if call.whole else ""

    def complete(self, trust: Trust) -> bool:
        """Say whether everything the export announced has come."""
        if not self.calls:
            return False
        if self.counted_across(trust):
            return True
        whole = all(call.whole for call in self.calls.values())
        return whole and (self.full or len(self.calls) == len(_HALF) or trust.across)

    def counted_across(self, trust: Trust) -> bool:
        """Say whether both calls' distinct numbers add up to one common total above 1."""
        if trust.per_call or self.overlap or len(self.calls) != len(_HALF) or self.full:
            return False
        add, remove = self.calls[ADD], self.calls[REMOVE]
        return add.total == remove.total == add.pages + remove.pages > 1

    def kinds(self, trust: Trust) -> list[str]:
        """Return the kinds of failure it looks like, none if it looks complete."""
        looks = [] if self.complete(trust) else [self.half() or "torn"]
        return [*looks, "restart"] if self.restarted else looks

    def to_json(self) -> dict[str, Any]:
        """Return a JSON form; rounds and calls are lists in the order of their attributes."""
        data = {name: getattr(self, name) for name in self.__slots__}
        data["rounds"] = [[getattr(each, name) for name in each.__slots__] for each in self.rounds]
        data["calls"] = {
            action: [getattr(call, name) for name in call.__slots__] for action, call in self.calls.items()
        }
        return data

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Attempt":
        """Read the JSON form."""
        rounds = [Round(*each) for each in data["rounds"]]
        calls = {action: Call(*each) for action, each in data["calls"].items()}
        return cls(**{**data, "rounds": rounds, "calls": calls, "top": tuple(data["top"])})
