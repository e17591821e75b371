"""Send dead letters again: each moves into an outbox in one step, so that twice is as good as once."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

from redis import Redis
from structlog.stdlib import get_logger

from app.destinations.checks.invalid import Invalid
from app.destinations.dead_letters.filter import Filter
from app.destinations.dead_letters.letter import StoredLetter
from app.destinations.dead_letters.records import OUTBOX_OF, to_submit
from app.destinations.dead_letters.stepping import Place, Walk
from app.destinations.dead_letters.store import DeadLetters
from app.destinations.outbox import OutboxFull
from app.lanes.lanes import Lanes
from app.lanes.work import OUTBOX_LANES, OutboxName
from app.store import keys
from app.store.durable import DurableScript
from config.projects import Project

log = get_logger(__name__)

REMEMBERED: Final = 10_000
"""Redriven letters of a project that are still known as such."""
FAULTS_A_STEP: Final = 10
CONFIRMATION: Final = (
    "This update was sent once, and nobody knows whether it counted: Mixpanel's answer never came. If it did,"
    " sending it again counts twice, and that cannot be undone. Compare the profile in Mixpanel first."
)

Record = tuple[str, bytes]
"""The id of a letter, and its record as an outbox holds it."""


class NoSuchLetter(Exception):  # noqa: N818 - a state, not a mistake of ours
    """There is no letter with this id: it went for its age, was discarded, or never was."""


class NeedsConfirmation(Exception):  # noqa: N818 - a question, not a mistake of ours
    """Sending the letter again may count twice."""


@dataclass(frozen=True, slots=True)
class Redriven:
    """What became of one letter.

    Attributes:
        outbox: where it is now, on its way to Mixpanel; empty if it was redriven before.
        before_ms: when it was redriven before; None if it was now.
    """

    outbox: str
    before_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a letter cannot be sent again as it is."""

    letter_id: str
    field: str
    code: str
    detail: str


@dataclass(slots=True)
class RedriveStep:
    """What became of some letters.

    Attributes:
        looked: letters that were looked at.
        redriven: moved into an outbox; in a dry run, those that would be.
        needs_confirmation: left because sending them again may count twice.
        invalid: left because they break a limit, and need a correction.
        faults: what is wrong with the first of these.
        next: where the next step begins; None if this was the last.
        full: whether the step ended early because an outbox is full.
    """

    looked: int = 0
    redriven: int = 0
    needs_confirmation: int = 0
    invalid: int = 0
    faults: list[Fault] = field(default_factory=list)
    next: Place | None = None
    full: bool = False


