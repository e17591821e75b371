"""What putting a cursor elsewhere would come to, before it is done."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where a cursor stands, and where it can be put. Sequences are those of the log, or of the outbox.

    Attributes:
        project_id, destination: whose cursor.
        cursor: the last sequence whose every record is settled.
        earliest: the lowest place: behind it the log has everything still. An outbox keeps nothing behind its
            cursor, so there it is the cursor.
        latest: the highest: the end of the log, or of the outbox.
        window_end: the last sequence of a window that was begun and is not done; 0 if there is none.
        mark: stands for this very state.
    """

    project_id: str
    destination: str
    cursor: int
    earliest: int
    latest: int
    window_end: int
    mark: str

    def confirmation(self, to: int) -> str:
        """Return what confirms that somebody has seen what it means to go from this state to `to`."""
        text = "\n".join((self.project_id, self.destination, self.mark, str(self.cursor), str(to)))
        return sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Preview:
    """What it would come to.

    Attributes:
        bounds: where the cursor stands.
        to: where it would be put.
        unit: of what is counted: `entries` of the log, or `submissions`.
        entries: how many of these are skipped or repeated.
        counted: how many of these were looked at; the rest of the counts is of them.
        changes: how many members they name as `entered`, `exited`, `updated`.
        records: how many records they hold; of submissions only.
        operations: what is sent for them at the most, by kind, by the rules that they go by.
        twice: those of them that count once more where they are repeated.
        begun: how many entries behind `to` belong to a window of which a part may have been sent.
        waiting: profiles whose updates wait for links.
        means: all of this, in sentences.
        confirmation: to be given back.
    """

    bounds: Bounds
    to: int
    unit: str
    entries: int
    counted: int
    changes: Mapping[str, int]
    records: int
    operations: Mapping[str, int]
    twice: Mapping[str, int]
    begun: int
    waiting: int
    means: tuple[str, ...]
    confirmation: str

    @property
    def action(self) -> str:
        """`skip` or `rewind`."""
        return "skip" if self.to > self.bounds.cursor else "rewind"
