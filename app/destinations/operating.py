"""What a person may do to a project, or to a destination: hold it for a while, and let it go on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from redis import Redis

from app.destinations.held import What
from app.destinations.waiting.room import LANES_WITH_ROOM, room_name
from app.lanes.lanes import Lanes
from app.lanes.work import LaneKind
from app.store import keys, scripts


@dataclass(frozen=True, slots=True)
class Resumed:
    """What a destination was before it was let go on: stopped by Mixpanel's answer, paused by a person."""

    was_stopped: bool
    was_paused: bool

    def __bool__(self) -> bool:
        """Say whether there was anything to resume."""
        return self.was_stopped or self.was_paused


class Operating:
    """Pause and resume projects and destinations, each with its waiting room; stop accepting.

    Args:
        redis: where they stand.
        lanes: wakes the lane of one that goes on.
    """

    def __init__(self, redis: Redis, lanes: Lanes) -> None:
        self._lanes = lanes
        self._pause = scripts.load(redis, "destinations/scripts/pause.lua")
        self._resume = scripts.load(redis, "destinations/scripts/resume.lua")
        self._let_go = scripts.load(redis, "destinations/scripts/let_go.lua")

    def pause(self, project_id: str, lane: str, by: str, why: str) -> bool:
        """Hold a destination before its next window; what is under way is finished.

        What is accepted waits in the log, or in the outbox, until these are full.

        Args:
            project_id: whose.
            lane: its name.
            by: who wants it, for other operators.
            why: the reason, for them, too.

        Returns:
            Whether it was not paused before.
        """
        return bool(self._pause(keys=_hashes(project_id, lane), args=["paused", by, why]))

    def resume(self, project_id: str, lane: str) -> Resumed:
        """Let a destination go on that was stopped or paused, at once; nothing happens to any other."""
        names = [keys.lane(project_id, lane), *_hashes(project_id, lane)]
        stopped, paused, wake = cast("list[int]", self._resume(keys=names))
        self._lanes.enqueue(project_id, lane, wake)
        return Resumed(bool(stopped), bool(paused))

    def pause_project(self, project_id: str, by: str, why: str) -> bool:
        """Hold all that goes to Mixpanel: destinations before their next window, resyncs before a query.

        Pages are applied as long as the log has room for what follows from them, and accepted as long as the
        inbox has. As `pause` otherwise; destinations that are paused by themselves stay so afterwards.
        """
        return bool(self._pause(keys=[keys.held(project_id)], args=["paused", by, why]))

    def resume_project(self, project_id: str, lanes: Sequence[LaneKind]) -> bool:
        """Let a paused project go on at once, but for destinations that are paused by themselves.

        Args:
            project_id: which.
            lanes: all of its lanes; those that wait for anything look again.

        Returns:
            Whether it was paused.
        """
        return self._release(project_id, "paused", lanes)

    def close(self, project_id: str, by: str, why: str, left: int) -> bool:
        """Stop accepting: pages and submissions are refused for now, from this very step on.

        Args:
            project_id: of which project.
            by: who wants it.
            why: the reason.
            left: about how many changes are to be delivered, by which progress is told later.

        Returns:
            Whether they were accepted before.
        """
        args: list[str | int] = ["closed", by, why, "closed_left", left]
        return bool(self._pause(keys=[keys.held(project_id)], args=args))

    def open(self, project_id: str) -> bool:
        """Accept again; return whether accepting was stopped."""
        return self._release(project_id, "closed", ())

    def _release(self, project_id: str, what: What, lanes: Sequence[LaneKind]) -> bool:
        names = [keys.held(project_id), *(keys.lane(project_id, lane.name) for lane in lanes)]
        was, *wakes = cast("list[int]", self._let_go(keys=names, args=[what]))
        for lane, wake in zip(lanes, wakes, strict=True):
            self._lanes.enqueue(project_id, lane.name, wake)
        return bool(was)


def _hashes(project_id: str, lane: str) -> list[str]:
    names = [lane, room_name(lane)] if lane in LANES_WITH_ROOM else [lane]
    return [keys.destination(project_id, name) for name in names]
