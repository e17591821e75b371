"""Give each (project, lane) exactly one runner at a time.

A lane is idle, queued with a wake number, waiting for a time, or running with a lease and a fencing token.
Every change of state is one script. A runner that lost its lease finds out at its next write: the scripts of
its lane refuse an old token.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, cast

from redis import Redis
from redis.exceptions import RedisError
from structlog.stdlib import get_logger

from app.lanes.outcome import Outcome
from app.lanes.queue import LaneQueue
from app.lanes.work import LANES, LaneKind
from app.store import keys, scripts
from app.store.faults import is_fault, redis_word

log = get_logger(__name__)

PROJECTS_AT_ONCE: Final = 50
"""Swept in one round trip."""


class LaneLost(Exception):  # noqa: N818 - the style's words: an event, not an error of the caller
    """The lane was taken over; whatever this holder still wanted to write is refused."""


class Unswept(NamedTuple):
    """A lane that could not be swept, and why."""

    project_id: str
    name: str
    error: RedisError


@dataclass
class HeldLane:
    """A lane during one run of its holder.

    Attributes:
        project_id: whose lane it is.
        name: which lane.
        token: the fencing token, for the scripts that write on the lane's behalf.
        lost: whether the holder before vanished in the middle of its run.
    """

    project_id: str
    name: str
    token: str
    lost: bool
    _lanes: "Lanes"
    _renewed: float = field(default_factory=time.monotonic)

    @property
    def key(self) -> str:
        """The lane's key, for scripts that check the token."""
        return keys.lane(self.project_id, self.name)

    def renew(self, inflight_s: float = 0.0) -> None:
        """Hold on for another lease.

        Args:
            inflight_s: the longest that a request sent from now on can be on its way; whoever takes the lane
                over waits that long first.

        Raises:
            LaneLost: somebody else holds the lane.
        """
        self._lanes.renew(self, inflight_s)
        self._renewed = time.monotonic()

    def write(self, key: str, command: str, *args: str | bytes | int) -> Any:
        """Run one writing command on a key of the project, and return its answer.

        Raises:
            LaneLost: somebody else holds the lane; nothing was written.
        """
        return self._lanes.write(self, key, command, *args)

    def keep(self) -> None:
        """Renew the lease if a third of it has passed; cheap enough for every turn of a loop."""
        if time.monotonic() - self._renewed > self._lanes.lease_s / 3:
            self.renew()