class Redriver:
    """Sends dead letters again.

    Args:
        redis: where.
        lanes: wakes the lanes of outboxes.
        letters: the dead letters.
        cap_bytes: most bytes that may wait in one outbox.
        wait_replicas: how many replicas must have a move before it counts.
    """

    def __init__(
        self, redis: Redis, lanes: Lanes, letters: DeadLetters, cap_bytes: int, wait_replicas: int = 0
    ) -> None:
        self._redis = redis
        self._lanes = lanes
        self._letters = letters
        self._cap_bytes = cap_bytes
        self._redrive = DurableScript(redis, "destinations/dead_letters/scripts/redrive.lua", wait_replicas)

    def one(
        self, project: Project, letter_id: str, now_ms: int, *, edited: Any = None, confirmed: bool = False
    ) -> Redriven:
        """Send one letter again.

        Args:
            project: whose.
            letter_id: which.
            now_ms: the time.
            edited: what to send instead of its record; None for the record as it is.
            confirmed: whether it may count twice.

        Raises:
            NoSuchLetter: it is not there, nor was it redriven of late.
            NeedsConfirmation: its outcome is unknown, and `confirmed` is not set.
            Invalid: it breaks a limit.
            OutboxFull: there is no room; the letter stays.
            RedisError: it may or may not have been moved.
        """
        stored = self._letters.get(project.id, letter_id)
        if stored is None:
            return self._before(project.id, letter_id)
        if stored.letter.code == "outcome_unknown" and not confirmed:
            raise NeedsConfirmation
        outbox = OUTBOX_OF[stored.destination]
        if not self._move(project.id, outbox, [(letter_id, to_submit(project, stored, now_ms, edited))]):
            return self._before(project.id, letter_id)
        return Redriven(outbox)

    def step(
        self,
        project: Project,
        wanted: Filter,
        now_ms: int,
        *,
        place: Place | None = None,
        confirmed: bool = False,
        dry_run: bool = False,
    ) -> RedriveStep:
        """Send some of those letters again that are meant, oldest first.

        Args:
            project: whose.
            wanted: which.
            now_ms: the time.
            place: where the step before ended; None for the first.
            confirmed: whether those of unknown outcome are meant, too; they may count twice.
            dry_run: only count.

        Raises:
            OutboxFull: there is no room for any of them.
            RedisError: some may have been moved; the same step can be taken again.
        """
        result = RedriveStep()
        full: list[OutboxFull] = []

        def work(letters: Sequence[StoredLetter]) -> bool:
            part = _sort(project, letters, now_ms, confirmed=confirmed)
            for outbox, records in part.movable.items():
                try:
                    result.redriven += len(records) if dry_run else self._move(project.id, outbox, records)
                except OutboxFull as error:
                    full.append(error)
                    return False
            result.needs_confirmation += part.needs_confirmation
            result.invalid += len(part.faults)
            result.faults += part.faults[: FAULTS_A_STEP - len(result.faults)]
            return True

        walked = Walk(self._letters, project.id, wanted, records=True).step(place, work)
        if full and not (result.redriven or walked.looked):
            raise full[0]
        result.full = bool(full)
        result.looked, result.next = walked.looked, walked.next
        return result

    def _move(self, project_id: str, outbox: OutboxName, records: Sequence[Record]) -> int:
        """Move letters; return how many were still there."""
        lane = OUTBOX_LANES[outbox].name
        names = [
            keys.dead_letters(project_id),
            keys.dead_letter_counts(project_id),
            keys.dead_letters_redriven(project_id),
            keys.outbox(project_id, outbox),
            keys.outbox_meta(project_id, outbox),
            keys.lane(project_id, lane),
        ]
        args = [self._cap_bytes, REMEMBERED, *(part for record in records for part in record)]
        moved, *wake = self._redrive.run((names, args))
        if moved == _NO_ROOM:
            raise OutboxFull(outbox, self._cap_bytes)
        if moved < 0:
            return 0
        self._lanes.enqueue(project_id, lane, wake[0])
        log.info("dead_letters_redriven", project_id=project_id, outbox=outbox, redriven=moved)
        return cast("int", moved)

    def _before(self, project_id: str, letter_id: str) -> Redriven:
        before = self._redis.zscore(keys.dead_letters_redriven(project_id), letter_id)
        if before is None:
            raise NoSuchLetter
        return Redriven("", int(before))


_NO_ROOM: Final = -2


@dataclass(slots=True)
class _Sorted:
    movable: dict[OutboxName, list[Record]]
    needs_confirmation: int = 0
    faults: list[Fault] = field(default_factory=list)


def _sort(project: Project, letters: Sequence[StoredLetter], now_ms: int, *, confirmed: bool) -> _Sorted:
    """Tell the letters that can be sent again from those that somebody has to see to first."""
    part = _Sorted(defaultdict(list))
    for stored in letters:
        if stored.letter.code == "outcome_unknown" and not confirmed:
            part.needs_confirmation += 1
            continue
        try:
            record = to_submit(project, stored, now_ms)
        except Invalid as wrong:
            part.faults.append(Fault(stored.id, wrong.field, wrong.code, wrong.detail))
            continue
        part.movable[OUTBOX_OF[stored.destination]].append((stored.id, record))
    return part
