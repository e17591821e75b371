"""Collect the changes of one step, and turn them into its commit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from app.cohorts.applying.work import Work
from app.cohorts.buckets import by_bucket
from app.cohorts.carried import Written
from app.cohorts.commit import Commit
from app.cohorts.epochs import ENTERED, Attempt, Entry
from app.cohorts.epochs.words import Change
from app.cohorts.packing import pack_entry, pack_ids, unpack_id
from app.cohorts.read_members import LIVES_S
from app.cohorts.record import CohortRecord
from app.cohorts.resync import Resync
from app.store import keys

DEVICE_PREFIX = "$device:"


@dataclass
class Step:
    """At most 250 members' new entries and the changes among them.

    Attributes:
        work, record: where.
        attempt: under which the changes are counted.
        cause: why, for the log.
        at_ms: when the page behind it was accepted.
        rules: digest of the rules by which it is delivered; nothing for the project's.
    """

    work: Work
    record: CohortRecord
    attempt: Attempt | None
    cause: str
    at_ms: int
    rules: str = ""
    entered: list[Any] = field(default_factory=list)
    exited: list[str] = field(default_factory=list)
    updated: list[Any] = field(default_factory=list)
    again: list[str] = field(default_factory=list)
    listed: list[bytes] = field(default_factory=list)
    gone: list[bytes] = field(default_factory=list)
    commit: Commit = field(init=False)

    def __post_init__(self) -> None:
        """Begin the commit."""
        self.commit = self.work.begin(self.record)

    def store(self, packed_id: bytes, entry: Entry, *, existed: bool) -> None:
        """Write the entry, or drop it if nothing is left to remember."""
        if not entry.gone:
            self.commit.put(packed_id, pack_entry(entry))
        elif existed:
            self.commit.drop(packed_id)
        self.record.entries += (not entry.gone) - existed
        if not entry.now and self.cause != "reconcile":
            self.gone.append(packed_id)

    def change(self, packed_id: bytes, change: Change, exported: Mapping[str, Any] | None = None) -> None:
        """Log that somebody entered (with the exported properties, where they are known) or exited."""
        distinct_id = unpack_id(packed_id)
        if change == ENTERED:
            self.entered.append([distinct_id, exported] if exported else distinct_id)
        else:
            self.exited.append(distinct_id)

    def update(self, packed_id: bytes, exported: Mapping[str, Any]) -> None:
        """Log that a member's exported properties changed."""
        self.updated.append([unpack_id(packed_id), exported])

    def reassert(self, packed_id: bytes) -> None:
        """Log a member again as entered, without a change; not counted as one."""
        self.again.append(unpack_id(packed_id))

    def forget(self, packed_id: bytes) -> None:
        """Drop a tombstone."""
        self.commit.drop(packed_id)
        self.record.entries -= 1

    def sealed(self) -> Commit:
        """Finish the step: its log entry, its counts, its list of ids."""
        if self.attempt:
            self._count(self.attempt)
            self._list(self.attempt)
        if self.record.resync and self.record.resync.compares:
            self._remember_gone(self.record.resync)
        entered = self.entered + self.again
        if entered or self.exited or self.updated:
            entry = self.work.entry(self.record, "changes", self.cause, self.attempt, self.at_ms)
            rules, old_rules = self._written(writes=bool(entered or self.updated))
            self.commit.log.append(
                replace(
                    entry,
                    entered=entered,
                    exited=self.exited,
                    updated=self.updated,
                    rules=rules,
                    old_rules=old_rules,
                )
            )
        return self.work.seal(self.commit)

    def _written(self, *, writes: bool) -> tuple[str, Sequence[Written]]:
        """Return by which rules the step is delivered, and what others may have written on those it names."""
        record = self.record
        rules = self.rules or self.work.rules
        old: Sequence[Written] = ()
        if self.exited:
            old = [
                (digest, name)
                for digest, name in record.carried.others((rules, record.name))
                if digest != rules or name not in record.old_names  # those an exit takes away by itself
            ]
        elif self.cause == "rules" and record.carried.migration:
            old = [each for each in record.carried.migration.old if each != (rules, record.name)]
        if writes:
            self.work.note_written(record, rules)
        elif not record.machine.count and not record.carried.migration:
            record.carried.written.clear()  # this took away whatever it was
        return rules, old

    def _count(self, attempt: Attempt) -> None:
        attempt.entered += len(self.entered)
        attempt.exited += len(self.exited)
        attempt.updated += len(self.updated)
        attempt.shadows += sum(map(self._may_be_another_name, self.exited))

    def _may_be_another_name(self, distinct_id: str) -> bool:
        """Say whether Mixpanel may know a profile under this id and under another one that entered.

        In a simplified project only a device's id can become another id's; in the others any can.
        """
        return self.work.project.id_management != "simplified" or distinct_id.startswith(DEVICE_PREFIX)

    def _remember_gone(self, resync: Resync) -> None:
        """Remember who is made absent during a reconcile: the membership forgets it, sooner or later."""
        for bucket, packed_ids in by_bucket(self.gone, resync.buckets).items():
            key = keys.resync_gone(self.work.project_id, resync.number, bucket)
            self.commit.do(key, "HSET", *(part for packed_id in packed_ids for part in (packed_id, b"")))
            self.commit.do(key, "EXPIRE", LIVES_S)

    def _list(self, attempt: Attempt) -> None:
        """Keep the ids that would change if the attempt fell, up to a limit."""
        if not self.listed or attempt.is_long():
            return
        attempt.listed += len(self.listed)
        key = keys.named(self.work.project_id, self.record.cohort_id, attempt.number)
        if attempt.is_long():
            self.commit.do(key, "UNLINK")
        else:
            self.commit.do(key, "RPUSH", pack_ids(self.listed))
