"""What a destination remembers between runs: its cursor, the window it is at, and what of it is settled.

Everything is written by scripts that check the lane's fencing token, so that a runner that was taken over
changes nothing. While a window is open, a set beside the hash holds marks: `r...` a round that is finished,
`b...` a batch that is settled, `f...` a record of one that was refused, `s...` an operation that is settled,
`i...` one that is about to be sent and must not be sent twice, `w...` updates that were put into the waiting
room.
"""

from collections.abc import Sequence
from typing import Final, cast

from redis import Redis
from redis.commands.core import Script
from structlog.stdlib import get_logger

from app.cohorts.commit import NewEntry, candidate_generation
from app.destinations.completing import Completions
from app.destinations.dead_letters import DeadLetter
from app.destinations.outbox import Command
from app.destinations.position import Position, State, read_position
from app.lanes.lanes import HeldLane, LaneLost
from app.store import keys, scripts
from app.store.slices import slices

log = get_logger(__name__)

MARKS_A_CALL: Final = 1_000
LETTERS_A_CALL: Final = 250
FAILED: Final = "delivery.failed"
FAILING_MS: Final = 3_600_000
"""A window that fails for so long does not pass by itself: it is told, like a destination that stops."""


class Cursor:
    """Keep the place of one destination in each project's log.

    Args:
        redis: where.
        name: the destination's name, which is its lane's, too.
        dead_letter_cap: most dead letters a project keeps.
        letters_of: the name that its dead letters carry, where that is another: a room's lane's.

    Attributes:
        name, letters_of: the same.
        completions: which syncs the lane is at, where it reads the log.
    """

    def __init__(
        self, redis: Redis, name: str, dead_letter_cap: int, *, letters_of: str | None = None
    ) -> None:
        self.name = name
        self.letters_of = letters_of or name
        self.completions = Completions(redis, self.letters_of)
        self._redis = redis
        self._cap = dead_letter_cap
        self._open = scripts.load(redis, "destinations/scripts/open.lua")
        self._intend = scripts.load(redis, "destinations/scripts/intend.lua")
        self._settle = scripts.load(redis, "destinations/scripts/settle.lua")
        self._halt = scripts.load(redis, "destinations/scripts/halt.lua")
        self._advance = scripts.load(redis, "destinations/scripts/advance.lua")

    def now_ms(self) -> int:
        """Return the time by Redis's clock."""
        seconds, microseconds = self._redis.time()
        return seconds * 1000 + microseconds // 1000

    def position(self, project_id: str) -> Position:
        """Read where the destination stands."""
        return read_position(self._redis, project_id, self.name)

    def open(self, lane: HeldLane, after: int, end: int, rules: bytes, known: bytes) -> None:
        """Remember the window (after, end] and what its plan rests on, before any of it is sent.

        Raises:
            LaneLost: the lane is no longer ours.
        """
        self._fenced(lane, self._open, [self._hash(lane)], [after, end, rules, known])

    def settled(self, lane: HeldLane, marks: Sequence[str]) -> list[bool]:
        """Say of each mark whether it is there."""
        key = keys.destination_accepted(lane.project_id, self.name)
        found: list[bool] = []
        for some in slices(marks, MARKS_A_CALL):
            found += map(bool, cast("list[int]", self._redis.smismember(key, list(some))))
        return found

    def intend(self, lane: HeldLane, marks: Sequence[str]) -> None:
        """Note what is about to be sent and must not be sent twice."""
        self._note(lane, "SADD", marks)

    def take_back(self, lane: HeldLane, marks: Sequence[str]) -> None:
        """Take back what was noted by `intend`: it was not sent."""
        self._note(lane, "SREM", marks)

    def settle_batch(
        self,
        lane: HeldLane,
        mark: str,
        accepted: int,
        letters: Sequence[DeadLetter],
        refused: Sequence[str] = (),
    ) -> None:
        """Note that a batch is settled: `accepted` records were, the others are dead letters.

        Args:
            lane: the lane.
            mark: the batch's.
            accepted: how many of its records were.
            letters: the others.
            refused: a mark of each of these, by which it is known in whatever batch; or none.
        """
        *before, last = list(slices(letters, LETTERS_A_CALL)) or [()]
        dropped = 0
        for number, some in enumerate(before):
            marks = refused[number * LETTERS_A_CALL :][: len(some)]
            step = "".join((mark, f"/{number}", *marks[:1]))  # a try that leaves some out has other steps
            dropped += self._settle_some(lane, [step, *marks], 0, some)
        dropped += self._settle_some(lane, [mark, *refused[len(before) * LETTERS_A_CALL :]], accepted, last)
        self._warn_of_dropped(lane.project_id, dropped)

    def settle_each(self, lane: HeldLane, outcomes: Sequence[tuple[str, DeadLetter | None]]) -> None:
        """Note that operations are settled, each under its mark: accepted, or a dead letter."""
        dropped = 0
        for some in slices(outcomes, LETTERS_A_CALL):
            letters = [letter for _, letter in some if letter is not None]
            marks = [mark for mark, _ in some]
            dropped += self._settle_some(lane, marks, len(some) - len(letters), letters)
        self._warn_of_dropped(lane.project_id, dropped)

    def retry_later(self, lane: HeldLane, reason: str, code: str) -> int:
        """Note that the window has to be tried again; return how often it failed so far.

        Args:
            lane: the lane.
            reason: why, for the operator.
            code: why, as one of a few stable words; counted.
        """
        return self._halt_it(lane, "retrying", reason, "", code)

    def stop(self, lane: HeldLane, reason: str, refused: str, code: str) -> None:
        """Note that only a person can help.

        Args:
            lane: the lane.
            reason: why, for the operator.
            refused: digest of what was refused; with another one the destination goes on by itself.
            code: why, as one of a few stable words; counted.
        """
        self._halt_it(lane, "stopped", reason, refused, code)

    def advance(
        self,
        lane: HeldLane,
        after: int,
        end: int,
        also: Sequence[Command] = (),
        told: Sequence[NewEntry] = (),
    ) -> None:
        """Move from `after` to `end` and forget what was remembered of the window.

        Args:
            lane: the lane.
            after: the sequence before the window.
            end: its last sequence.
            also: commands that are run in the same step.
            told: entries that are appended to the log in the same step.

        Raises:
            LaneLost: the lane is no longer ours.
        """
        names = [
            self._hash(lane),
            keys.destination_accepted(lane.project_id, self.name),
            *_log(lane.project_id),
        ]
        args: list[str | bytes | int | float] = [after, end, candidate_generation(), len(told)]
        for entry in told:
            args += entry.encoded()
        for key, command, rest in also:
            names.append(key)
            args += [len(names) + 1, len(rest), command, *rest]  # the lane's key comes before these
        self._fenced(lane, self._advance, names, args)

    def _halt_it(self, lane: HeldLane, state: State, reason: str, refused: str, code: str) -> int:
        detail = {"destination": self.letters_of, "state": state, "code": code, "reason": reason}
        entry = NewEntry(FAILED, "", "", "", "", self.now_ms(), detail=detail)
        args = [state, reason, refused, code, FAILING_MS, candidate_generation(), *entry.encoded()]
        return self._fenced(lane, self._halt, [self._hash(lane), *_log(lane.project_id)], args)

    def _note(self, lane: HeldLane, command: str, marks: Sequence[str]) -> None:
        key = keys.destination_accepted(lane.project_id, self.name)
        for some in slices(marks, MARKS_A_CALL):
            self._fenced(lane, self._intend, [key], [command, *some])

    def _settle_some(
        self, lane: HeldLane, marks: Sequence[str], accepted: int, letters: Sequence[DeadLetter]
    ) -> int:
        """Settle as many as one script may; return how many old dead letters had to go."""
        project_id = lane.project_id
        names = [
            lane.key,
            self._hash(lane),
            keys.destination_accepted(project_id, self.name),
            keys.dead_letters(project_id),
            keys.dead_letter_counts(project_id),
        ]
        values = [value for one in letters for value in (one.code, one.reason, one.response, one.record)]
        args = [lane.token, self.letters_of, self._cap, accepted, len(marks), *marks, *values]
        ours, dropped = cast("list[int]", self._settle(keys=names, args=args))
        if not ours:
            raise LaneLost(lane.name)
        return dropped

    def _warn_of_dropped(self, project_id: str, dropped: int) -> None:
        if dropped:
            log.warning(
                "dead_letters_dropped", project_id=project_id, dropped=dropped, dead_letter_cap=self._cap
            )

    def _fenced(
        self, lane: HeldLane, script: Script, names: list[str], args: Sequence[str | bytes | int | float]
    ) -> int:
        done = cast("int", script(keys=[lane.key, *names], args=[lane.token, *args]))
        if not done:
            raise LaneLost(lane.name)
        return done

    def _hash(self, lane: HeldLane) -> str:
        return keys.destination(lane.project_id, self.name)


def _log(project_id: str) -> tuple[str, str]:
    return keys.log(project_id), keys.log_meta(project_id)
