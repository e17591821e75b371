"""The words of the epochs: an entry, a page, what is remembered of a page, a task."""

from dataclasses import dataclass
from typing import Any, Literal

MEMBERS, ADD, REMOVE = "members", "add_members", "remove_members"
OTHER = {ADD: REMOVE, REMOVE: ADD}

Change = Literal["entered", "exited"]
ENTERED: Change = "entered"
EXITED: Change = "exited"

SETTLED = 0
"""The epoch of what no attempt in doubt has touched."""


@dataclass(slots=True)
class Entry:
    """One member of one cohort, present or remembered as gone.

    Attributes:
        now: whether the person is in the cohort.
        was: whether the person was in the snapshot that the sender compares with.
        epoch: the epoch that last named the person.
        also: whether a second attempt, open at the same time, named the person too.
        again: the last naming was an add of somebody present already, by a settled or done epoch.
        entered: the epoch by which the person came in (for "since when").
        fingerprint: of the exported properties, 0 if there are none.
    """

    now: bool = False
    was: bool = False
    epoch: int = SETTLED
    also: bool = False
    again: bool = False
    entered: int = SETTLED
    fingerprint: int = 0

    @property
    def changed(self) -> bool:
        """Whether taking the naming attempt back would change the membership."""
        return self.now is not self.was

    @property
    def gone(self) -> bool:
        """Whether nothing is left to remember."""
        return not self.now and not self.was


ABSENT = Entry()
"""Somebody never heard of. Never written to."""


@dataclass(frozen=True, slots=True)
class Page:
    """What the epochs need to know of a page.

    Attributes:
        session: `mixpanel_session_id`.
        action: `members`, `add_members` or `remove_members`.
        number: the page's index, from 1 (0 is taken as it comes).
        total: pages of the call; 0 counts as 1.
        digest: of the content, the total included: two pages with one digest say the same.
        at: when it was accepted, in ms.
        people: how many usable members it names.
    """

    session: str
    action: str
    number: int
    total: int
    digest: str
    at: int
    people: int


@dataclass(frozen=True, slots=True)
class Sighting:
    """What is remembered of a page that was applied: its content and the epoch of its round."""

    digest: str
    epoch: int


@dataclass(slots=True)
class Task:
    """Something a completed attempt leaves to be done before the cohort's next page, in bounded steps.

    Attributes:
        kind: `revert` (take an attempt's entries back), `sweep` (a full list: who was not named goes),
            `hold` (a full list: who was not named waits for a person), `dismiss` (that person says: they go),
            `reassert` (name the entered again after the exits), `complete` (say so), `forget` (drop settled
            tombstones).
        attempt: number of the attempt that it is about.
        epochs: the epochs of that attempt.
        by: the last epoch of the attempt whose completion asks for it.
        everywhere: all buckets must be looked through, since the attempt's list of ids was cut.
        cursor: how far it has come; the runner's.
    """

    kind: str
    attempt: int
    epochs: list[int]
    by: int
    everywhere: bool = False
    cursor: int = 0

    def to_json(self) -> list[Any]:
        """Return a JSON form."""
        return [self.kind, self.attempt, self.epochs, self.by, self.everywhere, self.cursor]

    @classmethod
    def from_json(cls, data: list[Any]) -> "Task":
        """Read the JSON form."""
        return cls(*data)
