"""Windows of a waiting room: what one window of the lane put in goes as one, in its own rounds."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Final

from app.destinations.completing import Completions, Told
from app.destinations.outbox import Command
from app.destinations.plan import Plan
from app.destinations.position import Position
from app.destinations.profiles.encoding import profile_start
from app.destinations.source import Delivery, Keep, kept
from app.destinations.waiting.gate import Gate
from app.destinations.waiting.hold import put_back
from app.destinations.waiting.room import Part
from app.lanes.lanes import HeldLane
from config.projects import Project
from config.rules import RuleSet

_VOID_AT_ONCE: Final = 20


class RoomSource:
    """Let go what has waited for its links, or for long enough, in the order in which it came.

    What a person's moving of the lane's cursor has made void goes without being sent.

    Args:
        gate: says what may go, and where it waits.
    """

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._room = gate.room

    def admit(self, lane: HeldLane) -> None:
        """Do nothing: a room is read from its beginning."""
        del lane

    def next(self, project: Project, position: Position) -> Delivery[Part] | None:
        """Give what was begun, or what may go next; None while all that is there has to wait."""
        after, window = position.cursor, position.window
        if window:
            begun = list(self._room.read(project.id, after, window.end))
            return Delivery(after, begun, RuleSet(), window.known)
        ready = self._room.ready(project.id)
        if ready <= after:
            return None
        parts = list(islice(self._void(project.id, position, ready), _VOID_AT_ONCE))
        if parts:
            return Delivery(after, parts, RuleSet(), known=None)
        opening = self._gate.opening(project.id)
        for part in self._room.read(project.id, after, ready):
            if not opening.lets_go(part):
                return None
            parts.append(part)
            if part.last:
                break
        return Delivery(after, parts, RuleSet(), known=None)

    def _void(self, project_id: str, position: Position, ready: int) -> Iterator[Part]:
        """Give what comes next and is not to be sent any more: emptied, so that its plan is empty."""
        for first, last in position.void:
            if first <= position.cursor + 1 <= last:
                for part in self._room.read(project_id, position.cursor, min(last, ready)):
                    yield replace(part, updates=b"")

    def plan(self, project: Project, delivery: Delivery[Part], keep: Keep = kept) -> tuple[Plan, bytes]:
        """Plan the rounds that were held back, with the project's token of today."""
        keep()
        start = profile_start(project.token.reveal())
        return Plan(put_back([part.updates for part in delivery.entries], start)), b"{}"

    def begun(self, lane: HeldLane, delivery: Delivery[Part], plan: Plan, known: bytes) -> None:
        """Do nothing: nothing waits a second time."""
        del lane, delivery, plan, known

    def passing(self, project: Project, delivery: Delivery[Part]) -> Sequence[Command]:
        """Return what drops the parts."""
        return self._room.dropping(project.id, delivery.entries)

    def telling(self, project: Project, delivery: Delivery[Part], completions: Completions) -> Told:
        """Tell of syncs of which this was the last that waited."""
        return completions.of_room(project.id, delivery.end)

    def passed(self, project: Project, delivery: Delivery[Part]) -> None:
        """Forget who waited."""
        self._room.forget(project.id, delivery.entries)
