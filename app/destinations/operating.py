"""What a person may do to a destination: hold it for a while, and let it go on."""

from dataclasses import dataclass
from typing import cast

from redis import Redis

from app.destinations.waiting.room import LANES_WITH_ROOM, room_name
from app.lanes.lanes import Lanes
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
    """Pause and resume destinations, each with its waiting room.

    Args:
        redis: where they stand.
        lanes: wakes the lane of one that goes on.
    """

    def __init__(self, redis: Redis, lanes: Lanes) -> None:
        self._lanes = lanes
        self._pause = scripts.load(redis, "destinations/scripts/pause.lua")
        self._resume = scripts.load(redis, "destinations/scripts/resume.lua")

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
        return bool(self._pause(keys=_hashes(project_id, lane), args=[by, why]))

    def resume(self, project_id: str, lane: str) -> Resumed:
        """Let a destination go on that was stopped or paused, at once; nothing happens to any other."""
        names = [keys.lane(project_id, lane), *_hashes(project_id, lane)]
        stopped, paused, wake = cast("list[int]", self._resume(keys=names))
        self._lanes.enqueue(project_id, lane, wake)
        return Resumed(bool(stopped), bool(paused))


def _hashes(project_id: str, lane: str) -> list[str]:
    names = [lane, room_name(lane)] if lane in LANES_WITH_ROOM else [lane]
    return [keys.destination(project_id, name) for name in names]
