"""Tell in the log that a destination has delivered everything of a sync.

It is told in the step that moves the cursor behind the entry `sync.completed`, so once. Where updates of the
sync's members wait for their links, everything is delivered only when the waiting room has let go what was in
it then: so it is told in the step that moves the room's cursor behind that.

What Mixpanel takes cannot be counted by sync: a record may hold what several caused. So the numbers are of
all that the destination delivered from the window in which the sync began to its end.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple, cast

import orjson
from redis import Redis

from app.cohorts.changelog import Entry
from app.cohorts.commit import NewEntry
from app.destinations.outbox import Command
from app.destinations.waiting.room import LANES_WITH_ROOM, room_name
from app.store import keys

COMPLETED: Final = "delivery.completed"
_BASE: Final = ""  # no cohort's id
_SYNCS_KEPT: Final = 4
"""Of a cohort: syncs that began and never ended, because another took their place, must not add up."""


class Told(NamedTuple):
    """What goes with the step that moves a cursor: entries of the log, and commands."""

    entries: Sequence[NewEntry] = ()
    commands: Sequence[Command] = ()


class Totals(NamedTuple):
    """What a destination ever delivered: records that Mixpanel accepted, and those that were given up."""

    accepted: int = 0
    dead_letters: int = 0

    def since(self, before: "Totals") -> "Totals":
        """Return what came after an earlier time."""
        return Totals(self.accepted - before.accepted, self.dead_letters - before.dead_letters)


Begun = dict[str, Totals]
"""Of one cohort: session -> the totals when it began, the newest last."""


class Completions:
    """Keep, for one lane that reads the log, which syncs it is at.

    Args:
        redis: where.
        lane: the lane's name.
    """

    def __init__(self, redis: Redis, lane: str) -> None:
        self._redis = redis
        self._lane = lane
        self._has_room = lane in LANES_WITH_ROOM

    def of_window(self, project_id: str, entries: Sequence[Entry]) -> Told:
        """Say what to tell as the cursor moves behind these entries, everything of which is settled."""
        syncs = keys.destination_syncs(project_id, self._lane)
        totals, in_room = self._read(project_id)
        moved = [entry for entry in entries if entry.kind in ("sync.started", "sync.completed")]
        told: list[NewEntry] = []
        commands: list[Command] = [(syncs, "HSET", (_BASE, orjson.dumps([*totals]).decode()))]
        if moved:
            base, begun = self._begun(project_id, (entry.cohort_id for entry in moved))
            done = [(entry, totals.since(_pass(entry, base, begun))) for entry in moved]
            told = [self._entry(entry, numbers) for entry, numbers in done if entry.kind == "sync.completed"]
            for cohort_id, sessions in begun.items():
                commands.append(_kept(syncs, cohort_id, sessions))
        if not in_room:
            return Told(told, commands)
        later = keys.destination_completing(project_id, self._lane)
        put_off = ((f"{in_room}:{entry.detail['sequence']}", _to_json(entry)) for entry in told)
        return Told((), [*commands, *((later, "HSET", each) for each in put_off)])

    def of_room(self, project_id: str, upto: int) -> Told:
        """Say what to tell as the room's cursor moves to `upto`."""
        later = keys.destination_completing(project_id, self._lane)
        stored = cast("dict[bytes, bytes]", self._redis.hgetall(later))  # of some seconds, a field a sync
        names = sorted((name for name in stored if _places(name)[0] <= upto), key=_places)
        if not names:
            return Told()
        entries = [_from_json(stored[name]) for name in names]
        return Told(entries, [(later, "HDEL", tuple(name.decode() for name in names))])

    def _read(self, project_id: str) -> tuple[Totals, int]:
        """Return the totals, and the room's last sequence if anything is in it, else 0."""
        counted = ["delivered", "dead_lettered", "cursor"]
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.hmget(keys.destination(project_id, self._lane), counted)
        if self._has_room:
            pipeline.hmget(keys.destination(project_id, room_name(self._lane)), counted)
            pipeline.hget(keys.waiting_meta(project_id, self._lane), "sequence")
        own, *rest = pipeline.execute()
        left, last = (rest[0], int(rest[1] or 0)) if rest else ((0, 0, 0), 0)
        totals = Totals(*(int(a or 0) + int(b or 0) for a, b in zip(own[:2], left[:2], strict=True)))
        return totals, last if last > int(left[2] or 0) else 0

    def _begun(self, project_id: str, cohort_ids: Iterable[str]) -> tuple[Totals, dict[str, Begun]]:
        """Return the totals when the cursor last moved, and what is known of these cohorts' syncs."""
        asked = list(dict.fromkeys(cohort_ids))
        stored = self._redis.hmget(keys.destination_syncs(project_id, self._lane), [_BASE, *asked])
        base, *each = cast("list[bytes | None]", stored)
        begun = {
            cohort_id: {name: Totals(*numbers) for name, numbers in orjson.loads(found or b"{}").items()}
            for cohort_id, found in zip(asked, each, strict=True)
        }
        return Totals(*orjson.loads(base)) if base else Totals(), begun

    def _entry(self, entry: Entry, numbers: Totals) -> NewEntry:
        seconds, microseconds = self._redis.time()
        detail = {"destination": self._lane, "sequence": entry.sequence, **numbers._asdict()}
        return NewEntry(
            COMPLETED,
            "",
            entry.cohort_id,
            entry.cohort_name,
            entry.session_id,
            seconds * 1000 + microseconds // 1000,
            detail=detail,
        )


def _pass(entry: Entry, base: Totals, begun: dict[str, Begun]) -> Totals:
    """Take in that a sync began or ended; return the totals when it began.

    One that ends under another session's id than it began with was started again: the newest is meant.
    """
    sessions = begun[entry.cohort_id]
    if entry.kind == "sync.started":
        sessions.pop(entry.session_id, None)
        sessions[entry.session_id] = base
        for oldest in list(sessions)[:-_SYNCS_KEPT]:
            del sessions[oldest]
        return base
    newest = next(reversed(sessions.values()), base)
    return sessions.pop(entry.session_id, newest)


def _places(name: bytes) -> tuple[int, int]:
    """Return the sequence of the room, and that of the log, from the name of a field."""
    room, sequence = name.split(b":")
    return int(room), int(sequence)


def _kept(key: str, cohort_id: str, sessions: Begun) -> Command:
    if not sessions:
        return key, "HDEL", (cohort_id,)
    return (
        key,
        "HSET",
        (cohort_id, orjson.dumps({name: [*totals] for name, totals in sessions.items()}).decode()),
    )


def _to_json(entry: NewEntry) -> str:
    names = (entry.cohort_id, entry.cohort_name, entry.session_id, entry.time_ms, entry.detail)
    return orjson.dumps(names).decode()


def _from_json(stored: bytes) -> NewEntry:
    cohort_id, cohort_name, session_id, time_ms, detail = orjson.loads(stored)
    return NewEntry(COMPLETED, "", cohort_id, cohort_name, session_id, time_ms, detail=detail)
