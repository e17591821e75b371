"""Outboxes: what services submit, durable and in order, until its lane has delivered it.

What is submitted in one call becomes one or more entries, all or none, with gapless sequences like the
change log's: none so large that a command on a few of them would hold up Redis. They are read in windows, and
dropped in the same step that moves their lane's cursor behind them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from redis import Redis

from app.cohorts.inbox import NotAccepting
from app.lanes.lanes import Lanes
from app.lanes.work import OUTBOX_LANES, OutboxName
from app.store import keys
from app.store.durable import DurableScript

FULL_RETRY_AFTER_S: Final = 10.0
RECORDS_AN_ENTRY: Final = 500
BYTES_AN_ENTRY: Final = 1_000_000  # an entry has more only where one record has
READ_AT_ONCE: Final = 4  # some milliseconds of Redis at the most
MAX_SUBMISSIONS: Final = 1_000
MAX_WINDOW_BYTES: Final = 32 * 1024 * 1024
_CLOSED: Final = -3
MAX_WINDOW_VALUES: Final = 500_000  # what is planned takes some microseconds and half a kilobyte for each

Command = tuple[str, str, tuple[str | int, ...]]
"""A key, a command's name, and its arguments behind the key."""


class OutboxFull(Exception):  # noqa: N818 - a state of the outbox, not a mistake of the caller
    """The outbox is at its cap. `retry_after_s` says when to come back."""

    def __init__(self, name: OutboxName, cap_bytes: int, retry_after_s: float = FULL_RETRY_AFTER_S) -> None:
        super().__init__(f"the outbox {name} is full")
        self.name = name
        self.cap_bytes = cap_bytes
        self.retry_after_s = retry_after_s


class KeyReused(Exception):  # noqa: N818 - a state of the request, named for the answer
    """A request came under a key that stands for another request."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request that is looked up, and remembered, so that its repetition adds nothing.

    Attributes:
        key: what stands for it.
        body_digest: of what was asked, which a repetition must equal.
        answer: what to answer a repetition.
        lifetime_s: how long it is remembered; 0: it is only looked up.
    """

    key: str
    body_digest: str
    answer: bytes
    lifetime_s: int


@dataclass(frozen=True, slots=True)
class Submitted:
    """What became of a submission.

    Attributes:
        sequence: of its last entry; None for a repetition.
        replayed: the answer that the first request got; None if this is the first.
    """

    sequence: int | None
    replayed: bytes | None = None


@dataclass(frozen=True, slots=True)
class Submission:
    """One entry of an outbox.

    Attributes:
        sequence: gapless within the outbox.
        time_ms: when it was submitted.
        size: of its records, in bytes.
        records: encoded JSON objects; nothing in the place of one that was erased.
    """

    sequence: int
    time_ms: int
    size: int
    records: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class OutboxDepth:
    """What waits: records, bytes, and since when (ms) the oldest does; None if nothing does."""

    records: int
    bytes: int
    oldest_ms: int | None


