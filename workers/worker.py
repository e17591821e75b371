"""An RQ worker for one or more queues: `python -m workers.worker apply`.

Jobs run in the worker's own process. A fork a job would cost three times as much, and a lane that dies with
its worker is taken up again anyway.
"""

import signal
import sys
from contextlib import suppress
from threading import Event

from redis.exceptions import RedisError
from rq.exceptions import StopRequested
from rq.serializers import JSONSerializer
from structlog.stdlib import get_logger

from app.lanes.work import QUEUES
from app.services import Services
from app.store.connection import connect
from app.store.faults import redis_word
from workers.process import services
from workers.pulse import Pulse
from workers.queue_worker import QueueWorker
from workers.unqueued import run_queued_lanes

log = get_logger(__name__)

AGAIN_S = 1.0


def main(names: list[str]) -> int:
    """Work on the named queues until a signal says to stop; the job at hand is finished first."""
    unknown = [name for name in names if name not in QUEUES]
    if not names or unknown:
        sys.stderr.write(f"Name one or more queues out of: {', '.join(QUEUES)}.\n")
        return 2
    made = services()
    stop = Event()
    pulse = Pulse(made.heartbeats, f"worker-{'-'.join(names)}")
    with pulse, made.flushing, suppress(StopRequested):
        while not stop.is_set():
            _work(made.settings.rq_redis_url, names, stop)
            _stop_on_signals(stop)
            if not _work_without_queue(made, names, stop):
                stop.wait(AGAIN_S)
    return 0


def _work(rq_redis_url: str, names: list[str], stop: Event) -> None:
    """Work until told to stop, or until the queue's Redis went away or refused what RQ writes.

    Raises:
        StopRequested: told to stop between two jobs.
    """
    try:
        worker = QueueWorker(names, stop, connection=connect(rq_redis_url), serializer=JSONSerializer)
        worker.log_result_lifespan = False
        worker.work(logging_level="WARNING", with_scheduler=False)
    except RedisError as error:
        log.warning("queue_unreachable", error=type(error).__name__, redis=redis_word(error))


def _work_without_queue(made: Services, names: list[str], stop: Event) -> bool:
    """Run what is queued all the same, if the lanes' Redis can be reached; say whether there was anything."""
    try:
        return run_queued_lanes(made, names, stop)
    except RedisError as error:
        log.debug("lanes_unreachable", error=type(error).__name__)
        return False


def _stop_on_signals(stop: Event) -> None:
    """Take the signals back from RQ, whose handler would break off a lane that runs outside of its loop."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
