"""Write streams anew, without the entries that were deleted, and with some that have changed.

Redis adds to a stream at its end only, and an entry that is deleted is only marked: its bytes stay, in memory
and on disk, until all entries beside it have gone, too. So a stream is copied, entry by entry under the same
ids, and the copy takes its place in one step, with its consumer groups and what is pending in them. That step
looks whether anything was added or went meanwhile.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from redis import Redis
from redis.exceptions import ResponseError

from app.lanes.lanes import HeldLane, LaneLost
from app.store import keys, scripts

Fields = Mapping[bytes, bytes]
Change = Callable[[Fields], Fields | None]
"""Gives an entry's new fields, `bytes` among them; None where it stays as it is."""

_BEGINNING: Final = "0-0"
_TRIES: Final = 5
_MOST_PENDING: Final = 2_500
"""That swap.lua takes along."""


class Unsettled(Exception):  # noqa: N818 - a state of the stream
    """Entries go too fast, or too much is pending in consumer groups: to be tried again later."""


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream that is to be written anew.

    Attributes:
        key: its own.
        name: under which the copy is kept meanwhile.
        at_once: entries that one command may handle: some megabytes.
        meta: hash that counts its `bytes`; None where nothing does.
    """

    key: str
    name: str
    at_once: int
    meta: str | None = None


class Streams:
    """Writes streams anew.

    Args:
        redis: where.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._copy = scripts.load(redis, "erasure/scripts/copy.lua")
        self._swap = scripts.load(redis, "erasure/scripts/swap.lua")

    def rewrite(self, lane: HeldLane, stream: Stream, change: Change | None = None) -> None:
        """Write a stream anew; an empty one has nothing left in it.

        Args:
            lane: on whose behalf.
            stream: which.
            change: gives new fields, the same at every try.

        Raises:
            LaneLost: somebody else holds the lane; nothing has changed.
            Unsettled: it could not be done now; nothing has changed.
        """
        for _ in range(_TRIES):
            if not self._redis.xlen(stream.key):
                return
            if self.much_is_pending(stream.key):  # or all of it would be copied in vain, at every call
                break
            if self._try(lane, stream, change):
                return
        raise Unsettled(stream.name)

    def much_is_pending(self, key: str) -> bool:
        """Say whether a stream's consumer groups have more pending than one step can take along."""
        try:
            groups = self._redis.xinfo_groups(key)
        except ResponseError:  # it is gone
            return False
        return sum(int(group["pending"]) for group in groups) > _MOST_PENDING

    def _try(self, lane: HeldLane, stream: Stream, change: Change | None) -> bool:
        copy = keys.rebuilt(lane.project_id, stream.name)
        left = keys.rebuilt(lane.project_id, f"{stream.name}:left")
        lane.write(copy, "UNLINK")  # of a run that was broken off
        after, grown = _BEGINNING, 0
        names = [lane.key, stream.key, copy, left, *([stream.meta] if stream.meta else [])]
        while True:
            after, more = self._copy_rest(lane, stream, copy, after, change)
            grown += more
            if after == _BEGINNING:
                return True  # it is empty by now
            done = cast("int", self._swap(keys=names, args=[lane.token, grown]))
            if done == 0:
                raise LaneLost(lane.name)
            if done != -1:
                break
        if done < 0:
            lane.write(copy, "UNLINK")
        return done == 1

    def _copy_rest(
        self, lane: HeldLane, stream: Stream, copy: str, after: str, change: Change | None
    ) -> tuple[str, int]:
        """Copy what is behind `after`; return the last id, and by how many bytes it has grown."""
        grown = 0
        while True:
            args: list[str | bytes | int] = [lane.token, after, stream.at_once]
            if change:
                changed, more = self._changes(stream, after, change)
                args += changed
                grown += more
            ours, *last = cast("list[Any]", self._copy(keys=[lane.key, stream.key, copy], args=args))
            if not ours:
                raise LaneLost(lane.name)
            lane.keep()
            if not last[0]:
                return after, grown
            after = last[0].decode()

    def _changes(self, stream: Stream, after: str, change: Change) -> tuple[list[str | bytes | int], int]:
        """Return what copy.lua has to know of the next entries, and by how many bytes they grow."""
        args: list[str | bytes | int] = []
        grown = 0
        found = self._redis.xrange(stream.key, min=f"({after}", count=stream.at_once)
        for id_, fields in cast("list[tuple[bytes, Fields]]", found):
            new = change(fields)
            if new is not None:
                flat = [part for pair in new.items() for part in pair]
                args += [id_, len(flat), *flat]
                grown += int(new[b"bytes"]) - int(fields[b"bytes"])
        return args, grown
