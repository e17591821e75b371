"""Rewrite entries of a stream that one lane reads, in their places.

Redis adds to a stream at its end only. So the stream is copied, entry by entry under the same ids, and the
copy takes its place in one step, which looks whether anything was added meanwhile. Nobody else reads these
streams, the lane is held, and none of them has consumer groups.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final, cast

from redis import Redis

from app.lanes.lanes import HeldLane, LaneLost
from app.store import keys, scripts

Fields = Mapping[bytes, bytes]
Change = Callable[[Fields], Fields | None]
"""Gives an entry's new fields, `bytes` among them; None where it stays as it is."""

_AT_ONCE: Final = 4
"""Entries of up to a megabyte each: some milliseconds of Redis."""
_BEGINNING: Final = "0-0"


class Streams:
    """Rewrites streams.

    Args:
        redis: where.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._copy = scripts.load(redis, "erasure/scripts/copy.lua")
        self._swap = scripts.load(redis, "erasure/scripts/swap.lua")

    def rewrite(self, lane: HeldLane, stream: str, meta: str, name: str, change: Change) -> int:
        """Change entries of a stream; return how many were. Where none is, nothing is copied.

        Args:
            lane: the one that reads the stream, held.
            stream: its key.
            meta: the key of the hash with its `bytes`.
            name: under which the copy is kept meanwhile.
            change: gives new fields, the same at every try.

        Raises:
            LaneLost: somebody else holds the lane; nothing has changed.
        """
        if not any(change(fields) for _, fields in self._entries(lane, stream, _BEGINNING)):
            return 0
        copy = keys.rebuilt(lane.project_id, name)
        lane.write(copy, "UNLINK")  # of a run that was broken off
        after, changed, grown = _BEGINNING, 0, 0
        while True:
            after, more, bytes_more = self._copy_rest(lane, stream, copy, after, change)
            changed, grown = changed + more, grown + bytes_more
            left = keys.rebuilt(lane.project_id, f"{name}:left")
            done = self._swap(keys=[lane.key, stream, copy, left, meta], args=[lane.token, after, grown])
            if not done:
                raise LaneLost(lane.name)
            if done == 1:
                return changed

    def _copy_rest(
        self, lane: HeldLane, stream: str, copy: str, after: str, change: Change
    ) -> tuple[str, int, int]:
        """Copy what is behind `after`; return the last id, how many changed, and by how many bytes."""
        changed = grown = 0
        while some := self._some(stream, after):
            args: list[str | bytes | int] = [lane.token, after, len(some)]
            for id_, fields in some:
                new = change(fields)
                if new is not None:
                    flat = [part for pair in new.items() for part in pair]
                    args += [id_, len(flat), *flat]
                    changed += 1
                    grown += int(new[b"bytes"]) - int(fields[b"bytes"])
            ours, *last = cast("list[bytes]", self._copy(keys=[lane.key, stream, copy], args=args))
            if not ours:
                raise LaneLost(lane.name)
            after = last[0].decode()
            lane.keep()
        return after, changed, grown

    def _entries(self, lane: HeldLane, stream: str, after: str) -> Iterator[tuple[bytes, Fields]]:
        while some := self._some(stream, after):
            yield from some
            after = some[-1][0].decode()
            lane.keep()

    def _some(self, stream: str, after: str) -> list[tuple[bytes, Fields]]:
        found = self._redis.xrange(stream, min=f"({after}", count=_AT_ONCE)
        return cast("list[tuple[bytes, Fields]]", found)
