"""Go through many letters in steps of bounded cost: each says where the next one begins."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from app.destinations.dead_letters.filter import Filter
from app.destinations.dead_letters.letter import StoredLetter
from app.destinations.dead_letters.store import DeadLetters

LETTERS_A_STEP: Final = 1_000
LETTERS_AT_ONCE: Final = 250
"""Which one command moves, or takes out."""
LOOKED_AT_A_STEP: Final = 20_000
_PLACE: Final = re.compile(r"(\d{1,20}-\d{1,20})\.(\d{1,20}-\d{1,20})")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a step begins and where the last one ends.

    The end is fixed when the first begins. Else whoever sends refused letters again would meet them again
    behind the others, refused once more, and never come to an end.

    Attributes:
        after: id of the letter before.
        until: id of the last letter.
    """

    after: str
    until: str

    def onward(self, next_: str | None) -> "Place | None":
        """Return the place behind the letter of this id; None at the end."""
        return Place(next_, self.until) if next_ and next_ != self.until else None

    def __str__(self) -> str:
        """Write it, for `read`."""
        return f"{self.after}.{self.until}"

    @classmethod
    def read(cls, text: str) -> "Place":
        """Read what `str` wrote; raises ValueError."""
        found = _PLACE.fullmatch(text)
        if not found:
            raise ValueError("must be the cursor of the answer before")
        return cls(found[1], found[2])


@dataclass(frozen=True, slots=True)
class Walked:
    """How far a step went: letters looked at, and where the next one begins; None at the end."""

    looked: int
    next: Place | None


Work = Callable[[Sequence[StoredLetter]], bool]
"""Does something with some letters; False to end the step before them."""


class Walk:
    """Step through a project's letters, oldest first.

    Args:
        letters: all of them.
        project_id: whose.
        wanted: which of them.
        records: whether their records are needed.
    """

    def __init__(
        self, letters: DeadLetters, project_id: str, wanted: Filter, *, records: bool = False
    ) -> None:
        self._letters = letters
        self._project_id = project_id
        self._wanted = wanted
        self._records = records

    def step(self, place: Place | None, work: Work) -> Walked:
        """Take a step: up to 1,000 letters that are meant, of up to 20,000 that are looked at.

        Args:
            place: where the step before ended; None for the first.
            work: is given the letters that are meant, some at a time.
        """
        place = place or self._whole()
        looked = given = 0
        while place and given < LETTERS_A_STEP and looked < LOOKED_AT_A_STEP:
            page = self._letters.scan(
                self._project_id,
                self._wanted,
                after=place.after,
                until=place.until,
                limit=min(LETTERS_AT_ONCE, LETTERS_A_STEP - given),
                records=self._records,
            )
            if page.letters and not work(page.letters):
                break
            looked += page.looked
            given += len(page.letters)
            place = place.onward(page.next)
        return Walked(looked, place)

    def _whole(self) -> Place | None:
        last = self._letters.last_id(self._project_id)
        return Place("0-0", last) if last else None
