"""Compare a cohort with what was read of it from Mixpanel, and make the differences good, between pages.

Two walks, each in bounded steps that can be taken up again: over the members, for who was not read and goes;
then over who was read, for who is no member and comes in. Exits first, as within a sync: a device that was
identified leaves under one name and enters under another.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import orjson
from redis import Redis

from app.cohorts.applying.changes import Step
from app.cohorts.applying.work import Work
from app.cohorts.commit import CHUNK, Commit
from app.cohorts.epochs import Attempt, Entry
from app.cohorts.epochs.correcting import Correcting
from app.cohorts.exporting import encode
from app.cohorts.membership import Membership
from app.cohorts.packing import fingerprint, unpack_id
from app.cohorts.read_members import AT_ONCE, ReadMembers
from app.cohorts.record import CohortRecord
from app.cohorts.resync import Difference, Resync
from app.store import keys


class Found(NamedTuple):
    """Somebody whose entry differs from what was read.

    Attributes:
        packed_id, entry: who, and how the relay knows them.
        properties: as read, encoded; empty where none are known.
    """

    packed_id: bytes
    entry: Entry
    properties: bytes = b""


class Reconciling:
    """Takes the steps of a comparison."""

    def __init__(self, redis: Redis, membership: Membership) -> None:
        self._membership = membership
        self._read = ReadMembers(redis)

    def step(self, work: Work, record: CohortRecord, resync: Resync) -> bool:
        """Take the next buckets; return whether all is compared."""
        through = self._exits(work, record, resync) if resync.phase == "exits" else None
        if through:
            resync.phase, resync.cursor = "enters", 0
            work.commit(work.seal(work.begin(record)))
        return self._enters(work, record, resync) if through is None else False

    def _exits(self, work: Work, record: CohortRecord, resync: Resync) -> bool:
        """Look at the next members; a split meanwhile moves them ahead of the walk, never behind it."""
        count = min(record.buckets_at_once(CHUNK), record.buckets - resync.cursor)
        if count <= 0:
            return True
        portion = self._membership.read_buckets(work.project_id, record.cohort_id, resync.cursor, count)
        members = {packed_id: entry for bucket in portion for packed_id, entry in bucket.items() if entry.now}
        read = self._read.find(work.project_id, resync.number, resync.buckets, list(members))
        missing = [Found(packed_id, entry) for packed_id, entry in members.items() if packed_id not in read]
        self._correct(work, record, resync, missing, behind=resync.cursor + count)
        return False

    def _enters(self, work: Work, record: CohortRecord, resync: Resync) -> bool:
        """Look at the next of those who were read."""
        at_once = max(1, min(AT_ONCE, CHUNK * resync.buckets // max(1, resync.counts.get("read", 0))))
        count = min(at_once, resync.buckets - resync.cursor)
        if count <= 0:
            return True
        portion = self._read.portion(work.project_id, resync.number, resync.cursor, count)
        read = _without_erased(work, portion)
        entries = self._membership.entries(work.project_id, record.cohort_id, record.buckets, list(read))
        found = [
            Found(packed_id, entries[packed_id], value)
            for packed_id, value in read.items()
            if not entries[packed_id].now or _mark(value) not in {0, entries[packed_id].fingerprint}
        ]
        gone = self._read.gone(
            work.project_id, resync.number, resync.buckets, [each.packed_id for each in found]
        )
        self._correct(work, record, resync, found, behind=resync.cursor + count, gone=gone)
        return False

    def _correct(
        self,
        work: Work,
        record: CohortRecord,
        resync: Resync,
        found: Iterable[Found],
        *,
        behind: int,
        gone: Iterable[bytes] = (),
    ) -> None:
        """Make differences good in commits of a chunk each; only the last moves the walk on."""
        correcting = Correcting(record.machine, resync.since, resync.named)
        left_alone = set(gone)
        older = [
            each for each in found if each.packed_id not in left_alone and not correcting.is_newer(each.entry)
        ]
        newer = sum(1 for _ in found) - len(older)
        commits: list[Commit] = []
        step = Step(work, record, None, "reconcile", resync.at_ms)
        for place, each in enumerate(older):
            if place and place % CHUNK == 0 and not resync.dry_run:
                commits.append(step.sealed())
                step = Step(work, record, None, "reconcile", resync.at_ms)
            kind = _kind(each.entry, exits=resync.phase == "exits")
            resync.found(kind, unpack_id(each.packed_id))
            if not resync.dry_run:
                if not resync.epoch:
                    _begin_epoch(work, step, resync)
                _correct_one(step, correcting, each, present=resync.phase == "enters")
        if newer:
            resync.count("left_alone", newer)
        resync.cursor = behind
        step.commit.do(keys.resync(work.project_id, resync.number), "HSET", *resync.progress())
        work.commit(*commits, step.sealed())


def note_page(record: CohortRecord, attempt: Attempt) -> None:
    """Note under which epochs people are named while a reconcile reads: it leaves those alone.

    An epoch given since the reading began shows that by itself. Of attempts begun before, those that may
    have named somebody since are noted, and with them the other one that is open: it keeps whom both name.
    """
    resync = record.resync
    if resync is None or not resync.compares:
        return
    may_name = (attempt, *record.machine.open_attempts())
    epochs = {epoch for each in may_name for epoch in each.epochs if epoch <= resync.since}
    resync.named = sorted({*resync.named, *epochs})


def _without_erased(work: Work, read: Mapping[bytes, bytes]) -> Mapping[bytes, bytes]:
    """Leave out who was erased since they were read: the lane that reads may not have done its share yet."""
    suppressed = work.suppressed
    if not suppressed:
        return read
    kept = {packed_id: value for packed_id, value in read.items() if unpack_id(packed_id) not in suppressed}
    for packed_id, value in kept.items():
        properties = suppressed.values(orjson.loads(value)) if value else {}
        kept[packed_id] = encode(properties) if properties else b""
    return kept


def _kind(entry: Entry, *, exits: bool) -> Difference:
    if exits:
        return "exited"
    return "updated" if entry.now else "entered"


def _begin_epoch(work: Work, step: Step, resync: Resync) -> None:
    """Give the corrections an epoch, and let it be known whose it is."""
    resync.epoch = step.record.machine.begin_correcting()
    told = orjson.dumps([f"resync:{resync.number}", resync.at_ms])
    step.commit.do(keys.epochs(work.project_id, step.record.cohort_id), "HSET", resync.epoch, told)


def _correct_one(step: Step, correcting: Correcting, found: Found, *, present: bool) -> None:
    entry, existed = found.entry, not found.entry.gone
    exported = orjson.loads(found.properties) if found.properties else {}
    if entry.now and present:
        step.update(found.packed_id, exported)
    else:
        step.change(found.packed_id, correcting.correct(entry, present=present), exported)
    if present:
        entry.fingerprint = _mark(found.properties)
    step.store(found.packed_id, entry, existed=existed)


def _mark(properties: bytes) -> int:
    return fingerprint(encode(orjson.loads(properties))) if properties else 0
