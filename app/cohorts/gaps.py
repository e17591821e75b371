"""What consumers of the log are missing, which fell too far behind: noted, counted and told there, once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, NamedTuple, cast

import orjson
from redis import Redis
from structlog.stdlib import get_logger

from app.cohorts.commit import NewEntry, candidate_generation
from app.store import keys, scripts

log = get_logger(__name__)

NAMED_AT_MOST: Final = 5

Why = Literal["entries", "bytes", "age", "memory", "away"]
"""Which limit a consumer was behind further than; or `away`: more went while it had not read on."""


@dataclass(frozen=True, slots=True)
class Missing:
    """What a consumer that fell too far behind is missing.

    Attributes:
        first, last: sequences; all between may be missing, whatever of it was confirmed before.
        told: the sequence up to which an entry of the log has told it.
    """

    first: int
    last: int
    told: int

    def to_json(self) -> bytes:
        """Encode."""
        return orjson.dumps([self.first, self.last, self.told])

    @classmethod
    def from_json(cls, stored: bytes) -> "Missing":
        """Decode what `to_json` encoded."""
        return cls(*orjson.loads(stored))


class Note(NamedTuple):
    """What changes of what a consumer is missing.

    Attributes:
        consumer: its id, `<kind>:<name>`.
        before: what was noted of it so far; None for nothing.
        after: what is noted from now on; None for nothing.
        told: first and last sequence that an entry of the log tells it of; None for no entry.
        why: what that entry says.
    """

    consumer: str
    before: Missing | None
    after: Missing | None
    told: tuple[int, int] | None = None
    why: Why = "away"


def left_behind(consumer: str, first: int, last: int, why: Why) -> Note:
    """Say that entries of a consumer go."""
    return Note(consumer, None, Missing(first, last, last), (first, last), why)


def still_away(consumer: str, missing: Missing, upto: int) -> Note:
    """Say that more went while a consumer is away."""
    return Note(consumer, missing, replace(missing, last=upto))


def reads_on(consumer: str, missing: Missing) -> Note:
    """Say that a consumer reads on; what went since it was told is told now."""
    more = missing.last > missing.told
    return Note(consumer, missing, None, (missing.told + 1, missing.last) if more else None)


def is_no_more(consumer: str, missing: Missing) -> Note:
    """Say that a consumer was forgotten."""
    return Note(consumer, missing, None)


class Gaps:
    """Notes what is missing.

    Args:
        redis: where.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._gap = scripts.load(redis, "cohorts/scripts/gap.lua")

    def read(self, project_id: str) -> dict[str, Missing]:
        """Say what consumers are missing, by their ids; only those that have not read on since."""
        stored = cast("Mapping[bytes, bytes]", self._redis.hgetall(keys.log_gaps(project_id)))
        return {name.decode(): Missing.from_json(each) for name, each in stored.items()}

    def write(self, project_id: str, notes: Sequence[Note]) -> None:
        """Write notes down, in one round trip; where another process was first, that one's counts."""
        if not notes:
            return
        seconds, microseconds = self._redis.time()
        now_ms = seconds * 1000 + microseconds // 1000
        calls = [_call(project_id, note, now_ms) for note in notes]
        answers = scripts.run_all(self._redis, self._gap, calls)
        lost = [note for note, ours in zip(notes, answers, strict=True) if ours and note.before is None]
        if lost:
            log.warning(
                "consumers_left_behind",
                project_id=project_id,
                consumers=len(lost),
                named=", ".join(note.consumer for note in lost[:NAMED_AT_MOST]),
                missing="-".join(map(str, lost[0].told or ())),
                why=lost[0].why,
            )


def _call(project_id: str, note: Note, now_ms: int) -> scripts.Call:
    names = [keys.log(project_id), keys.log_meta(project_id), keys.log_gaps(project_id)]
    args: list[str | bytes | int | float] = [
        note.consumer,
        note.before.to_json() if note.before else "",
        note.after.to_json() if note.after else "",
        int(note.before is None),
        _size(note.after) - _size(note.before) if note.after else 0,
        candidate_generation(),
        int(note.told is not None),
        *(_entry(note, now_ms).encoded() if note.told else ()),
    ]
    return names, args


def _entry(note: Note, now_ms: int) -> NewEntry:
    kind, _, name = note.consumer.partition(":")
    first, last = note.told or (0, 0)
    detail = {"consumer": name, "kind": kind, "from": first, "to": last, "why": note.why}
    return NewEntry("gap", "", "", "", "", now_ms, detail=detail)


def _size(missing: Missing | None) -> int:
    return missing.last - missing.first + 1 if missing else 0
