"""Carry out what a completed attempt leaves to be done, in bounded steps that can be taken up again.

A task goes either over the list of ids that an attempt changed, or (for a full list, and where the list was
cut) over all buckets. Its cursor is committed with what it changed.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple, cast

from redis import Redis

from app.cohorts.applying.changes import Step
from app.cohorts.applying.work import Work
from app.cohorts.commit import CHUNK, Commit, NewEntry
from app.cohorts.epochs import Attempt, Entry, Task
from app.cohorts.epochs.routing import JOIN_WITHIN_MS
from app.cohorts.epochs.settling import Settling
from app.cohorts.epochs.words import Change
from app.cohorts.membership import Membership
from app.cohorts.packing import unpack_ids
from app.cohorts.record import CohortRecord
from app.store import keys

STEPS_AT_ONCE = 3
"""Chunks of entries that a portion of buckets holds, about."""

Treat = Callable[[Step, Settling, bytes, Entry], None]


class Portion(NamedTuple):
    """Entries to look at, and the cursor behind them."""

    entries: dict[bytes, Entry]
    behind: int


class Tasks:
    """Runs the tasks of a cohort's epoch machine."""

    def __init__(self, redis: Redis, membership: Membership) -> None:
        self._redis = redis
        self._membership = membership

    def run(self, work: Work, record: CohortRecord) -> bool:
        """Do what is to be done before the cohort's next page.

        Returns:
            Whether all is done; not when the run has to pause before.
        """
        while record.machine.tasks:
            if work.must_pause():
                return False
            task = record.machine.tasks[0]
            if task.kind == "complete":
                self._complete(work, record, task)
            else:
                self._go_on(work, record, task)
        return True

    def _go_on(self, work: Work, record: CohortRecord, task: Task) -> None:
        """Take one portion of a task's entries."""
        treat, cause = _TREATMENTS[task.kind]
        concerned = record.machine.numbered(task.attempt)
        if concerned and concerned.is_long():  # maybe only since its sweep, which came after the task
            task.everywhere = True
        portion = None if _is_idle(record, task) else self._portion(work, record, task)
        attempt = record.machine.numbered(task.attempt) if task.kind != "revert" else _by(record, task)
        if portion is None:
            record.machine.tasks.pop(0)
            step = Step(work, record, attempt, cause, record.machine.completed_ms)
            if task.kind == "dismiss" and record.machine.held:
                step.commit.log.append(work.hold_ended(record, record.machine.held, "confirmed"))
                record.machine.held = None
            if task.kind in {"revert", "forget"}:
                step.commit.do(keys.named(work.project_id, record.cohort_id, task.attempt), "UNLINK")
            work.commit(step.sealed())
            return
        settling = Settling(record.machine, task)
        commits: list[Commit] = []
        step = Step(work, record, attempt, cause, record.machine.completed_ms)
        for place, (packed_id, entry) in enumerate(portion.entries.items()):
            if place and place % CHUNK == 0:
                commits.append(step.sealed())
                step = Step(work, record, attempt, cause, record.machine.completed_ms)
            treat(step, settling, packed_id, entry)
        # Only the portion's last step moves on: a worker that dies before it leaves the rest to be done.
        task.cursor = portion.behind
        work.commit(*commits, step.sealed())

    def _portion(self, work: Work, record: CohortRecord, task: Task) -> Portion | None:
        """Read the next entries that the task has to look at; None behind the last."""
        if task.everywhere:
            count = min(record.buckets_at_once(CHUNK * STEPS_AT_ONCE), record.buckets - task.cursor)
            if count <= 0:
                return None
            found = self._membership.read_buckets(work.project_id, record.cohort_id, task.cursor, count)
            entries = {packed_id: entry for bucket in found for packed_id, entry in bucket.items()}
            return Portion(entries, task.cursor + count)
        key = keys.named(work.project_id, record.cohort_id, task.attempt)
        joined = cast("bytes | None", self._redis.lindex(key, task.cursor))
        if joined is None:
            return None
        packed_ids = list(dict.fromkeys(unpack_ids(joined)))
        entries = self._membership.entries(work.project_id, record.cohort_id, record.buckets, packed_ids)
        return Portion(entries, task.cursor + 1)

    def _complete(self, work: Work, record: CohortRecord, task: Task) -> None:
        """Log that a sync is complete, and forget the attempts that this settles."""
        machine = record.machine
        machine.tasks.pop(0)
        attempt = machine.numbered(task.attempt)
        _count_sync(record, attempt)
        step = Step(work, record, None, "sync", machine.completed_ms)
        if attempt:
            step.commit.log.append(_completed(work, record, attempt))
            work.session_state(step.commit, attempt, "completed")
            if attempt.full and not attempt.blind:
                record.suspect = ""
                record.assured_ms = machine.completed_ms if machine.held is None else record.assured_ms
        machine.settle()
        work.commit(step.sealed())


