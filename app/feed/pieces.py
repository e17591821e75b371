"""What stands in an entry, cut into what one event can tell."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from app.cohorts.changelog import Entry, Member
from app.feed.event import Event
from app.feed.filter import EventFilter
from app.feed.position import Position
from app.feed.types import CHANGES, ENTERED, EXITED, UNTOLD, UNTOLD_KINDS, UPDATED, type_of

_LIFECYCLE_PART: Final = 1


@dataclass(frozen=True, slots=True)
class Piece:
    """Changes of one kind, or a lifecycle entry: it becomes an event, alone or with what it is joined to.

    Attributes:
        entry: the last one of which it holds something.
        type: of the event.
        part: how many of that entry's changes lie before its end.
        members: whom it is about.
        whole: it holds whole entries, each with one kind of change: more of the same can join it.
    """

    entry: Entry
    type: str
    part: int = _LIFECYCLE_PART
    members: Sequence[Member] = ()
    whole: bool = False

    def takes(self, other: "Piece", batch: int) -> bool:
        """Say whether another one, which comes next, can join it in an event of so many members."""
        return (
            self.whole
            and other.whole
            and self.subject == other.subject
            and len(self.members) + len(other.members) <= batch
        )

    def joined(self, other: "Piece") -> "Piece":
        """Return both as one."""
        return Piece(other.entry, self.type, other.part, [*self.members, *other.members], whole=True)

    def event(self, project_id: str) -> Event:
        """Return the event."""
        entry = self.entry
        size = entry.changes if entry.kind == CHANGES else _LIFECYCLE_PART
        position = Position(entry.generation, entry.sequence, self.part)
        return Event(
            project_id=project_id,
            type=self.type,
            position=position,
            after=position if self.part < size else Position(entry.generation, entry.sequence),
            time_ms=entry.time_ms,
            cohort_id=entry.cohort_id,
            data=self._data(),
        )

    @property
    def subject(self) -> tuple[str, ...]:
        """What must be the same of two that are told in one event."""
        entry = self.entry
        return (self.type, entry.cohort_id, entry.cohort_name, entry.cause, entry.session_id)

    def _data(self) -> dict[str, Any]:
        entry = self.entry
        if entry.kind == CHANGES:
            told: dict[str, Any] = {"cause": entry.cause, "members": [_told(each) for each in self.members]}
        else:
            told = _told_detail(entry)
        if not entry.cohort_id:
            return told
        cohort = {"id": entry.cohort_id, "name": entry.cohort_name}
        return {"cohort": cohort, "session_id": entry.session_id or None, **told}


def pieces(
    entry: Entry, chosen: EventFilter, batch: int, skip: int = 0, limit: int | None = None
) -> Iterator[Piece]:
    """Cut an entry.

    Args:
        entry: to be cut.
        chosen: what is wanted of it.
        batch: members in a piece at most.
        skip: how many of its changes were told before.
        limit: how many of its changes lie before the place to stop at; None for all.
    """
    if entry.kind != CHANGES:
        name = type_of(entry.kind)
        if entry.kind in UNTOLD_KINDS:
            return
        if skip == 0 and limit != 0 and chosen.takes_entry(name, entry):
            yield Piece(entry, name)
        return
    if entry.cause in UNTOLD or not chosen.takes_cohort(entry):
        return
    size = entry.changes
    end = size if limit is None else min(size, limit)
    before = 0
    for name, members in _kinds(entry):
        last = min(before + len(members), end)
        if chosen.takes_type(name):
            whole = skip == 0 and end == len(members) == size <= batch
            for begin in range(max(before, skip), last, batch):
                behind = min(begin + batch, last)
                yield Piece(entry, name, behind, members[begin - before : behind - before], whole)
        before += len(members)


def _kinds(entry: Entry) -> tuple[tuple[str, Sequence[Member]], ...]:
    """Return the changes by type, in the order in which an entry's changes are counted."""
    exited: list[Member] = [(distinct_id, {}) for distinct_id in entry.exited]
    return ((ENTERED, entry.entered), (EXITED, exited), (UPDATED, entry.updated))


def _told(member: Member) -> dict[str, Any]:
    distinct_id, properties = member
    return (
        {"distinct_id": distinct_id, "properties": properties} if properties else {"distinct_id": distinct_id}
    )


def _told_detail(entry: Entry) -> dict[str, Any]:
    """Return what a lifecycle entry says; times in words, and `members` stands for people only, no number."""
    told = dict(entry.detail)
    if "members" in told:
        told["member_count"] = told.pop("members")
    for name in [name for name in told if name.endswith("_ms")]:
        told[name.removesuffix("_ms")] = _time(told.pop(name))
    return told


def _time(at_ms: int) -> str:
    moment = datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
    return moment.replace("+00:00", "Z")
