"""What nobody can tell a subscriber any more."""

from dataclasses import dataclass
from typing import Literal

from app.feed.event import Event
from app.feed.position import Position
from app.feed.types import GAP

Reason = Literal["trimmed", "rewound", "new_generation"]


@dataclass(frozen=True, slots=True)
class Gap:
    """Missing entries.

    Attributes:
        first, last: their sequences; the last is None where nobody knows.
        reason: `trimmed`: dropped before the subscriber came for them; `rewound`: Redis lost the log's end;
            `new_generation`: it lost the log, and another one has begun.
        generation: of the log, as it goes on.
        of: the generation that is missing, where it is another one.
        behind: the sequence with which the log goes on, where it is not the one behind the last.
    """

    first: int
    last: int | None
    reason: Reason
    generation: str
    of: str | None = None
    behind: int | None = None

    def event(self, project_id: str, time_ms: int) -> Event:
        """Return the event that says so.

        Its id is the place before the entry with which the log goes on: no other event ends there.
        """
        goes_on = (self.last or 0) + 1 if self.behind is None else self.behind
        position = Position(self.generation, goes_on, 0)
        data = {
            "from": self.first,
            "to": self.last,
            "reason": self.reason,
            "generation": self.generation if self.of is None else self.of,
        }
        return Event(project_id, GAP, position, position, time_ms, "", data)
