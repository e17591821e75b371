"""Where a subscriber stands: behind which change of which entry of the log."""

import re
from dataclasses import dataclass
from typing import Final, Self

_NOTHING: Final = "0"
_WRITTEN: Final = re.compile(r"(?:([0-9a-z]{1,32})-)?([0-9]{1,18})(?:-([0-9]{1,9}))?", re.ASCII)


class InvalidPosition(ValueError):  # noqa: N818 - named as the edge's other errors are
    """A text is no position; the message says what one looks like."""


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a project's log.

    Attributes:
        generation: of the log; empty for whichever there is.
        sequence: of an entry.
        part: how many of the entry's changes lie before the place; None for all of them.
    """

    generation: str
    sequence: int
    part: int | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an event's id, a position as `str` writes it, or a bare sequence (behind that whole entry).

        Raises:
            InvalidPosition: it is none of these.
        """
        found = _WRITTEN.fullmatch(text)
        if found is None or (found[1] is None and found[3] is not None):
            raise InvalidPosition("must be an event's id (generation-sequence-part) or a sequence")
        return cls(found[1] or "", int(found[2]), None if found[3] is None else int(found[3]))

    def __str__(self) -> str:
        """Write it so that `parse` reads the same."""
        parts = [self.generation] if self.generation else []
        parts.append(str(self.sequence))
        return "-".join(parts if self.part is None else [*parts, str(self.part)])

    @property
    def next(self) -> int:
        """The first sequence of which something may lie behind the place."""
        return self.sequence + (self.part is None)

    def is_of(self, generation: str) -> bool:
        """Say whether it is a place in that generation of the log."""
        return self.generation in ("", generation) or self == BEGINNING

    def is_before(self, other: "Position") -> bool:
        """Say whether something can lie between this place and another one of the same generation."""
        if self.next != other.next:
            return self.next < other.next
        return (self.part or 0) < (other.part or 0)


BEGINNING: Final = Position(_NOTHING, 0)
"""Before everything, in whatever generation: where somebody stands who has seen nothing."""
