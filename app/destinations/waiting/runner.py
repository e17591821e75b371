"""Run a lane that has a waiting room: what may leave the room goes before the next window."""

import time
from collections.abc import Callable
from typing import Final, Generic

from app.destinations.runner import Destination
from app.destinations.source import E
from app.destinations.waiting.gate import Gate
from app.destinations.waiting.room import Part
from app.lanes.lanes import HeldLane
from app.lanes.outcome import Outcome
from config.projects import Project

LOOK_S: Final = 0.5
"""How soon a lane looks again while somebody waits: as often as the clock looks at lanes."""


class WaitingDestination(Generic[E]):
    """Deliver a lane's windows, and what was held back of earlier ones.

    Args:
        main: delivers the windows.
        leaving: delivers what may leave the waiting room.
        gate: the lane's.
        clock: seconds, the clock that `until` is measured by.
    """

    def __init__(
        self,
        main: Destination[E],
        leaving: Destination[Part],
        gate: Gate,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._main = main
        self._leaving = leaving
        self._wait_s = gate.wait_s
        self._room = gate.room
        self._clock = clock

    def run(self, lane: HeldLane, project: Project, until: float) -> Outcome:
        """Deliver until nothing may go, the time's end (`until`, by the clock) or an obstacle.

        Raises:
            LaneLost: the lane was taken over; whoever has it goes on.
        """
        self._main.admit(lane)
        while True:
            used = self._room.ready(project.id) > 0
            ended = self._let_go(lane, project, until) if used else None
            ended = ended or self._main.turn(lane, project, until)
            if ended and ended.kind == "drained" and used:
                return self._unless_somebody_waits(project.id)
            if ended:
                return ended
            if self._clock() >= until:
                return Outcome.more()

    def _let_go(self, lane: HeldLane, project: Project, until: float) -> Outcome | None:
        """Send what may leave the room; return why the lane cannot go on, if it cannot."""
        while True:
            ended = self._leaving.turn(lane, project, until)
            if ended:
                return None if ended.kind == "drained" else ended
            if self._clock() >= until:
                return Outcome.more()

    def _unless_somebody_waits(self, project_id: str) -> Outcome:
        waiting = self._room.waiting(project_id)
        if not waiting:
            return Outcome.drained()
        whose = (
            "1 profile waits for its identity link"
            if waiting == 1
            else f"{waiting} profiles wait for their identity links"
        )
        return Outcome.later(LOOK_S, f"{whose}, {self._wait_s:g} s at the most")
