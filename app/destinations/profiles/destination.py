"""Bring the profiles in Mixpanel up to date with the change log, window by window."""

import time
from collections.abc import Callable
from hashlib import sha256
from random import Random

from structlog.stdlib import get_logger

from app.cohorts.changelog import ChangeLog
from app.destinations.cursor import Cursor
from app.destinations.profiles.delivery import Delivery, Planner
from app.destinations.profiles.sending import RoundSender
from app.lanes.lanes import HeldLane
from app.lanes.outcome import Outcome
from app.mixpanel.errors import CredentialRefused, Rejected, Retryable, Throttled
from app.mixpanel.retry import delay_s
from config.projects import Project

NAME = "profiles"
log = get_logger(__name__)


class ProfilesDestination:
    """Run the lane `profiles`.

    Args:
        changelog: the log that is read, trimmed, and told about dead letters.
        planner: turns a window into rounds of records.
        sender: sends them.
        cursor: where the destination stands.
        clock: seconds, the clock that `until` is measured by.
        now: seconds since 1970, for how long a sync took.
        random: the jitter of waits.
    """

    def __init__(
        self,
        changelog: ChangeLog,
        planner: Planner,
        sender: RoundSender,
        cursor: Cursor,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
        random: Random,
    ) -> None:
        self._changelog = changelog
        self._planner = planner
        self._sender = sender
        self._cursor = cursor
        self._clock = clock
        self._now = now
        self._random = random

    def run(self, lane: HeldLane, project: Project, until: float) -> Outcome:
        """Deliver windows until the log's end, the time's end (`until`, by the clock) or an obstacle.

        Raises:
            LaneLost: the lane was taken over; whoever has it goes on.
        """
        while True:
            position = self._cursor.position(project.id)
            if position.state == "stopped" and position.refused == credential_digest(project):
                return Outcome.stopped(position.reason)
            delivery = self._planner.next(project, position)
            if delivery is None:
                return Outcome.drained()
            try:
                self._deliver(lane, project, delivery)
            except (Retryable, Throttled) as error:
                return self._retry_later(lane, error)
            except (CredentialRefused, Rejected) as error:
                return self._stop(lane, project, error)
            if self._clock() >= until:
                return Outcome.more()

    def _deliver(self, lane: HeldLane, project: Project, delivery: Delivery) -> None:
        plan, known = self._planner.plan(project, delivery)
        if plan.rounds or plan.unusable:
            begun = delivery.known is not None
            if not begun:
                rules = delivery.rules.to_json()
                self._cursor.open(lane, delivery.after, delivery.end, rules, known.to_json())
            self._sender.send(lane, project, plan, again=begun)
            self._report_dead_letters(project.id, delivery)
        self._cursor.advance(lane, delivery.after, delivery.end)
        self._changelog.trim(project.id)
        self._report_syncs(project.id, delivery)

    def _report_dead_letters(self, project_id: str, delivery: Delivery) -> None:
        window = self._cursor.position(project_id).window
        dead = {code: number for code, number in window.dead.items() if number} if window else {}
        if not dead:
            return
        detail = {"destination": NAME, "from": delivery.after + 1, "to": delivery.end, "records": dead}
        self._changelog.append(project_id, kind="batch.dead_lettered", detail=detail)
        log.warning("records_dead_lettered", project_id=project_id, **dead)

    def _report_syncs(self, project_id: str, delivery: Delivery) -> None:
        """Say of each sync that ended in the window that Mixpanel is up to date with it."""
        for entry in delivery.entries:
            if entry.kind == "sync.completed":
                detail = entry.detail
                log.info(
                    "sync_delivered",
                    project_id=project_id,
                    cohort_id=entry.cohort_id,
                    cohort_name=entry.cohort_name,
                    session_id=entry.session_id,
                    entered=detail.get("entered", 0),
                    exited=detail.get("exited", 0),
                    updated=detail.get("updated", 0),
                    members=detail.get("members", 0),
                    seconds=round(self._now() - detail.get("began_ms", entry.time_ms) / 1000, 1),
                )

    def _retry_later(self, lane: HeldLane, error: Retryable | Throttled) -> Outcome:
        tries = self._cursor.retry_later(lane, str(error))
        wait_s = delay_s(error, tries, self._random)
        log.warning(
            "delivery_postponed",
            project_id=lane.project_id,
            destination=NAME,
            code=error.code,
            reason=str(error),
            tries=tries,
            wait_s=round(wait_s, 1),
        )
        return Outcome.later(wait_s, str(error))

    def _stop(self, lane: HeldLane, project: Project, error: CredentialRefused | Rejected) -> Outcome:
        self._cursor.stop(lane, str(error), credential_digest(project))
        log.warning(
            "destination_stopped",
            project_id=lane.project_id,
            destination=NAME,
            code=error.code,
            status=error.status,
            reason=str(error),
        )
        return Outcome.stopped(str(error))


def credential_digest(project: Project) -> str:
    """Name what Mixpanel refused, the token at this address, without saying it."""
    return sha256(f"{project.token.reveal()} {project.hosts.ingestion}".encode()).hexdigest()[:32]
