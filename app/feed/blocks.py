"""Decoded entries of the log, shared by all who read a project in this process.

A thousand subscribers of a project stand at nearly the same place, so what one of them reads is there for the
others. The log is read in blocks of 50 sequences that begin at fixed places; a block is never changed, only
replaced by one that goes further.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from threading import Lock
from typing import Final, cast

from redis import Redis

from app.cohorts.changelog import READ_AT_ONCE, Entry, decode_entry
from app.feed.position import Position
from app.store import keys

MOST_BYTES: Final = 4 * 1024 * 1024
"""As encoded; decoded, they take about five times as much. The newest block is kept whatever its size."""
LIVES_S: Final = 30.0
"""So that what is erased from the log does not live on here: what is older is not used, and goes once another
block is read, as soon as the log grows."""

MOST_ENTRIES: Final = 500
"""Looked at in one pass, wanted or not: up to 125,000 changes, which take about 0.1 s to decode."""

_Key = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class _Block:
    entries: tuple[Entry, ...]
    upto: int
    size: int
    read_s: float


class Blocks:
    """Reads entries, or remembers them.

    Args:
        redis: where.
        clock: seconds.
        most_bytes: what is remembered at most.
    """

    def __init__(
        self, redis: Redis, clock: Callable[[], float] = time.monotonic, most_bytes: int = MOST_BYTES
    ) -> None:
        self._redis = redis
        self._clock = clock
        self._most = most_bytes
        self._blocks: OrderedDict[_Key, _Block] = OrderedDict()
        self._size = 0
        self._lock = Lock()

    def read(self, project_id: str, generation: str, first: int, last: int) -> tuple[list[Entry], int]:
        """Return entries of the block that holds `first`, and the last sequence that was looked at.

        Args:
            project_id: whose log.
            generation: of the log now.
            first: sequence to begin at.
            last: of the log now, or an earlier one to stop at. Which of them are not there, are lost.
        """
        number = (first - 1) // READ_AT_ONCE
        behind = (number + 1) * READ_AT_ONCE
        last = min(last, behind)
        key = (project_id, generation, number)
        block = self._known(key)
        if block is None or block.upto < last:
            block = self._fetched(key, block, last, behind)
        return [entry for entry in block.entries if first <= entry.sequence <= last], last

    def forget(self, project_id: str) -> None:
        """Remember nothing of a project any more."""
        with self._lock:
            for key in [key for key in self._blocks if key[0] == project_id]:
                self._size -= self._blocks.pop(key).size

    def _known(self, key: _Key) -> _Block | None:
        with self._lock:
            block = self._blocks.get(key)
            if block is None or self._clock() - block.read_s > LIVES_S:
                return None
            self._blocks.move_to_end(key)
            return block

    def _fetched(self, key: _Key, known: _Block | None, last: int, behind: int) -> _Block:
        """Read what is there of a block behind what is known, and remember it."""
        first = known.upto + 1 if known else behind - READ_AT_ONCE + 1
        found = cast(
            "list[tuple[bytes, dict[bytes, bytes]]]",
            self._redis.xrange(keys.log(key[0]), f"{first}-0", f"{behind}-0"),
        )
        # What was there when a backup was restored names the generation before, and is told as of this one:
        # its ids must be places in the log as it is now, to go on behind.
        entries = tuple(
            replace(decode_entry(int(entry_id.split(b"-")[0]), stored), generation=key[1])
            for entry_id, stored in found
        )
        block = _Block(
            entries=(*known.entries, *entries) if known else entries,
            upto=max(last, entries[-1].sequence if entries else 0),
            size=(known.size if known else 0) + sum(len(stored[b"data"]) for _, stored in found),
            read_s=known.read_s if known else self._clock(),
        )
        self._keep(key, block)
        return block

    def _keep(self, key: _Key, block: _Block) -> None:
        with self._lock:
            now_s = self._clock()
            for old in [each for each, known in self._blocks.items() if now_s - known.read_s > LIVES_S]:
                self._size -= self._blocks.pop(old).size
            replaced = self._blocks.pop(key, None)
            self._blocks[key] = block
            self._size += block.size - (replaced.size if replaced else 0)
            while self._size > self._most and len(self._blocks) > 1:
                self._size -= self._blocks.popitem(last=False)[1].size

    def first_from(self, project_id: str, sequence: int) -> int | None:
        """Return the first sequence from one on that is there; None if there is none."""
        found = cast(
            "list[tuple[bytes, object]]", self._redis.xrange(keys.log(project_id), f"{sequence}-0", "+", 1)
        )
        return int(found[0][0].split(b"-")[0]) if found else None


class Scan:
    """One pass over entries, which knows how far it came.

    Args:
        blocks: reads them.
        project_id: whose log.
        begin: behind which to begin.
        last: not to go beyond; of the log's generation now.

    Attributes:
        generation: of the log now.
        expected: the sequence behind the last entry that was found.
        looked_at: the last sequence that was looked at, found or not.
    """

    def __init__(self, blocks: Blocks, project_id: str, begin: Position, last: Position) -> None:
        self._blocks = blocks
        self._project_id = project_id
        self._begin = begin
        self._last = last
        self.generation = last.generation
        self.expected = begin.next
        self.looked_at = begin.next - 1

    def entries(self) -> Iterator[Entry]:
        """Yield what is there, up to some hundred entries."""
        found = 0
        while self.looked_at < self._last.sequence and found < MOST_ENTRIES:
            first = self.looked_at + 1
            entries, upto = self._blocks.read(self._project_id, self.generation, first, self._last.sequence)
            for entry in entries:
                self.expected = entry.sequence + 1
                self.looked_at = entry.sequence
                yield entry
            found += len(entries)
            self.looked_at = upto if entries else self._before_next(upto)

    @property
    def after(self) -> Position:
        """The place behind what was looked at."""
        if self.looked_at < self._begin.next:
            return self._begin
        if self.looked_at >= self._last.sequence:
            return self._last
        return Position(self.generation, self.looked_at)

    def _before_next(self, upto: int) -> int:
        """Return the sequence before the next one that is there: what was trimmed is jumped over at once."""
        following = self._blocks.first_from(self._project_id, upto + 1)
        return self._last.sequence if following is None else min(following - 1, self._last.sequence)
