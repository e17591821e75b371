"""Drain one project's inbox, as far as the run's time goes."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import PurePath
from traceback import extract_tb
from typing import cast

from redis import Redis
from redis.exceptions import RedisError
from structlog.contextvars import bound_contextvars
from structlog.stdlib import get_logger

from app.cohorts.applying.confirming import Confirming
from app.cohorts.applying.migrating import Migrating
from app.cohorts.applying.pages import Pages
from app.cohorts.applying.renaming import Renaming
from app.cohorts.applying.resyncing import Resyncing
from app.cohorts.applying.tasks import Tasks
from app.cohorts.applying.work import DUE_IDLE, DUE_NOW, Work
from app.cohorts.changelog import ChangeLog, span
from app.cohorts.commit import Committer
from app.cohorts.epochs.routing import expire
from app.cohorts.epochs.shrinking import ShrinkLimit
from app.cohorts.inbox import Inbox, Waiting
from app.cohorts.membership import Membership
from app.cohorts.record import CohortRecord
from app.lanes.lanes import HeldLane, LaneLost, Lanes
from app.lanes.outcome import Outcome
from app.lanes.work import PROFILES
from app.store import keys
from app.store.faults import is_fault
from app.store.format import StoredFormat
from config.projects import Project

log = get_logger(__name__)

MAX_BACKLOG = 4_000
"""Log entries (of up to 250 changes) that Mixpanel's destinations may be behind before applying waits."""
BUSY_BACKLOG = 20
"""Log entries that the profiles destination may have before it for a replay to add more: live changes wait
behind them. Of 250 members each, a quarter of what it delivers at a time."""
BACKLOG_LOOK_S = 0.5
MAX_TRIES = 5
AFTER_A_FAULT_S = 60
WORKERS_VANISH = "the workers that tried it vanished"


