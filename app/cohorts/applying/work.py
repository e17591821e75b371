"""What one run of the apply lane knows, and how its steps are committed."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import cast

import orjson
from redis import Redis
from structlog.stdlib import get_logger

from app.cohorts.carried import Written
from app.cohorts.commit import Commit, Committer, NewEntry
from app.cohorts.epochs import Attempt, Trust
from app.cohorts.epochs.routing import due_at
from app.cohorts.epochs.shrinking import Shrink, ShrinkLimit
from app.cohorts.record import CohortRecord
from app.cohorts.rule_sets import RuleSets
from app.cohorts.suppression import Suppressed
from app.lanes.lanes import HeldLane
from app.store import keys
from config.projects import Project
from config.rule_changes import Effect, settled

log = get_logger(__name__)

DUE_NOW = 0
"""In the sorted set of what is due: tasks that later pages wait for."""
DUE_IDLE = 1
"""A rename or resync, which goes on between pages."""


@dataclass
class Work:
    """One run over one project. Nobody else writes these cohorts while the lane is held.

    Attributes:
        redis, committer: where it is read and written.
        is_ahead: whether the log is so long that applying has to wait for its readers.
        is_busy: whether what is logged now would hold up changes that come after it.
        lane: the lane that is held.
        project: whose.
        until: when (monotonic seconds) the run's time is up.
        session_s: lifetime of what is remembered of a session.
        limit: what full lists may remove without a word.
        pending: log entries that go with the next step.
        sequences: of the log entries that were written.
        rules: digest of the project's rules.
        rule_sets: finds rules by their digests.
    """

    redis: Redis
    committer: Committer
    is_ahead: Callable[[], bool]
    is_busy: Callable[[], bool]
    lane: HeldLane
    project: Project
    until: float
    session_s: int
    limit: ShrinkLimit | None = None
    pending: list[NewEntry] = field(default_factory=list)
    sequences: list[int] = field(default_factory=list)
    rules: str = field(init=False)
    rule_sets: RuleSets = field(init=False)
    _records: dict[str, CohortRecord] = field(default_factory=dict)
    _trust: Trust | None = None
    _suppressed: Suppressed | None = None
    _stored_trust: bytes = b""

    def __post_init__(self) -> None:
        """Name the rules."""
        self.rules = self.project.rules.digest
        self.rule_sets = RuleSets(self.redis)

    @property
    def project_id(self) -> str:
        """The project's id."""
        return self.project.id

    def must_pause(self) -> bool:
        """Whether to stop before the next portion: time is up, or the log's readers are too far behind."""
        return self.is_over() or self.is_ahead()

    def is_over(self) -> bool:
        """Whether the run should end at its next step."""
        return time.monotonic() >= self.until

    @property
    def trust(self) -> Trust:
        """What the project has proven about its sender."""
        if self._trust is None:
            self._stored_trust = cast("bytes | None", self.redis.get(keys.trust(self.project_id))) or b""
            self._trust = Trust.from_json(orjson.loads(self._stored_trust)) if self._stored_trust else Trust()
        return self._trust

    @property
    def suppressed(self) -> Suppressed:
        """Who was erased of late: read once a run, which begins with its share in new erasures."""
        if self._suppressed is None:
            self._suppressed = Suppressed.read(self.redis, self.project_id)
        return self._suppressed

    def record(self, cohort_id: str) -> CohortRecord:
        """Return a cohort, read once a run."""
        if cohort_id not in self._records:
            stored = cast("dict[bytes, bytes]", self.redis.hgetall(keys.cohort(self.project_id, cohort_id)))
            self._records[cohort_id] = CohortRecord.from_hash(cohort_id, stored)
            self._resolve(self._records[cohort_id])
            self._records[cohort_id].machine.limit = self.limit
        return self._records[cohort_id]

    def _resolve(self, record: CohortRecord) -> None:
        """Find out by which rules a cohort was written that is older than what remembers that."""
        if any(not digest for digest, _ in record.carried.written):
            record.carried.resolve(self.rule_sets.first(self.project_id) or self.rules)

    def forget(self) -> None:
        """Drop what is in memory, after a step failed: Redis has the truth."""
        self._records.clear()
        self.pending.clear()
        self._trust = None

    def now_ms(self) -> int:
        """Return the time by Redis's clock."""
        now_s, now_us = self.redis.time()
        return now_s * 1000 + now_us // 1000

    def postpone(self, record: CohortRecord, wait_ms: int) -> None:
        """Leave a cohort alone for a while, unless a page comes for it."""
        due_ms = self.now_ms() + wait_ms
        self.lane.write(keys.due(self.project_id), "ZADD", due_ms, record.cohort_id)

    def begin(self, record: CohortRecord) -> Commit:
        """Begin a step for a cohort."""
        return Commit(self.lane, record)

    def seal(self, commit: Commit) -> Commit:
        """Add to a step what follows from the cohort's state, and fix that state.

        What begins or ends with the step is logged before what it changes.
        """
        record = commit.record
        self._tell_lifecycle(commit)
        if record.new:
            commit.do(keys.cohorts(self.project_id), "SADD", record.cohort_id)
            record.new = False
        due = self._due(record)
        if due is None:
            commit.do(keys.due(self.project_id), "ZREM", record.cohort_id)
        else:
            commit.do(keys.due(self.project_id), "ZADD", due, record.cohort_id)
        trust = orjson.dumps(self.trust.to_json())
        if trust != self._stored_trust:
            commit.do(keys.trust(self.project_id), "SET", trust)
            self._stored_trust = trust
        return commit.seal()

    def commit(self, *commits: Commit) -> None:
        """Write sealed steps in order."""
        self.sequences += self.committer.run(commits)
        self.lane.keep()

    def entry(
        self, record: CohortRecord, kind: str, cause: str, attempt: Attempt | None, at_ms: int
    ) -> NewEntry:
        """Return a log entry about a cohort; the caller adds what changed."""
        return NewEntry(
            kind=kind,
            cause=cause,
            cohort_id=record.cohort_id,
            cohort_name=record.name,
            session_id=attempt.sessions[-1] if attempt and attempt.sessions else "",
            time_ms=at_ms,
            old_names=list(record.old_names),
        )

    def effect(self, record: CohortRecord, written: Written) -> Effect:
        """Return what rules do in a cohort under a name; those that are not known, what the project's do."""
        rules = self.rule_sets.find(self.project_id, written[0]) or self.project.rules
        return Effect(rules, record.cohort_id, written[1])

    def note_written(self, record: CohortRecord, rules: str) -> None:
        """Note that some members' profiles are about to be written by these rules."""

        def is_settled(old: Written, new: Written) -> bool:
            return settled(self.effect(record, old), self.effect(record, new))

        record.carried.note((rules, record.name), is_settled)

    def session_state(self, commit: Commit, attempt: Attempt, state: str) -> None:
        """Note what became of an attempt in the records of its sessions."""
        for session in attempt.sessions:
            key = keys.session(self.project_id, commit.record.cohort_id, session)
            commit.do(key, "HSET", "state", state)
            commit.do(key, "EXPIRE", self.session_s)

    def _due(self, record: CohortRecord) -> int | None:
        if record.machine.tasks:
            return DUE_NOW
        if record.rename or record.carried.migration or (record.resync and record.resync.phase != "reading"):
            return DUE_IDLE
        return due_at(record.machine, self.trust)

    def _tell_lifecycle(self, commit: Commit) -> None:
        """Log which attempts began and which were given up, and raise what a person ought to know."""
        record = commit.record
        machine = record.machine
        told = list(self.pending)
        self.pending.clear()
        for kind, state, numbers in (
            ("sync.superseded", "superseded", machine.closed),
            ("sync.started", "open", machine.began),
        ):
            for number in numbers:
                attempt = machine.numbered(number)
                if attempt:
                    told.append(self.entry(record, kind, "sync", attempt, attempt.began_ms))
                    self.session_state(commit, attempt, state)
            numbers.clear()
        told += self._shrinking(commit)
        commit.log[:0] = told
        if machine.contradicted or machine.spared:
            log.warning(
                "sync_contradicts_copy",
                project_id=self.project_id,
                cohort_id=record.cohort_id,
                contradictions=machine.contradicted,
                kept_back=len(machine.spared),
                advice="the copy may have drifted from Mixpanel; compare the member counts",
            )
            machine.contradicted = 0
            machine.spared.clear()

    def _shrinking(self, commit: Commit) -> list[NewEntry]:
        """Raise that a full list removes many, or is held, and tell that another took a held one's place."""
        record, machine = commit.record, commit.record.machine
        told = [self.hold_ended(record, machine.superseded, "superseded")] if machine.superseded else []
        shrink, machine.superseded, machine.shrunk = machine.shrunk, None, None
        if shrink:
            record.shrunk = shrink
            commit.do(keys.log_meta(self.project_id), "HINCRBY", "shrinking", 1)
            about = {"removes": shrink.goes, "of": shrink.of, "held": machine.held is not None}
            entry = self.entry(record, "sync.shrinking", "sync", None, shrink.at_ms)
            told.append(replace(entry, session_id=shrink.session, detail=about))
            cohort_id = record.cohort_id
            log.warning("sync_shrinks_cohort", project_id=self.project_id, cohort_id=cohort_id, **about)
        return told

    def hold_ended(self, record: CohortRecord, held: Shrink, how: str) -> NewEntry:
        """Return the log entry that says what became of a held list."""
        log.info("hold_ended", project_id=self.project_id, cohort_id=record.cohort_id, how=how)
        entry = self.entry(record, "hold.ended", "sync", None, self.now_ms())
        return replace(entry, session_id=held.session, detail={"how": how, "removes": held.goes})
