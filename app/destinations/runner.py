"""Deliver windows to Mixpanel, one after the other: what every lane that sends has in common."""

import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from random import Random
from typing import Generic

from structlog.contextvars import bound_contextvars
from structlog.stdlib import get_logger

from app.cohorts.commit import NewEntry
from app.destinations.cursor import Cursor
from app.destinations.sending import RoundSender
from app.destinations.source import Delivery, E, Source
from app.lanes.lanes import HeldLane
from app.lanes.outcome import Outcome
from app.mixpanel.errors import CredentialRefused, Rejected, Retryable, Throttled
from app.mixpanel.retry import delay_s
from config.projects import Project

log = get_logger(__name__)


class Destination(Generic[E]):
    """Run a lane that sends.

    Args:
        source: gives windows, and turns each into rounds of records.
        sender: sends them.
        cursor: where the destination stands.
        clock: seconds, the clock that `until` is measured by.
        random: the jitter of waits.
    """

    def __init__(
        self,
        source: Source[E],
        sender: RoundSender,
        cursor: Cursor,
        *,
        clock: Callable[[], float] = time.monotonic,
        random: Random,
    ) -> None:
        self._source = source
        self._sender = sender
        self._cursor = cursor
        self._clock = clock
        self._random = random

    def run(self, lane: HeldLane, project: Project, until: float) -> Outcome:
        """Deliver windows until there is none, the time's end (`until`, by the clock) or an obstacle.

        Raises:
            LaneLost: the lane was taken over; whoever has it goes on.
        """
        self.admit(lane)
        while True:
            ended = self.turn(lane, project, until)
            if ended:
                return ended
            if self._clock() >= until:
                return Outcome.more()

    def admit(self, lane: HeldLane) -> None:
        """See that the cursor begins where it ought to, before the first turn of a run."""
        self._source.admit(lane)

    def turn(self, lane: HeldLane, project: Project, until: float = float("inf")) -> Outcome | None:
        """Deliver one window, or of a long one what can be sent until the time's end.

        Returns:
            How the run ends; None if it goes on.

        Raises:
            LaneLost: the lane was taken over; whoever has it goes on.
        """
        position = self._cursor.position(project.id)
        if position.paused:
            return Outcome.stopped(position.paused.sentence)
        if position.state == "stopped" and position.refused == credential_digest(project):
            return Outcome.stopped(position.reason)
        delivery = self._source.next(project, position)
        if delivery is None:
            return Outcome.drained()
        with bound_contextvars(sequence=f"{delivery.after + 1}-{delivery.end}"):
            try:
                done = self._deliver(lane, project, delivery, until)
            except (Retryable, Throttled) as error:
                return self._retry_later(lane, error)
            except (CredentialRefused, Rejected) as error:
                return self._stop(lane, project, error)
            if done:
                log.info("window_delivered", project_id=lane.project_id, destination=self._cursor.name)
        return None if done else Outcome.more()

    def _deliver(self, lane: HeldLane, project: Project, delivery: Delivery[E], until: float) -> bool:
        """Deliver a window; return whether it is done."""
        plan, known = self._source.plan(project, delivery, lane.keep)
        dead: list[NewEntry] = []
        if not plan.empty:
            begun = delivery.known is not None
            if not begun:
                rules = delivery.rules.to_json()
                self._cursor.open(lane, delivery.after, delivery.end, rules, known)
            self._source.begun(lane, delivery, plan, known)
            if not self._sender.send(lane, project, plan, again=begun, go_on=lambda: self._clock() < until):
                return False
            dead = list(self._report_dead_letters(project.id, delivery))
        passing = self._source.passing(project, delivery)
        told = self._source.telling(project, delivery, self._cursor.completions)
        self._cursor.advance(
            lane, delivery.after, delivery.end, (*passing, *told.commands), (*dead, *told.entries)
        )
        self._source.passed(project, delivery)
        return True

    def _report_dead_letters(self, project_id: str, delivery: Delivery[E]) -> Iterator[NewEntry]:
        """Log that a window has dead letters, and give the entry that tells of it."""
        window = self._cursor.position(project_id).window
        dead = {code: number for code, number in window.dead.items() if number} if window else {}
        if not dead:
            return
        name = self._cursor.letters_of
        detail: dict[str, object] = {"destination": name, "records": dead}
        if name == self._cursor.name:  # a waiting room's sequences say nothing to anybody else
            detail |= {"from": delivery.after + 1, "to": delivery.end}
        log.warning("records_dead_lettered", project_id=project_id, destination=name, **dead)
        yield NewEntry("batch.dead_lettered", "", "", "", "", self._cursor.now_ms(), detail=detail)

    def _retry_later(self, lane: HeldLane, error: Retryable | Throttled) -> Outcome:
        tries = self._cursor.retry_later(lane, str(error), error.code)
        wait_s = delay_s(error, tries, self._random)
        log.warning(
            "delivery_postponed",
            project_id=lane.project_id,
            destination=self._cursor.name,
            code=error.code,
            reason=str(error),
            tries=tries,
            wait_s=round(wait_s, 1),
        )
        return Outcome.later(wait_s, str(error))

    def _stop(self, lane: HeldLane, project: Project, error: CredentialRefused | Rejected) -> Outcome:
        self._cursor.stop(lane, str(error), credential_digest(project), error.code)
        log.warning(
            "destination_stopped",
            project_id=lane.project_id,
            destination=self._cursor.name,
            code=error.code,
            status=error.status,
            reason=str(error),
        )
        return Outcome.stopped(str(error))


def credential_digest(project: Project) -> str:
    """Name what Mixpanel refused, the credentials at this address, without saying it."""
    account = project.service_account
    shown = (account.username, account.secret.reveal()) if account else ("", "")
    parts = (project.token.reveal(), *shown, project.hosts.ingestion)
    return sha256("\n".join(parts).encode()).hexdigest()[:32]
