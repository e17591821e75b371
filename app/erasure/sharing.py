"""Let each lane do its share in erasures before it does anything else.

What a lane writes, or has in memory while it runs, only its holder can change without being in its own way.
So whoever runs a lane first looks whether an erasure waits for it. That costs one look a run.
"""

from collections.abc import Mapping

from redis import Redis
from structlog.stdlib import get_logger

from app.destinations.identity.pending import PendingLinks
from app.erasure.asked import Asked, note_done, waiting
from app.erasure.compacting import COMPACTED, Compacting
from app.erasure.membership import MembershipShare
from app.erasure.reading import ReadingShare
from app.erasure.sending import SendingShare
from app.lanes.lanes import HeldLane
from app.lanes.outcome import Outcome
from app.lanes.runner import LaneRunner
from app.lanes.work import APPLY, ERASURE, RESYNC
from config.projects import Project

log = get_logger(__name__)


class Shares:
    """What each lane does for an erasure.

    Args:
        redis: where.
        membership: the apply lane's share.
        pending: the index of who waits for links.
    """

    def __init__(self, redis: Redis, membership: MembershipShare, pending: PendingLinks) -> None:
        self._redis = redis
        self._membership = membership
        self._compacting = Compacting(redis)
        self._reading = ReadingShare(redis)
        self._sending = SendingShare(redis, pending)

    def of(self, runners: Mapping[str, LaneRunner]) -> dict[str, LaneRunner]:
        """Make runners that do their lanes' shares first."""
        return {
            name: runner if name == ERASURE.name else _Sharing(self, runner)
            for name, runner in runners.items()
        }

    def do_all(self, lane: HeldLane, project: Project) -> None:
        """Do what erasures wait for of this lane.

        Raises:
            LaneLost: somebody else holds the lane.
        """
        compacting = list[Asked]()
        for asked in waiting(self._redis, project.id):
            if asked.state == "compacting":
                if lane.name == APPLY.name and f"{lane.name}{COMPACTED}" not in asked.done:
                    compacting.append(asked)
            elif lane.name not in asked.done:
                self.do(lane, project, asked)
                log.info("erasure_share_done", project_id=project.id, erasure=asked.number)
        if compacting:
            self._compacting.apply(lane, compacting)

    def do(self, lane: HeldLane, project: Project, asked: Asked) -> None:
        """Do one."""
        if lane.name == APPLY.name:
            self._membership.do(lane, project, asked)
        elif lane.name == RESYNC.name:
            note_done(lane, asked, self._reading.do(lane, asked))
        else:
            note_done(lane, asked, self._sending.do(lane, asked))


class _Sharing:
    """Runs a lane, after its shares."""

    def __init__(self, shares: Shares, runner: LaneRunner) -> None:
        self._shares = shares
        self._runner = runner

    def run(self, lane: HeldLane, project: Project, until: float) -> Outcome:
        self._shares.do_all(lane, project)
        return self._runner.run(lane, project, until)
