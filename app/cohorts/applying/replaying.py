"""Log a cohort's members again, between pages, resumably, and never so fast that live changes wait for it."""

from app.cohorts.applying.changes import Step
from app.cohorts.applying.work import Work
from app.cohorts.commit import CHUNK
from app.cohorts.membership import Membership
from app.cohorts.packing import unpack_id
from app.cohorts.record import CohortRecord
from app.cohorts.resync import SAMPLED, Resync
from app.store import keys

BUSY_LOOK_MS = 500


class Replaying:
    """Walks over a cohort's buckets and logs each member, under cause `replay`."""

    def __init__(self, membership: Membership) -> None:
        self._membership = membership

    def step(self, work: Work, record: CohortRecord, resync: Resync) -> bool:
        """Take the next buckets; a split meanwhile moves entries ahead of the walk, never behind it.

        Returns:
            Whether it is through.
        """
        if resync.dry_run:
            self._look(work, record, resync)
            return True
        if work.is_busy():
            work.postpone(record, BUSY_LOOK_MS)
            return False
        count = min(record.buckets_at_once(CHUNK // 2), record.buckets - resync.cursor)
        if count <= 0:
            return True
        step = Step(work, record, None, "replay", resync.at_ms)
        for bucket in self._membership.read_buckets(work.project_id, record.cohort_id, resync.cursor, count):
            for packed_id, member in bucket.items():
                if member.now:
                    step.reassert(packed_id)
        resync.count("replayed", len(step.again))
        resync.cursor += count
        step.commit.do(keys.resync(work.project_id, resync.number), "HSET", *resync.progress())
        work.commit(step.sealed())
        return False

    def _look(self, work: Work, record: CohortRecord, resync: Resync) -> None:
        """Count whom it would log again, and take some of the first buckets as a sample."""
        resync.counts = {"replayed": record.machine.count}
        first = min(record.buckets, record.buckets_at_once(CHUNK // 2))
        found = self._membership.read_buckets(work.project_id, record.cohort_id, 0, first)
        ids = [packed_id for bucket in found for packed_id, member in bucket.items() if member.now]
        resync.sample = {"replayed": [unpack_id(packed_id) for packed_id in ids[:SAMPLED]]}