def _completed(work: Work, record: CohortRecord, attempt: Attempt) -> NewEntry:
    """Return the log entry that a destination reads as: everything of this sync lies before."""
    machine = record.machine
    entry = work.entry(record, "sync.completed", "sync", attempt, machine.completed_ms)
    detail = {
        "entered": attempt.entered,
        "exited": attempt.exited,
        "updated": attempt.updated,
        "members": machine.count,
        "began_ms": attempt.began_ms,
        "full": attempt.full,
    }
    return replace(entry, detail=detail)


def _count_sync(record: CohortRecord, attempt: Attempt | None) -> None:
    """Count a complete export; one that is complete again, with more pages, is the same."""
    session, at_ms = attempt.sessions[-1] if attempt and attempt.sessions else "", record.machine.completed_ms
    if session != record.synced_session or at_ms - record.synced_ms >= JOIN_WITHIN_MS:
        record.syncs += 1
    record.synced_ms, record.synced_session = at_ms, session


def _is_idle(record: CohortRecord, task: Task) -> bool:
    """Say whether a task has nobody to look at: no tombstone, or none whom an exit can have hidden."""
    if task.kind != "reassert":
        return not task.epochs
    attempt = record.machine.numbered(task.attempt)
    return attempt is None or not (attempt.shadows and attempt.entered)


def _by(record: CohortRecord, task: Task) -> Attempt | None:
    owner = record.machine.by_epoch().get(task.by)
    return owner[0] if owner else None


def _settle(change: Change | None, step: Step, packed_id: bytes, entry: Entry, *, existed: bool) -> None:
    if change:
        step.change(packed_id, change)
    step.store(packed_id, entry, existed=existed)


def _revert(step: Step, settling: Settling, packed_id: bytes, entry: Entry) -> None:
    epoch = entry.epoch
    change = settling.revert(entry)
    if entry.epoch != epoch:  # an entry that is taken back gets another one, whether or not that changes it
        _settle(change, step, packed_id, entry, existed=True)


def _sweep(step: Step, settling: Settling, packed_id: bytes, entry: Entry) -> None:
    epoch = entry.epoch
    change = settling.sweep(entry)
    if change or entry.epoch != epoch:
        if entry.changed:
            step.listed.append(packed_id)
        _settle(change, step, packed_id, entry, existed=True)


def _hold(step: Step, settling: Settling, packed_id: bytes, entry: Entry) -> None:
    if settling.hold(entry):
        if entry.changed:
            step.listed.append(packed_id)
        _settle(None, step, packed_id, entry, existed=True)


def _dismiss(step: Step, settling: Settling, packed_id: bytes, entry: Entry) -> None:
    if change := settling.dismiss(entry):
        _settle(change, step, packed_id, entry, existed=True)


def _reassert(step: Step, settling: Settling, packed_id: bytes, entry: Entry) -> None:
    if settling.entered(entry):
        step.reassert(packed_id)


def _forget(step: Step, settling: Settling, packed_id: bytes, entry: Entry) -> None:
    if not entry.gone and settling.forgotten(entry):
        step.forget(packed_id)


_TREATMENTS: dict[str, tuple[Treat, str]] = {
    "revert": (_revert, "taken_back"),
    "sweep": (_sweep, "sync"),
    "hold": (_hold, "sync"),
    "dismiss": (_dismiss, "sync"),
    "reassert": (_reassert, "reasserted"),
    "forget": (_forget, "sync"),
}
