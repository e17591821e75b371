"""What the code behind a lane looks like."""

from typing import Protocol

from app.lanes.lanes import HeldLane
from app.lanes.outcome import Outcome
from config.projects import Project


class LaneRunner(Protocol):
    """Does a lane's work while it is held."""

    def run(self, lane: HeldLane, project: Project, until: float) -> Outcome:
        """Work until nothing is left, the time (monotonic seconds) is up, or something is in the way."""
        ...
