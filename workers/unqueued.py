"""Run lanes without RQ, for the time that the queue's Redis takes no jobs.

Lanes know by themselves that they are queued, and under which number; RQ only tells a worker to look. When
RQ shares a Redis that is at its maxmemory, nothing can be put into its queues or taken out, and only running
the lanes makes room again.
"""

from collections.abc import Sequence
from threading import Event

from app.lanes.work import lanes_of
from app.services import Services
from workers.jobs import run_lane


def run_queued_lanes(made: Services, queues: Sequence[str], stop: Event) -> bool:
    """Run each lane that is queued and that workers of these queues serve, once.

    A job of the same number may wait in RQ: it is refused then, as any number is used up once.

    Returns:
        Whether there was any.

    Raises:
        RedisError: the lanes' own Redis is away.
    """
    ran = False
    for project_id, project in made.settings.projects.items():
        for kind in lanes_of(project):
            if stop.is_set():
                return ran
            if kind.queue in queues and (wake := made.lanes.queued_wake(project_id, kind.name)):
                run_lane(project_id, kind.name, wake)
                ran = True
    return ran