class Outboxes:
    """Take submissions in, and give them in order to their lanes.

    Args:
        redis: where.
        lanes: wakes the lane of an outbox.
        cap_bytes: most bytes that may wait in one outbox.
        wait_replicas: how many replicas must have a submission before it counts as taken in.
    """

    def __init__(self, redis: Redis, lanes: Lanes, cap_bytes: int, wait_replicas: int = 0) -> None:
        self._redis = redis
        self._lanes = lanes
        self._cap_bytes = cap_bytes
        self._submit = DurableScript(redis, "destinations/scripts/submit.lua", wait_replicas)

    def submit(
        self, project_id: str, name: OutboxName, records: Sequence[bytes], *, request: Request | None = None
    ) -> Submitted:
        """Take in records, all or none; durable when this returns.

        Args:
            project_id: whose.
            name: which outbox.
            records: encoded JSON objects, one or more, each on one line.
            request: what to look up and remember, so that a repetition adds nothing.

        Raises:
            OutboxFull: there is no room; nothing was kept.
            KeyReused: the request's key stands for another request; nothing was kept.
            NotAccepting: somebody has stopped accepting for the project; nothing was kept.
            RedisError: it may or may not have been kept.
        """
        lane = OUTBOX_LANES[name]
        entries = list(_entries(records))
        size = sum(entry_size for _, entry_size, _ in entries)
        names = [
            keys.outbox(project_id, name),
            keys.outbox_meta(project_id, name),
            keys.lane(project_id, lane.name),
            keys.leaving(project_id),
            keys.held(project_id),
        ]
        args: list[str | bytes | int] = [len(records), size, self._cap_bytes, len(entries)]
        args += [value for entry in entries for value in entry]
        if request:
            names.append(keys.outbox_request(project_id, name, request.key))
            args += [request.body_digest, request.answer, request.lifetime_s]
        outcome, *rest = self._submit.run((names, args))
        if outcome == 1:
            self._lanes.enqueue(project_id, lane.name, rest[1])
            return Submitted(rest[0])
        if outcome == 0:
            return Submitted(None, replayed=rest[0])
        if outcome == _CLOSED:
            raise NotAccepting
        if outcome == -1:
            raise KeyReused
        raise OutboxFull(name, self._cap_bytes)

    def read(
        self, project_id: str, name: OutboxName, after: int, max_records: int, last: int | None = None
    ) -> list[Submission]:
        """Return submissions in order.

        Args:
            project_id: whose.
            name: which outbox.
            after: the sequence behind which to begin.
            max_records: enough once so many records are read (the last submission may pass it).
            last: a sequence not to read beyond; with it, everything up to there is read.
        """
        found: list[Submission] = []
        records = size = values = 0
        upper = "+" if last is None else f"{last}-0"
        while last is not None or (
            records < max_records
            and size < MAX_WINDOW_BYTES
            and values < MAX_WINDOW_VALUES
            and len(found) < MAX_SUBMISSIONS
        ):
            some = cast(
                "list[tuple[bytes, dict[bytes, bytes]]]",
                self._redis.xrange(keys.outbox(project_id, name), f"({after}-0", upper, READ_AT_ONCE),
            )
            for entry_id, stored in some:
                found.append(_decode(entry_id, stored))
                after = found[-1].sequence
                records += len(found[-1].records)
                size += found[-1].size
                values += stored[b"records"].count(b",")  # quick, and seldom far too many
            if len(some) < READ_AT_ONCE:
                break
        return found

    def dropping(self, project_id: str, name: OutboxName, submissions: Sequence[Submission]) -> list[Command]:
        """Return the commands that drop submissions, to be run in the step that moves the cursor."""
        meta, end = keys.outbox_meta(project_id, name), submissions[-1].sequence
        size = sum(submission.size for submission in submissions)
        records = sum(len(submission.records) for submission in submissions)
        return [
            (keys.outbox(project_id, name), "XTRIM", ("MINID", "=", f"{end + 1}-0")),
            (meta, "HINCRBY", ("bytes", -size)),
            (meta, "HINCRBY", ("records", -records)),
        ]

    def end(self, project_id: str, name: OutboxName) -> int:
        """Return the last sequence, 0 for an outbox that was never used."""
        found = cast("bytes | None", self._redis.hget(keys.outbox_meta(project_id, name), "sequence"))
        return int(found or 0)

    def depth(self, project_id: str, name: OutboxName) -> OutboxDepth:
        """Return what waits."""
        meta = self._redis.hmget(keys.outbox_meta(project_id, name), ["records", "bytes"])
        records, size = (int(value or 0) for value in cast("list[bytes | None]", meta))
        first = self._redis.xrange(keys.outbox(project_id, name), count=1) if records else []
        oldest = [int(fields[b"time_ms"]) for _, fields in cast("list[tuple[bytes, Any]]", first)]
        return OutboxDepth(records, size, oldest[0] if oldest else None)


def _entries(records: Sequence[bytes]) -> Iterator[tuple[int, int, bytes]]:
    """Cut records into entries: the number of records of each, their bytes, and the records, a line each."""
    some: list[bytes] = []
    size = 0
    for record in records:
        if some and (len(some) == RECORDS_AN_ENTRY or size + len(record) + 1 > BYTES_AN_ENTRY):
            yield _entry(some)
            some, size = [], 0
        some.append(record)
        size += len(record) + 1
    if some:
        yield _entry(some)


def _entry(records: Sequence[bytes]) -> tuple[int, int, bytes]:
    body = b"\n".join(records)
    return len(records), len(body), body


def _decode(entry_id: bytes, stored: dict[bytes, bytes]) -> Submission:
    return Submission(
        sequence=int(entry_id.split(b"-")[0]),
        time_ms=int(stored[b"time_ms"]),
        size=int(stored[b"bytes"]),
        records=tuple(stored[b"records"].split(b"\n")),
    )