class ApplyLane:
    """Turns a project's waiting pages into membership and log entries.

    Args:
        redis, lanes, inbox, changelog: what it works with.
        stored_format: the version of the state that this code understands.
        session_days: how long what is known of an export is kept.
        refused_ids: distinct_ids that Mixpanel takes nothing for.
        shrink_limit: what full lists may remove without a word.
    """

    def __init__(
        self,
        redis: Redis,
        lanes: Lanes,
        inbox: Inbox,
        changelog: ChangeLog,
        stored_format: StoredFormat,
        *,
        session_days: int,
        refused_ids: Collection[str],
        shrink_limit: ShrinkLimit | None = None,
    ) -> None:
        membership = Membership(redis)
        self._format = stored_format
        self._redis = redis
        self._inbox = inbox
        self._changelog = changelog
        self._committer = Committer(redis, lanes, changelog.readers)
        self._tasks = Tasks(redis, membership)
        self._pages = Pages(redis, membership, self._tasks, refused_ids)
        self._renaming = Renaming(membership)
        self._resyncing = Resyncing(redis, membership, self._tasks)
        self._migrating = Migrating(redis, membership, self._tasks)
        self._confirming = Confirming(redis, self._tasks)
        self._session_s = session_days * 86_400
        self._limit = shrink_limit

    def run(self, lane: HeldLane, project: Project, until: float) -> Outcome:
        """Apply pages until the inbox is empty, the log is too far ahead of its readers, or the time is up.

        Args:
            lane: the project's apply lane, held.
            project: whose inbox.
            until: monotonic seconds.
        """
        work = Work(
            redis=self._redis,
            committer=self._committer,
            is_ahead=lambda: self._changelog.backlog(project.id) > MAX_BACKLOG,
            is_busy=lambda: self._changelog.behind(project.id, PROFILES) >= BUSY_BACKLOG,
            lane=lane,
            project=project,
            until=until,
            session_s=self._session_s,
            limit=self._limit,
        )
        work.rule_sets.remember(lane, project.rules)
        self._changelog.admit(lane)
        if lane.lost:
            self._suspect_first(work)
        while not work.is_over():
            if work.is_ahead():
                return Outcome.later(BACKLOG_LOOK_S, "Mixpanel's destinations are behind; applying waits")
            self._each_due(work, DUE_NOW, DUE_NOW, self._take_up)
            self._answer(work)
            pages = self._inbox.waiting(project.id)
            if not pages and not self._idle(work):
                return Outcome.drained()
            for waiting in pages:
                if work.is_over():
                    break
                if fault := self._apply(work, waiting):
                    return self._after_failure(work, waiting, fault)
        return Outcome.more()

    def _suspect_first(self, work: Work) -> None:
        """Count a try of the first page: the last holder vanished, and a page may be what kills workers.

        Raises:
            OtherFormatError: the state is of another version than this code's, which can be why.
        """
        self._format.check(self._redis)
        for waiting in self._inbox.waiting(work.project_id, 1):
            if _count_try(work, waiting) >= MAX_TRIES:
                self._set_aside(work, waiting, WORKERS_VANISH)

    def _apply(self, work: Work, waiting: Waiting) -> str:
        """Apply one page, and take a step of a rename or resync; return why that did not work, if so."""
        page = waiting.entry_id.decode()
        work.sequences.clear()
        with bound_contextvars(page=page, session=""), self._edge(work, "page_not_applied") as fault:
            if self._pages.apply(work, waiting):
                log.info("page_applied", project_id=work.project_id, sequence=span(work.sequences))
                self._each_due(work, DUE_IDLE, DUE_IDLE, self._between)
        return _where(fault[0]) if fault else ""

    def _after_failure(self, work: Work, waiting: Waiting, fault: str) -> Outcome:
        """Count the try; set the page aside after several, so that it never blocks its lane.

        Raises:
            OtherFormatError: it failed for the state, which is of another version than this code's; it stays.
        """
        self._format.check(self._redis)
        tries = _count_try(work, waiting)
        if tries < MAX_TRIES:
            return Outcome.later(float(tries), "a page could not be applied and is tried again")
        self._set_aside(work, waiting, fault)
        return Outcome.more()

    def _set_aside(self, work: Work, waiting: Waiting, reason: str) -> None:
        """Keep the page whole elsewhere; it still counts as seen, and its cohort as suspect."""
        with bound_contextvars(page=waiting.entry_id.decode(), session=""):
            with self._edge(work, "page_not_counted") as fault:
                self._pages.apply(work, waiting, aside=reason)
            if fault:
                self._pages.give_up(work, waiting, reason)
            log.error("page_set_aside", project_id=work.project_id)

    def _idle(self, work: Work) -> bool:
        """Without a page: do what goes on between pages, or complete what was quiet; False if nothing is."""
        now_s, now_us = self._redis.time()
        now_ms = now_s * 1000 + now_us // 1000

        def complete(work: Work, record: CohortRecord) -> None:
            expire(record.machine, work.trust, now_ms)
            self._tasks.run(work, record)
            work.commit(work.seal(work.begin(record)))

        return self._each_due(work, DUE_IDLE, DUE_IDLE, self._between) or self._each_due(
            work, DUE_IDLE + 1, now_ms, complete
        )

    def _between(self, work: Work, record: CohortRecord) -> None:
        """Take a step of what goes on between pages.

        A rename goes first: it is the new name that is written and replayed.
        """
        if record.rename:
            self._renaming.step(work, record)
        elif record.carried.migration:
            self._migrating.step(work, record)
        elif record.resync and record.resync.phase != "reading":
            self._resyncing.step(work, record)
        elif record.new:
            work.lane.write(keys.due(work.project_id), "ZREM", record.cohort_id)
        else:
            work.commit(work.seal(work.begin(record)))  # it has nothing to do: let that be known

    def _answer(self, work: Work) -> None:
        """Do what resyncs and held lists wait for."""
        for cohort_id, said in self._confirming.said(work.project_id).items():
            with self._edge(work, "hold_not_answered", cohort_id=cohort_id):
                self._confirming.answer(work, work.record(cohort_id), said)
        for cohort_id, asked in self._migrating.rung(work.project_id).items():
            with self._edge(work, "rules_not_applied", cohort_id=cohort_id):
                self._migrating.answer(work, work.record(cohort_id), *asked)
        for cohort_id, number in self._resyncing.rung(work.project_id).items():
            with self._edge(work, "resync_not_answered", cohort_id=cohort_id):
                self._resyncing.answer(work, work.record(cohort_id), number)

    def _take_up(self, work: Work, record: CohortRecord) -> None:
        """Go on with what an earlier run left in the middle."""
        self._tasks.run(work, record)

    def _each_due(
        self, work: Work, lowest: int, highest: int, treat: Callable[[Work, CohortRecord], None]
    ) -> bool:
        """Treat each cohort that is due between two times; one that cannot be treated waits a minute.

        Returns:
            Whether there was any.
        """
        due = self._due(work.project_id, lowest, highest)
        for cohort_id in due:
            with self._edge(work, "cohort_not_treated", cohort_id=cohort_id) as fault:
                treat(work, work.record(cohort_id))
            if fault:
                now_s, _ = self._redis.time()
                due_ms = (now_s + AFTER_A_FAULT_S) * 1000
                work.lane.write(keys.due(work.project_id), "ZADD", due_ms, cohort_id)
        return bool(due)

    @contextmanager
    def _edge(self, work: Work, event: str, **about: str) -> Iterator[list[Exception]]:
        """Keep what one page or cohort does from stopping the others; yields a list for the fault.

        Raises:
            RedisError: Redis is away, or refuses every write for now.
            LaneLost: the lane is somebody else's.
        """
        faults: list[Exception] = []
        try:
            yield faults
        except LaneLost:
            raise
        except Exception as error:  # the lane's edge: whatever one does, the others must go on
            if isinstance(error, RedisError) and not is_fault(error):
                raise
            log.exception(event, project_id=work.project_id, **about)
            work.forget()
            faults.append(error)

    def _due(self, project_id: str, lowest: int, highest: int) -> list[str]:
        found = cast("list[bytes]", self._redis.zrangebyscore(keys.due(project_id), lowest, highest))
        return [cohort_id.decode() for cohort_id in found]


def _where(fault: Exception) -> str:
    """Say what failed and where, without the fault's text: it may quote somebody's data."""
    frames = extract_tb(fault.__traceback__)
    place = f" at {PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(fault).__name__}{place}"


def _count_try(work: Work, waiting: Waiting) -> int:
    return int(work.lane.write(keys.inbox_tries(work.project_id), "HINCRBY", waiting.entry_id, 1))
