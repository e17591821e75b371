"""Take a lane for what a person does to it: as its holder, under a token of its own, like any run.

So whoever held it before and wakes up changes nothing, and no worker begins meanwhile; should this process
die, the lease runs out and the clock queues the lane again.
"""

from collections.abc import Sequence
from typing import cast

from redis import Redis

from app.lanes.lanes import HeldLane, Lanes
from app.store import keys, scripts


class LaneBusyError(Exception):
    """The lane runs, or what its last holder sent may still be on its way. `wait_s`: so long at the most."""

    def __init__(self, name: str, wait_s: float) -> None:
        super().__init__(f"the lane {name} is at work")
        self.name = name
        self.wait_s = wait_s


class NotPausedError(Exception):
    """Nobody has paused the lane, so a worker could begin at any time."""


class Taking:
    """Take lanes that are paused.

    Args:
        redis: where they stand.
        lanes: whose lease counts.
    """

    def __init__(self, redis: Redis, lanes: Lanes) -> None:
        self._lanes = lanes
        self._take = scripts.load(redis, "lanes/scripts/take.lua")

    def take(self, project_id: str, name: str, paused_by: Sequence[str]) -> HeldLane:
        """Take a lane; whoever does so finishes it, too.

        Args:
            project_id: whose lane it is.
            name: which.
            paused_by: keys of hashes, of which one must say that the lane is paused.

        Raises:
            LaneBusyError: somebody holds it.
            NotPausedError: nobody has paused it.
        """
        names = [keys.lane(project_id, name), keys.leaving(project_id), *paused_by]
        lease_ms = int(self._lanes.lease_s * 1000)
        token, wait_ms = cast("list[int]", self._take(keys=names, args=[lease_ms]))
        if token < 0:
            raise NotPausedError(name)
        if token == 0:
            raise LaneBusyError(name, wait_ms / 1000)
        return HeldLane(project_id, name, str(token), lost=False, _lanes=self._lanes)
