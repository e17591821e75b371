"""What the apply lane does for resyncs: it begins and ends them, and takes their steps between pages.

A resync is asked for, and read from Mixpanel, by others, who ring for the apply lane where it has to act (a
field of the hash `resyncs_rung`). Only this lane writes cohorts, so only it says that a resync has begun or
ended: each in one commit with the cohort's own state, the log's entry and what the API shows of it.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

from redis import Redis

from app.cohorts.applying.reconciling import Reconciling
from app.cohorts.applying.replaying import Replaying
from app.cohorts.applying.tasks import Tasks
from app.cohorts.applying.work import Work
from app.cohorts.commit import Commit
from app.cohorts.membership import Membership
from app.cohorts.record import CohortRecord
from app.cohorts.resync import ENDED, KEPT_S, SAMPLED, Mode, Resync
from app.store import keys

Asked = Mapping[str, str]
"""Fields of a resync's hash."""


class Resyncing:
    """Begins, continues and ends resyncs under a held lane."""

    def __init__(self, redis: Redis, membership: Membership, tasks: Tasks) -> None:
        self._redis = redis
        self._tasks = tasks
        self._replaying = Replaying(membership)
        self._reconciling = Reconciling(redis, membership)

    def rung(self, project_id: str) -> dict[str, int]:
        """Return the numbers of the resyncs that wait for the apply lane, by cohort."""
        found = cast("dict[bytes, bytes]", self._redis.hgetall(keys.resyncs_rung(project_id)))
        return {cohort_id.decode(): int(number) for cohort_id, number in found.items()}

    def answer(self, work: Work, record: CohortRecord, number: int) -> None:
        """Do what a resync that rang waits for: begin it, go on with it, or end it."""
        if not self._tasks.run(work, record):
            return
        asked = self._asked(work, number)
        if not asked or asked["state"] in ENDED:
            work.lane.write(keys.resyncs_rung(work.project_id), "HDEL", record.cohort_id)
            return
        resync = record.resync or _made(number, asked)
        if asked.get("cancel"):
            self._end(work, record, resync, "cancelled", "asked to stop")
        elif asked["state"] == "failing":
            self._end(work, record, resync, "failed", asked["reason"])
        elif record.resync is None and asked["state"] == ("counted" if resync.compares else "asked"):
            self._begin(work, record, resync, asked)
        elif asked["state"] == "read":
            self._compare(work, record, resync, int(asked["kept"]))
        else:
            work.commit(_silenced(work, work.begin(record)))

    def step(self, work: Work, record: CohortRecord) -> None:
        """Take the next step of the cohort's resync."""
        resync = record.resync
        assert resync is not None
        asked = self._asked(work, resync.number)
        if asked.get("cancel"):
            self._end(work, record, resync, "cancelled", "asked to stop")
        elif self._take_step(work, record, resync):
            self._end(work, record, resync, "completed")

    def _begin(self, work: Work, record: CohortRecord, resync: Resync, asked: Asked) -> None:
        record.resync = resync
        commit = work.begin(record)
        state = "applying"
        if resync.compares:
            state = resync.phase = "reading"
            resync.since = record.machine.epoch
            since_ms = work.now_ms() if asked.get("background") else 0  # behind whatever people ask for
            commit.do(keys.resyncs_due(work.project_id), "ZADD", since_ms, resync.number)
        self._log(work, commit, "resync.started", resync, {"members": record.machine.count})
        commit.do(
            keys.resync(work.project_id, resync.number),
            "HSET",
            *("state", state, "began_ms", work.now_ms(), "members", record.machine.count),
        )
        work.commit(_silenced(work, commit))

    def _compare(self, work: Work, record: CohortRecord, resync: Resync, kept: int) -> None:
        """Begin to compare: all is read."""
        resync.phase = "exits"
        resync.count("read", kept)
        commit = work.begin(record)
        commit.do(keys.resync(work.project_id, resync.number), "HSET", "state", "applying")
        work.commit(_silenced(work, commit))

    def _take_step(self, work: Work, record: CohortRecord, resync: Resync) -> bool:
        """Take a step; return whether there is none left."""
        if resync.compares:
            return self._reconciling.step(work, record, resync)
        return self._replaying.step(work, record, resync)

    def _end(self, work: Work, record: CohortRecord, resync: Resync, state: str, reason: str = "") -> None:
        record.resync = None
        if state == "completed" and resync.compares and not resync.dry_run:
            record.machine.partial = ""
            record.suspect = record.suspect if resync.doubted else ""
            record.assured_ms = record.assured_ms if resync.doubted else work.now_ms()
            if record.machine.held:  # Mixpanel was asked: that answers it
                work.pending.append(work.hold_ended(record, record.machine.held, "reconciled"))
                record.machine.held = None
        project_id = work.project_id
        commit = work.begin(record)
        told = {"reason": reason} if reason else {}
        self._log(work, commit, f"resync.{state}", resync, {**told, **resync.counts})
        shown = keys.resync(project_id, resync.number)
        commit.do(shown, "HSET", *("state", state, "reason", reason, "ended_ms", work.now_ms()))
        commit.do(shown, "HSET", *resync.progress())
        commit.do(shown, "EXPIRE", KEPT_S)
        commit.do(keys.resyncs_open(project_id), "HDEL", record.cohort_id)
        if resync.compares:
            commit.do(keys.resyncs_due(project_id), "ZADD", 0, resync.number)
        work.commit(_silenced(work, commit))

    def _log(
        self, work: Work, commit: Commit, kind: str, resync: Resync, detail: Mapping[str, object]
    ) -> None:
        """Log what becomes of a resync, unless it only looks."""
        if resync.dry_run:
            return
        entry = work.entry(commit.record, kind, resync.mode, None, work.now_ms())
        about = {"resync": resync.number, "mode": resync.mode}
        commit.log.append(replace(entry, detail={**about, **detail}))

    def _asked(self, work: Work, number: int) -> Asked:
        found = cast("dict[bytes, bytes]", self._redis.hgetall(keys.resync(work.project_id, number)))
        return {name.decode(): value.decode() for name, value in found.items()}


def _made(number: int, asked: Asked) -> Resync:
    return Resync(
        number,
        cast("Mode", asked["mode"]),
        int(asked["asked_ms"]),
        dry_run=asked["dry_run"] == "1",
        buckets=int(asked.get("buckets", 0)),
        sampled=int(asked.get("sampled", SAMPLED)),
    )


def _silenced(work: Work, commit: Commit) -> Commit:
    """Seal a step that answers what was rung for."""
    commit.do(keys.resyncs_rung(work.project_id), "HDEL", commit.record.cohort_id)
    return work.seal(commit)
