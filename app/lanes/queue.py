"""Put a woken lane's job into its RQ queue."""

from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from app.lanes.work import LANES

JOB = "workers.jobs.run_lane"
JOB_TIMEOUT_S = 600
FAILURE_DAYS = 3


class LaneQueue:
    """Enqueue lanes: a job's id is the lane plus its wake number, so no wake is taken for another."""

    def __init__(self, redis: Redis) -> None:
        queues = {kind.queue for kind in LANES.values()}
        self._queues = {
            name: Queue(name, connection=redis, serializer=JSONSerializer, default_timeout=JOB_TIMEOUT_S)
            for name in queues
        }

    def enqueue(self, project_id: str, lane: str, wake: int) -> None:
        """Ask a worker to run the lane; harmless when asked twice, since the wake number is used up once."""
        self._queues[LANES[lane].queue].enqueue(
            JOB,
            args=(project_id, lane, wake),
            job_id=_job_id(project_id, lane, wake),
            result_ttl=0,
            failure_ttl=FAILURE_DAYS * 86_400,
        )

    def holds(self, project_id: str, lane: str, wake: int) -> bool:
        """Say whether the job of this wake still waits in its queue.

        Cost: O(jobs in the queue), so it is for lanes whose job is overdue.

        Raises:
            RedisError: the queue cannot be asked.
        """
        job_id = _job_id(project_id, lane, wake)
        return self._queues[LANES[lane].queue].get_job_position(job_id) is not None

    def depth(self, name: str) -> int:
        """Return how many jobs wait in the queue `name`."""
        return int(self._queues[name].count)


def _job_id(project_id: str, lane: str, wake: int) -> str:
    return f"{project_id}-{lane}-{wake}"
