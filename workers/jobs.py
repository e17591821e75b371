"""The jobs that RQ runs: thin, they name a lane and call its runner."""

import time

from redis.exceptions import RedisError
from structlog.contextvars import bound_contextvars
from structlog.stdlib import get_logger

from app.lanes.lanes import HeldLane, LaneLost
from app.lanes.outcome import Outcome
from app.metrics import families
from app.metrics.recorder import Recorder
from app.services import Services
from app.store.faults import is_fault, redis_trouble, redis_word
from workers.process import services

log = get_logger(__name__)

AFTER_A_FAULT_S = 10.0


def run_lane(project_id: str, lane: str, wake: int) -> None:
    """Run one lane of a project for a slice of time, if this wake is still the current one."""
    made = services()
    held = made.lanes.start(project_id, lane, wake)
    if held:
        began_s = time.monotonic()
        with bound_contextvars(lane=lane, fence=held.token):  # the log hides whatever is called a token
            ended = _run(made, held)
        _measure(made.recorder, held, ended, time.monotonic() - began_s)


def _measure(recorder: Recorder, held: HeldLane, ended: str, took_s: float) -> None:
    recorder.count(families.LANE_RUNS, held.project_id, held.name, ended)
    recorder.observe(families.LANE_SECONDS, took_s, held.name)
    if held.lost:
        recorder.count(families.LANE_TAKEOVERS, held.project_id, held.name)


def _run(made: Services, held: HeldLane) -> str:
    """Run the lane, and say in a word how that ended."""
    project = made.settings.projects.get(held.project_id)
    if project is None:
        outcome = Outcome.stopped("the project is not configured any more")
        made.lanes.finish(held, outcome)
        return outcome.kind
    try:
        outcome = made.runners[held.name].run(held, project, time.monotonic() + made.settings.slice_s)
    except LaneLost:
        log.warning("lane_lost", project_id=held.project_id)
        return "lost"
    except Exception as error:  # the process's edge: the lane must be tried again whatever it was
        if isinstance(error, RedisError) and not is_fault(error):
            _tell_interruption(held, error)
            return "interrupted"
        log.exception("lane_failed", project_id=held.project_id)
        made.lanes.finish(held, Outcome.later(AFTER_A_FAULT_S, "an unexpected fault; see the worker's log"))
        return "failed"
    made.lanes.finish(held, outcome)
    return outcome.kind


def _tell_interruption(held: HeldLane, error: RedisError) -> None:
    """Say why a run ended early. Its lease runs out, and the sweeper takes the lane up again."""
    log.warning(
        "lane_interrupted",
        project_id=held.project_id,
        error=type(error).__name__,
        redis=redis_word(error),
        reason=redis_trouble(error).found,
    )