class Lanes:
    """Start, renew, finish and sweep lanes."""

    def __init__(self, redis: Redis, queue: LaneQueue, lease_s: float) -> None:
        self.lease_s = lease_s
        self._redis = redis
        self._queue = queue
        self._start = scripts.load(redis, "lanes/scripts/start.lua")
        self._renew = scripts.load(redis, "lanes/scripts/renew.lua")
        self._write = scripts.load(redis, "lanes/scripts/write.lua")
        self._finish = scripts.load(redis, "lanes/scripts/finish.lua")
        self._sweep = scripts.load(redis, "lanes/scripts/sweep.lua")

    @property
    def _lease_ms(self) -> int:
        return int(self.lease_s * 1000)

    def start(self, project_id: str, name: str, wake: int) -> HeldLane | None:
        """Take the lane if `wake` is its current wake number; None if it is not ours to run now."""
        key = keys.lane(project_id, name)
        token, rest = cast(
            "list[int]", self._start(keys=[key, keys.leaving(project_id)], args=[wake, self._lease_ms])
        )
        if token <= 0:
            log.debug("lane_not_started", project_id=project_id, lane=name, wake=wake, wait_ms=rest)
            return None
        return HeldLane(project_id, name, str(token), lost=bool(rest), _lanes=self)

    def renew(self, lane: HeldLane, inflight_s: float) -> None:
        """Hold a lane for another lease; see `HeldLane.renew`."""
        args: list[str | int] = [lane.token, self._lease_ms, int(inflight_s * 1000)]
        if not self._renew(keys=[lane.key], args=args):
            raise LaneLost(lane.name)

    def write(self, lane: HeldLane, key: str, command: str, *args: str | bytes | int) -> Any:
        """Run one command for a lane's holder; see `HeldLane.write`."""
        ours, *answer = self._write(keys=[lane.key, key], args=[lane.token, command, *args])
        if not ours:
            raise LaneLost(lane.name)
        return answer[0]

    def finish(self, lane: HeldLane, outcome: Outcome) -> None:
        """End a run as its outcome says; queues the lane again at once where there is more to do."""
        kind = LANES[lane.name]
        wake = cast(
            "int",
            self._finish(
                keys=[lane.key, *kind.work_keys(lane.project_id)],
                args=[lane.token, kind.work, outcome.kind, int(outcome.delay_s * 1000), outcome.reason],
            ),
        )
        self.enqueue(lane.project_id, lane.name, wake)

    def sweep(self, project_id: str, kind: LaneKind) -> int:
        """Wake the lane if it has work and nobody on it; return the wake number, 0 if all is well.

        A job that is late but still waits in its queue keeps its place there.
        """
        return self._act_on(project_id, kind, self._swept(project_id, kind, gone=0))

    def sweep_all(self, projects: Mapping[str, Sequence[LaneKind]]) -> list[Unswept]:
        """Sweep these lanes of each project: one script a project, and one round trip for many of them.

        Returns:
            Lanes with which something is wrong; all the others were swept.

        Raises:
            RedisError: Redis is away, or refuses everything for now.
        """
        faults: list[Unswept] = []
        waiting = list(projects.items())
        for start in range(0, len(waiting), PROJECTS_AT_ONCE):
            some = waiting[start : start + PROJECTS_AT_ONCE]
            calls = [self._sweeping(project_id, kinds) for project_id, kinds in some]
            answers = scripts.run_each(self._redis, self._sweep, calls)
            for (project_id, kinds), answer in zip(some, answers, strict=True):
                if isinstance(answer, Exception):
                    faults += self._sweep_singly(project_id, kinds)
                    continue
                for kind, wake in zip(kinds, answer, strict=True):
                    self._act_on(project_id, kind, wake)
        return faults

    def queued_wake(self, project_id: str, name: str) -> int:
        """Return the wake number under which the lane is to be run; 0 unless it is queued."""
        state, wake = self._redis.hmget(keys.lane(project_id, name), ["state", "wake"])
        return int(wake) if state == b"queued" and wake else 0

    def enqueue(self, project_id: str, name: str, wake: int) -> None:
        """Queue the job of a wake number that a script gave; nothing to do for 0 or less.

        A queue that cannot be reached loses nothing: the sweeper finds the lane and gives it a new number.
        """
        if wake <= 0:
            return
        try:
            self._queue.enqueue(project_id, name, wake)
        except RedisError as error:
            log.warning(
                "lane_not_queued",
                project_id=project_id,
                lane=name,
                error=type(error).__name__,
                redis=redis_word(error),
            )

    def _sweep_singly(self, project_id: str, kinds: Sequence[LaneKind]) -> Iterator[Unswept]:
        """Sweep one lane after the other: what is wrong with one alone keeps no other from being swept."""
        for kind in kinds:
            try:
                self.sweep(project_id, kind)
            except RedisError as error:
                if not is_fault(error):
                    raise
                yield Unswept(project_id, kind.name, error)

    def _act_on(self, project_id: str, kind: LaneKind, wake: int) -> int:
        """Do what the script's answer asks for; see `sweep`."""
        if wake < 0 and self._is_gone(project_id, kind.name, -wake):
            wake = self._swept(project_id, kind, gone=-wake)
        self.enqueue(project_id, kind.name, wake)
        return max(0, wake)

    def _swept(self, project_id: str, kind: LaneKind, gone: int) -> int:
        names, args = self._sweeping(project_id, [kind], gone)
        (wake,) = cast("list[int]", self._sweep(keys=names, args=args))
        return wake

    def _sweeping(self, project_id: str, kinds: Sequence[LaneKind], gone: int = 0) -> scripts.Call:
        names: list[str] = []
        args: list[str | int] = [self._lease_ms]
        for kind in kinds:
            names += [keys.lane(project_id, kind.name), *kind.work_keys(project_id)]
            args += [kind.work, gone]
        return names, args

    def _is_gone(self, project_id: str, name: str, wake: int) -> bool:
        """Say whether the queue has lost the job; one that cannot be asked may still have it."""
        try:
            return not self._queue.holds(project_id, name, wake)
        except RedisError as error:
            log.warning(
                "queue_not_asked",
                project_id=project_id,
                lane=name,
                error=type(error).__name__,
                redis=redis_word(error),
            )
            return False
