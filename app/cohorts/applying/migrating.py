"""Bring the members of a cohort to other rules, between pages and resumably.

Whoever asks rings for the apply lane (`app.resync.rule_changes`): a field of the hash `rules_rung` names the
rules for a cohort. Members are logged again, under cause `rules`, by those rules, whichever file this process
has. A second change of the rules begins the walk anew: what the first one wrote is then one of the old ones.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

import orjson
from redis import Redis
from structlog.stdlib import get_logger

from app.cohorts.applying.changes import Step
from app.cohorts.applying.replaying import BUSY_LOOK_MS
from app.cohorts.applying.tasks import Tasks
from app.cohorts.applying.work import Work
from app.cohorts.carried import Migration
from app.cohorts.commit import CHUNK
from app.cohorts.membership import Membership
from app.cohorts.record import CohortRecord
from app.store import keys
from config.rule_changes import unknown

log = get_logger(__name__)


class Migrating:
    """Begins migrations, and takes their steps."""

    def __init__(self, redis: Redis, membership: Membership, tasks: Tasks) -> None:
        self._redis = redis
        self._membership = membership
        self._tasks = tasks

    def rung(self, project_id: str) -> Mapping[str, tuple[str, int]]:
        """Return what is asked for: cohort id -> the rules' digest, and when it was asked (ms)."""
        found = cast("dict[bytes, bytes]", self._redis.hgetall(keys.rules_rung(project_id)))
        return {cohort_id.decode(): _asked(stored) for cohort_id, stored in found.items()}

    def answer(self, work: Work, record: CohortRecord, target: str, at_ms: int) -> None:
        """Begin what is asked for, once the cohort is at rest; one under way gives way to it."""
        if record.new:
            work.lane.write(keys.rules_rung(work.project_id), "HDEL", record.cohort_id)
            return
        if not self._tasks.run(work, record):
            return
        new = (target, record.name)
        old = [work.effect(record, each) for each in record.carried.others(new)]
        if work.rule_sets.find(work.project_id, target):
            record.carried.begin(new, at_ms, copies=bool(unknown(old, work.effect(record, new))))
        commit = work.begin(record)
        commit.do(keys.rules_rung(work.project_id), "HDEL", record.cohort_id)
        work.commit(work.seal(commit))

    def step(self, work: Work, record: CohortRecord) -> None:
        """Take the next buckets; a split meanwhile moves entries ahead of the walk, never behind it."""
        migration = record.carried.migration
        assert migration is not None
        if work.is_busy():
            work.postpone(record, BUSY_LOOK_MS)
            return
        step = Step(work, record, None, "rules", migration.at_ms, migration.target)
        count = min(record.buckets_at_once(CHUNK // 2), record.buckets - migration.cursor)
        if count <= 0:
            self._complete(work, record, migration, step)
            return
        for bucket in self._membership.read_buckets(
            work.project_id, record.cohort_id, migration.cursor, count
        ):
            for packed_id, member in bucket.items():
                if not member.now:
                    continue
                step.reassert(packed_id)
                if migration.copies and member.fingerprint:
                    member.fingerprint = 0  # what comes next of these values is news to the new rules
                    step.store(packed_id, member, existed=True)
        migration.cursor += count
        work.commit(step.sealed())

    def _complete(self, work: Work, record: CohortRecord, migration: Migration, step: Step) -> None:
        record.carried.complete()
        entry = work.entry(record, "cohort.rules_applied", "rules", None, migration.at_ms)
        about = {"rules": migration.target, "members": record.machine.count}
        step.commit.log.append(replace(entry, detail=about))
        work.commit(step.sealed())
        log.info("rules_applied", project_id=work.project_id, cohort_id=record.cohort_id, **about)


def _asked(stored: bytes) -> tuple[str, int]:
    target, at_ms = orjson.loads(stored)
    return target, at_ms
