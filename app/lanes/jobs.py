"""RQ's own records of queues, jobs and workers: read with what RQ itself offers; looking tidies nothing up.

Jobs are thin, they name a lane. The sweeper gives a lane another job when one is lost or has failed, so a
failed job is a trace of something that went wrong, not work that is missing.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from redis import Redis
from rq import Queue, Worker
from rq.exceptions import DeserializationError, InvalidJobOperation, NoSuchJobError
from rq.job import Job
from rq.registry import BaseRegistry
from rq.results import Result
from rq.serializers import JSONSerializer
from rq.worker import BaseWorker

from app.lanes.work import QUEUES

RegistryName = Literal["waiting", "started", "failed", "finished", "deferred", "scheduled", "canceled"]
REGISTRIES: Final[tuple[RegistryName, ...]] = (
    *("waiting", "started", "failed"),
    *("finished", "deferred", "scheduled", "canceled"),
)
A_PAGE: Final = 50
AT_ONCE: Final = 500
"""Failed jobs that are sent again or removed in one go."""


@dataclass(frozen=True, slots=True)
class QueueSeen:
    """A queue, and how many jobs it has in each of RQ's registries."""

    name: str
    counts: dict[RegistryName, int]


@dataclass(frozen=True, slots=True)
class WorkerSeen:
    """A worker.

    Attributes:
        name, host, pid: which.
        queues: that it works on.
        state: RQ's word.
        job_id: of the job at hand.
        born, seen: when it began, and when it last showed that it lives.
        done, failed: jobs.
        worked_s: time that jobs took.
        version: of RQ.
    """

    name: str
    host: str
    pid: int | None
    queues: tuple[str, ...]
    state: str
    job_id: str | None
    born: datetime | None
    seen: datetime | None
    done: int
    failed: int
    worked_s: float
    version: str


@dataclass(frozen=True, slots=True)
class JobSeen:
    """A job.

    Attributes:
        id: its id.
        queue: that it was put into.
        status: RQ's word.
        call: function and arguments; empty where they cannot be read.
        created, started, ended: when.
        trace: of the exception with which it failed.
    """

    id: str
    queue: str
    status: str
    call: str
    created: datetime | None
    started: datetime | None
    ended: datetime | None
    trace: str = ""

    @property
    def reason(self) -> str:
        """The last line of the trace."""
        return self.trace.strip().rpartition("\n")[2]


@dataclass(frozen=True, slots=True)
class JobPage:
    """Some of a registry's jobs: the newest first, of those that wait the next first."""

    total: int
    jobs: tuple[JobSeen, ...]


class Jobs:
    """Looks at the queues.

    Args:
        redis: that RQ uses.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def queues(self) -> list[QueueSeen]:
        """Return our queues, and others that RQ knows there."""
        known = {queue.name for queue in Queue.all(connection=self._redis, serializer=JSONSerializer)}
        names = [*QUEUES, *sorted(known - set(QUEUES))]
        return [QueueSeen(name, {each: self._count(name, each) for each in REGISTRIES}) for name in names]

    def workers(self) -> list[WorkerSeen]:
        """Return the workers that RQ knows, by name."""
        found = Worker.all(connection=self._redis, serializer=JSONSerializer)
        return sorted((_worker(each) for each in found), key=lambda each: (each.queues, each.name))

    def page(self, queue: str, registry: RegistryName, number: int) -> JobPage:
        """Return the page with a number, from 1, of a registry."""
        first = (number - 1) * A_PAGE
        if registry == "waiting":
            ids = self._queue(queue).get_job_ids(first, A_PAGE)
        else:
            ids = self._registry(queue, registry).get_job_ids(
                first, first + A_PAGE - 1, desc=True, cleanup=False
            )
        return JobPage(self._count(queue, registry), tuple(self._seen(ids)))

    def job(self, job_id: str) -> JobSeen | None:
        """Return a job; None if there is none."""
        job = self._fetch(job_id)
        return None if job is None else _job(job)

    def send_again(self, job_id: str) -> bool:
        """Put a failed job into its queue again; say whether there was one."""
        job = self._fetch(job_id)
        with suppress(InvalidJobOperation):  # it has not failed
            return job is not None and bool(job.requeue())
        return False

    def remove(self, job_id: str) -> bool:
        """Remove a failed job; say whether there was one."""
        job = self._fetch(job_id)
        if job is None or job_id not in job.failed_job_registry:
            return False
        job.delete()
        return True

    def failed(self, queue: str) -> list[str]:
        """Return the ids of failed jobs of a queue, the oldest first, 500 at most."""
        return self._registry(queue, "failed").get_job_ids(0, AT_ONCE - 1, cleanup=False)

    def forget(self, queue: str, job_id: str) -> None:
        """Take the id of a job that is gone off the list of failed ones."""
        self._registry(queue, "failed").remove(job_id)

    def _fetch(self, job_id: str) -> Job | None:
        with suppress(NoSuchJobError, ValueError):  # the second: an id as RQ makes none
            return Job.fetch(job_id, connection=self._redis, serializer=JSONSerializer)
        return None

    def _queue(self, name: str) -> Queue:
        return Queue(name, connection=self._redis, serializer=JSONSerializer)

    def _registry(self, queue: str, name: RegistryName) -> BaseRegistry:
        found: BaseRegistry = getattr(self._queue(queue), f"{name}_job_registry")
        return found

    def _count(self, queue: str, name: RegistryName) -> int:
        if name == "waiting":
            return int(self._queue(queue).count)
        return self._registry(queue, name).get_job_count(cleanup=False)

    def _seen(self, ids: Iterable[str]) -> Iterable[JobSeen]:
        found = Job.fetch_many(ids, connection=self._redis, serializer=JSONSerializer)
        return (_job(job) for job in found if job is not None)


def _job(job: Job) -> JobSeen:
    try:
        call = str(job.get_call_string() or "")
    except DeserializationError:  # not one of ours: those are JSON
        call = ""
    status = job.get_status(refresh=False)
    result = job.latest_result()
    failed = result is not None and result.type == Result.Type.FAILED
    return JobSeen(
        id=job.id,
        queue=job.origin or "",
        status=status.value if status else "",
        call=call,
        created=_utc(job.created_at),
        started=_utc(job.started_at),
        ended=_utc(job.ended_at),
        trace=(result.exc_string or "") if result is not None and failed else "",
    )


def _worker(worker: BaseWorker) -> WorkerSeen:
    return WorkerSeen(
        name=worker.name,
        host=worker.hostname or "",
        pid=worker.pid,
        queues=tuple(worker.queue_names()),
        state=str(worker.get_state()),
        job_id=worker.get_current_job_id(),
        born=_utc(worker.birth_date),
        seen=_utc(worker.last_heartbeat),
        done=int(worker.successful_job_count or 0),
        failed=int(worker.failed_job_count or 0),
        worked_s=float(worker.total_working_time or 0.0),
        version=str(worker.version or ""),
    )


def _utc(when: datetime | None) -> datetime | None:
    """Return RQ's times with the zone that they are of."""
    return when.replace(tzinfo=UTC) if when is not None and when.tzinfo is None else when
