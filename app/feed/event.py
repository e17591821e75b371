"""One event, before it is encoded for a subscriber."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.feed.position import Position


@dataclass(frozen=True, slots=True)
class Event:
    """What a subscriber is told.

    Attributes:
        project_id: whose log it is of.
        type: one of `types.TYPES`.
        position: of its last change; written, it is the event's id.
        after: the same place, to be kept by whoever remembers where a subscriber stands: it says, too, when
            nothing of the entry is left.
        time_ms: when the relay learned of what it tells.
        cohort_id: the cohort that it is about; empty if it is about the project.
        data: as its schema describes it.
    """

    project_id: str
    type: str
    position: Position
    after: Position
    time_ms: int
    cohort_id: str
    data: Mapping[str, Any]

    @property
    def id(self) -> str:
        """Its id, the same whenever it is told again."""
        return str(self.position)
