"""Make events of a window of the log: what a subscriber is told, in the log's order. Pure."""

from collections.abc import Iterable, Iterator
from typing import Final

from app.cohorts.changelog import Entry
from app.feed.event import Event
from app.feed.filter import EVERYTHING, EventFilter
from app.feed.gaps import Gap
from app.feed.pieces import Piece, pieces
from app.feed.position import Position

LARGEST_BATCH: Final = 1_000


def events_of(
    project_id: str,
    entries: Iterable[Entry],
    after: Position,
    chosen: EventFilter = EVERYTHING,
    *,
    batch: int = LARGEST_BATCH,
    upto: Position | None = None,
) -> Iterator[Event]:
    """Yield the events behind a position.

    Small entries are told in one event where they stand next to each other and say the same of the same
    cohort and sync; large ones in several. So no two changes ever change places.

    Args:
        project_id: whose log.
        entries: in order, from `after.next` on. Where one is missing, a gap is told.
        after: where the subscriber stands.
        chosen: what it wants.
        batch: members in an event at most, 1 to 1,000.
        upto: a position not to go beyond.
    """
    waiting: Piece | None = None
    expected, skip = after.next, after.part or 0
    for entry in entries:
        if entry.sequence > expected:
            if waiting:
                yield waiting.event(project_id)
                waiting = None
            missing = Gap(expected, entry.sequence - 1, "trimmed", entry.generation)
            yield missing.event(project_id, entry.time_ms)
            skip = 0
        limit = upto.part if upto and upto.sequence == entry.sequence else None
        for piece in pieces(entry, chosen, batch, skip, limit):
            if waiting and waiting.takes(piece, batch):
                waiting = waiting.joined(piece)
            else:
                if waiting:
                    yield waiting.event(project_id)
                waiting = piece
        expected, skip = entry.sequence + 1, 0
    if waiting:
        yield waiting.event(project_id)
