"""What an operator wants to know about the profiles destination."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from app.cohorts.changelog import ChangeLog
from app.destinations.cursor import Cursor
from app.destinations.dead_letters import DeadLetters
from app.destinations.position import State


@dataclass(frozen=True, slots=True)
class DestinationStatus:
    """Where a destination stands and how far behind it is.

    Attributes:
        cursor: the last sequence whose every record is settled.
        lag_entries: entries of the log that are not.
        lag_s: age of the oldest of these, in seconds; 0 if there is none.
        state: `ok`, `retrying` or `stopped`.
        reason: why it is not `ok`, else empty.
        since_ms: since when it has this state; None while it never had another.
        tries: how often the window it is at has failed.
        delivered: records accepted so far.
        dead_lettered: records given up so far.
        dead_letters: the project's dead letters that are kept, of all destinations.
        advanced_ms: when the cursor last moved; None if never.
    """

    cursor: int
    lag_entries: int
    lag_s: float
    state: State
    reason: str
    since_ms: int | None
    tries: int
    delivered: int
    dead_lettered: int
    dead_letters: int
    advanced_ms: int | None


class ProfilesStatus:
    """Read the status, and let a stopped destination go on."""

    def __init__(
        self,
        changelog: ChangeLog,
        cursor: Cursor,
        dead_letters: DeadLetters,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._changelog = changelog
        self._cursor = cursor
        self._dead_letters = dead_letters
        self._now = now

    def status(self, project_id: str) -> DestinationStatus:
        """Read where the destination stands in a project's log."""
        position = self._cursor.position(project_id)
        oldest = self._changelog.read(project_id, position.cursor, 1)
        return DestinationStatus(
            cursor=position.cursor,
            lag_entries=max(0, self._changelog.end(project_id) - position.cursor),
            lag_s=max(0.0, self._now() - oldest[0].time_ms / 1000) if oldest else 0.0,
            state=position.state,
            reason=position.reason,
            since_ms=position.since_ms or None,
            tries=position.tries,
            delivered=position.delivered,
            dead_lettered=position.dead_lettered,
            dead_letters=self._dead_letters.count(project_id),
            advanced_ms=position.advanced_ms or None,
        )

    def resume(self, project_id: str) -> bool:
        """Let a stopped destination try again at its lane's next look; False if it was not stopped."""
        return self._cursor.resume(project_id)
