"""The change log: one ordered stream a project, which every destination reads with a cursor of its own."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, cast

import orjson
from redis import Redis
from structlog.stdlib import get_logger

from app.cohorts.commit import NewEntry, candidate_generation
from app.cohorts.holding import Trimming, Unheld
from app.cohorts.rule_sets import RuleSets
from app.cohorts.suppression import NOBODY, Suppressed
from app.lanes.lanes import HeldLane, LaneLost, Lanes
from app.lanes.work import EVENTS, IDENTITY, LaneKind, Readers, profiles_only
from app.store import keys, scripts

READ_AT_ONCE = 50
TRIM_AT_ONCE = 200
TRIM_AT_MOST = 10_000
_UNHELD: Final = Unheld()

IDLE_MS: Final = 3_600_000
IDLE_ENTRIES: Final = 4_000
"""How long, and how far behind, a reader that rules give nothing to do is remembered: so that a process with
older rules, which is about to end, takes nothing from one with newer rules."""

log = get_logger(__name__)

_COME_AND_GO: Final[tuple[LaneKind, ...]] = (EVENTS, IDENTITY)

Member = tuple[str, Mapping[str, Any]]
"""A distinct_id and its exported properties (empty where nothing is exported or known)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the log: at most 250 members' changes, or an event in the life of a sync.

    Attributes:
        sequence: gapless within a generation.
        generation: of the log; a new one begins when a part of the log was lost.
        kind: `changes`, or an event such as `sync.started`, `sync.completed`, `sync.superseded`.
        cause: why there is a change: `sync`, `taken_back`, `rename`, `reasserted`, `replay`, `reconcile`.
        cohort_id, cohort_name: the cohort, and its name at that time.
        session_id: the export that caused it, if one did.
        time_ms: when the page that caused it was accepted.
        entered, updated: members with their exported properties.
        exited: distinct_ids.
        old_names: names that members may still carry while a rename is under way.
        rules: digest of the rules by which changes are delivered; empty for those that are configured.
        old_rules: (digest, cohort's name) that members may carry what was written by, besides these.
        detail: of an event.
        places: of `entered`, `exited` or `updated`, where some are left out: the places of the others as the
            entry was written.
    """

    sequence: int
    generation: str
    kind: str
    cause: str
    cohort_id: str
    cohort_name: str
    session_id: str
    time_ms: int
    entered: tuple[Member, ...] = ()
    exited: tuple[str, ...] = ()
    updated: tuple[Member, ...] = ()
    old_names: tuple[str, ...] = ()
    rules: str = ""
    old_rules: tuple[tuple[str, str], ...] = ()
    detail: Mapping[str, Any] = field(default_factory=dict)
    places: Mapping[str, Sequence[int]] = field(default_factory=dict)

    @property
    def changes(self) -> int:
        """How many changes it holds."""
        return len(self.entered) + len(self.exited) + len(self.updated)


class ChangeLog:
    """Reads, extends and trims the log."""

    def __init__(
        self,
        redis: Redis,
        lanes: Lanes,
        keep_entries: int,
        readers: Readers = profiles_only,
        holding: Trimming = _UNHELD,
    ) -> None:
        self.readers = readers
        self._holding = holding
        self._redis = redis
        self._lanes = lanes
        self._keep = keep_entries
        self.rule_sets = RuleSets(redis)
        self._append = scripts.load(redis, "cohorts/scripts/append.lua")
        self._admit = scripts.load(redis, "cohorts/scripts/admit.lua")

    def end(self, project_id: str) -> int:
        """Return the last sequence, 0 for an empty log."""
        return int(cast("bytes | None", self._redis.hget(keys.log_meta(project_id), "sequence")) or 0)

    def read(self, project_id: str, after: int, max_changes: int, last: int | None = None) -> list[Entry]:
        """Return entries in order; what is missing between them is told in the log, with its range.

        Args:
            project_id: whose log.
            after: the sequence behind which to begin; everything behind it is expected to be there.
            max_changes: enough once so many changes are read (the last entry may pass it).
            last: a sequence not to read beyond.
        """
        entries: list[Entry] = []
        changes = 0
        upper = "+" if last is None else f"{last}-0"
        while changes < max_changes:
            found = cast(
                "list[tuple[bytes, dict[bytes, bytes]]]",
                self._redis.xrange(keys.log(project_id), f"({after}-0", upper, READ_AT_ONCE),
            )
            for entry_id, stored in found:
                entry = decode_entry(int(entry_id.split(b"-")[0]), stored)
                if entry.sequence != after + 1:
                    missing = f"{after + 1}-{entry.sequence - 1}"
                    log.warning("log_entries_missing", project_id=project_id, sequences=missing)
                entries.append(entry)
                after = entry.sequence
                changes += entry.changes
                if changes >= max_changes:
                    break
            if len(found) < READ_AT_ONCE:
                break
        return self._without_erased(project_id, entries)

    def _without_erased(self, project_id: str, entries: list[Entry]) -> list[Entry]:
        """Leave out who was erased since these entries were written: nothing of theirs goes out any more."""
        suppressed = Suppressed.read(self._redis, project_id) if entries else NOBODY
        return [_without(entry, suppressed) for entry in entries] if suppressed else entries

    def oldest_behind(self, project_id: str, after: int) -> int | None:
        """Return when (ms) the first entry behind a sequence was written; None if there is none."""
        found = cast(
            "list[tuple[bytes, dict[bytes, bytes]]]",
            self._redis.xrange(keys.log(project_id), f"({after}-0", "+", 1),
        )
        return int(found[0][1][b"time_ms"]) if found else None

    def append(
        self,
        project_id: str,
        kind: str,
        detail: Mapping[str, Any],
        cohort_id: str = "",
        cohort_name: str = "",
    ) -> int:
        """Append an event that a destination has to tell, and return its sequence."""
        now_s, now_us = self._redis.time()
        readers = self.readers(project_id)
        entry = NewEntry(kind, "", cohort_id, cohort_name, "", now_s * 1000 + now_us // 1000, detail=detail)
        sequence, *wakes = cast(
            "list[int]",
            self._append(
                keys=[
                    keys.log(project_id),
                    keys.log_meta(project_id),
                    *(keys.lane(project_id, lane.name) for lane in readers),
                ],
                args=[candidate_generation(), *entry.encoded()],
            ),
        )
        for lane, wake in zip(readers, wakes, strict=True):
            self._lanes.enqueue(project_id, lane.name, wake)
        return sequence

    def admit(self, lane: HeldLane) -> None:
        """Begin the cursors of readers that rules have newly given something to do, and end those of others.

        A new reader begins at the log's end: what happened before its rule was there is not its business. One
        that has nothing to do any more is forgotten after an hour; until then it can go on where it was. The
        apply lane calls it before it appends, a reader's own lane before it reads; whoever is first decides.

        Raises:
            LaneLost: somebody else holds the lane.
        """
        project_id = lane.project_id
        reading = self.readers(project_id)
        names = [lane.key, keys.log_meta(project_id)]
        args: list[str | int] = [lane.token, IDLE_MS, IDLE_ENTRIES]
        for kind in _COME_AND_GO:
            names += [
                keys.destination(project_id, kind.name),
                keys.destination_accepted(project_id, kind.name),
                keys.destination_syncs(project_id, kind.name),
            ]
            args.append(int(kind in reading))
        if not self._admit(keys=names, args=args):
            raise LaneLost(lane.name)

    def trim(self, project_id: str) -> None:
        """Drop what nobody needs any more, but for the newest entries, in small steps.

        What every destination has read is kept for consumers (`app.cohorts.holding`), within their limits. Of
        very much that has to go, a part goes at the next call: nobody waits long for this.
        """
        wanted = min(self.slowest(project_id), *self._idle(project_id), self.end(project_id) - self._keep)
        first = cast("list[tuple[bytes, Any]]", self._redis.xrange(keys.log(project_id), count=1))
        oldest = int(first[0][0].split(b"-")[0]) if first else wanted + 1
        upto = min(self._holding.allow(project_id, oldest, wanted), oldest + TRIM_AT_MOST - 1)
        for step in range(oldest, upto + 1, TRIM_AT_ONCE):
            behind = min(upto + 1, step + TRIM_AT_ONCE)
            self._redis.xtrim(keys.log(project_id), minid=f"{behind}-0", approximate=False)

    def passed(self, project_id: str) -> int:
        """Return the last sequence that all readers have passed, consumers within their limits among them."""
        first = cast("list[tuple[bytes, Any]]", self._redis.xrange(keys.log(project_id), count=1))
        upto = min(self.slowest(project_id), *self._idle(project_id), self.end(project_id))
        return self._holding.held(project_id, int(first[0][0].split(b"-")[0]), upto) if first else upto

    def behind(self, project_id: str, lane: LaneKind) -> int:
        """Return how many entries one destination has still to read."""
        cursor = cast("bytes | None", self._redis.hget(keys.destination(project_id, lane.name), "cursor"))
        return self.end(project_id) - int(cursor or 0)

    def slowest(self, project_id: str) -> int:
        """Return the lowest cursor of the destinations that hold the log."""
        cursors = [
            self._redis.hget(keys.destination(project_id, lane.name), "cursor")
            for lane in self.readers(project_id)
        ]
        return min(int(cast("bytes | None", cursor) or 0) for cursor in cursors)

    def _idle(self, project_id: str) -> Iterator[int]:
        """Give the cursors that are there although these rules give their readers nothing to do."""
        reading = self.readers(project_id)
        for lane in _COME_AND_GO:
            if lane not in reading:
                cursor = self._redis.hget(keys.destination(project_id, lane.name), "cursor")
                if cursor is not None:
                    yield int(cast("bytes", cursor))

    def backlog(self, project_id: str) -> int:
        """Return how many entries the slowest destination has still to read."""
        return self.end(project_id) - self.slowest(project_id)


def span(sequences: Sequence[int]) -> str:
    """Name the first and the last of some sequences, for the log; empty without any."""
    return f"{min(sequences)}-{max(sequences)}" if sequences else ""


def decode_entry(sequence: int, stored: Mapping[bytes, bytes]) -> Entry:
    """Read an entry as the stream holds it."""
    data = orjson.loads(stored[b"data"])
    return Entry(
        sequence=sequence,
        generation=stored[b"generation"].decode(),
        kind=stored[b"kind"].decode(),
        cause=stored[b"cause"].decode(),
        cohort_id=stored[b"cohort_id"].decode(),
        cohort_name=stored[b"cohort_name"].decode(),
        session_id=stored[b"session_id"].decode(),
        time_ms=int(stored[b"time_ms"]),
        entered=_members(data.get("entered", ())),
        exited=tuple(data.get("exited", ())),
        updated=_members(data.get("updated", ())),
        old_names=tuple(data.get("old_names", ())),
        rules=data.get("rules", ""),
        old_rules=tuple((digest, name) for digest, name in data.get("old_rules", ())),
        detail=data.get("detail", {}),
    )


def _without(entry: Entry, suppressed: Suppressed) -> Entry:
    ids = {
        "entered": [distinct_id for distinct_id, _ in entry.entered],
        "exited": entry.exited,
        "updated": [distinct_id for distinct_id, _ in entry.updated],
    }
    places = {
        way: [place for place, distinct_id in enumerate(named) if distinct_id not in suppressed]
        for way, named in ids.items()
    }
    return replace(
        entry,
        entered=tuple(_kept(entry.entered, places["entered"], suppressed)),
        exited=tuple(entry.exited[place] for place in places["exited"]),
        updated=tuple(_kept(entry.updated, places["updated"], suppressed)),
        places={way: kept for way, kept in places.items() if len(kept) < len(ids[way])},
    )


def _kept(members: Sequence[Member], places: Sequence[int], suppressed: Suppressed) -> Iterator[Member]:
    for place in places:
        distinct_id, properties = members[place]
        yield distinct_id, suppressed.values(properties)


def _members(stored: Sequence[Any]) -> tuple[Member, ...]:
    """Return members; without properties they are stored as bare ids."""
    return tuple((each, {}) if type(each) is str else (each[0], each[1]) for each in stored)
