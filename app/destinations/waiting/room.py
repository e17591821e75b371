"""The waiting room of a lane, in Redis: what waits, in order, and who has something there.

It is a log of its own: parts of windows under gapless sequences, read by a cursor of its own (`Room.name`).
Who has a part behind that cursor waits. Only the lane's holder writes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import orjson
from redis import Redis

from app.destinations.outbox import Command
from app.destinations.plan import HeldBack
from app.destinations.waiting.hold import Hold
from app.lanes.lanes import HeldLane, LaneLost
from app.lanes.work import OUTBOX_LANES, PROFILES
from app.store import keys, scripts
from app.store.slices import slices

LANES_WITH_ROOM: Final = frozenset({PROFILES.name, OUTBOX_LANES["profiles"].name})
IDS_A_LOOKUP: Final = 1_000
READ_AT_ONCE: Final = 4  # a part may have a megabyte


def room_name(lane: str) -> str:
    """Name the cursor of a lane's room."""
    return f"{lane}-waiting"


def waiting_ids(redis: Redis, project_id: str, lane: str) -> int:
    """Count the distinct_ids whose updates in this lane wait."""
    if lane not in LANES_WITH_ROOM:
        return 0
    cursor = redis.hget(keys.destination(project_id, room_name(lane)), "cursor")
    behind = f"({int(cast('bytes | None', cursor) or 0)}"
    return redis.zcount(keys.waiting_ids(project_id, lane), behind, "+inf")


@dataclass(frozen=True, slots=True)
class Part:
    """Updates of at most 250 profiles in the room.

    Attributes:
        sequence: gapless within the room.
        needs: the change-log sequence that lane `identity` must have come to.
        until_ms: when it goes whatever became of the links, by Redis's clock.
        last: whether it ends what one window put in.
        size: in bytes.
        ids: whose links are waited for.
        updates: as `hold.take_out` wrote them.
    """

    sequence: int
    needs: int
    until_ms: int
    last: bool
    size: int
    ids: tuple[str, ...]
    updates: bytes


class Room:
    """Keep what waits of one lane.

    Args:
        redis: where.
        lane: the lane's name.

    Attributes:
        lane: the same.
        name: of the cursor that says what has left the room.
    """

    def __init__(self, redis: Redis, lane: str) -> None:
        self.name = room_name(lane)
        self.lane = lane
        self._redis = redis
        self._hold = scripts.load(redis, "destinations/scripts/hold.lua")

    def hold(self, lane: HeldLane, hold: Hold, parts: Sequence[HeldBack]) -> None:
        """Put in what a window's plan holds back; what an earlier try put in is there already.

        It can be let go once all parts are in.

        Raises:
            LaneLost: the lane is no longer ours.
        """
        project_id = lane.project_id
        names = [
            lane.key,
            keys.destination_accepted(project_id, self.lane),
            keys.waiting(project_id, self.lane),
            keys.waiting_meta(project_id, self.lane),
            keys.waiting_ids(project_id, self.lane),
        ]
        for number, part in enumerate(parts):
            ids = orjson.dumps(part.ids)
            last = int(number == len(parts) - 1)
            size = len(ids) + len(part.updates)
            when = (hold.needs, hold.until_ms, last)
            if not self._hold(
                keys=names,
                args=[lane.token, f"w{number}", *when, size, part.updates, ids, *part.ids],
            ):
                raise LaneLost(lane.name)

    def ready(self, project_id: str) -> int:
        """Return the sequence up to which there are whole windows only; 0 for a room that was never used."""
        found = self._redis.hget(keys.waiting_meta(project_id, self.lane), "ready")
        return int(cast("bytes | None", found) or 0)

    def size(self, project_id: str) -> tuple[int, int]:
        """Return how many distinct_ids wait, and the bytes of what waits."""
        size = self._redis.hget(keys.waiting_meta(project_id, self.lane), "bytes")
        return self.waiting(project_id), int(cast("bytes | None", size) or 0)

    def waiting(self, project_id: str) -> int:
        """Count the distinct_ids that wait."""
        return waiting_ids(self._redis, project_id, self.lane)

    def having(self, project_id: str, after: int, ids: Sequence[str]) -> set[str]:
        """Say which of these ids have something in the room, behind `after`."""
        key = keys.waiting_ids(project_id, self.lane)
        found: set[str] = set()
        for some in slices(ids, IDS_A_LOOKUP):
            scores = self._redis.zmscore(key, list(some))
            found.update(each for each, score in zip(some, scores, strict=True) if score and score > after)
        return found

    def read(self, project_id: str, after: int, last: int) -> Iterator[Part]:
        """Give what is behind `after`, up to `last`, in order."""
        while after < last:
            found = cast(
                "list[tuple[bytes, dict[bytes, bytes]]]",
                self._redis.xrange(
                    keys.waiting(project_id, self.lane), f"({after}-0", f"{last}-0", READ_AT_ONCE
                ),
            )
            if not found:
                return
            for entry_id, stored in found:
                part = _decode(entry_id, stored)
                after = part.sequence
                yield part

    def dropping(self, project_id: str, parts: Sequence[Part]) -> list[Command]:
        """Return the commands that drop the first parts, to be run in the step that moves the cursor."""
        size = sum(part.size for part in parts)
        return [
            (keys.waiting(project_id, self.lane), "XTRIM", ("MINID", "=", f"{parts[-1].sequence + 1}-0")),
            (keys.waiting_meta(project_id, self.lane), "HINCRBY", ("bytes", -size)),
        ]

    def forget(self, project_id: str, parts: Sequence[Part]) -> None:
        """Forget who had something in parts that the cursor has passed, in small steps.

        Nobody waits on account of them any more, so it neither needs the fence nor matters if it is not done.
        """
        for part in parts:
            self._redis.zremrangebyscore(keys.waiting_ids(project_id, self.lane), "-inf", part.sequence)


def _decode(entry_id: bytes, stored: dict[bytes, Any]) -> Part:
    return Part(
        sequence=int(entry_id.split(b"-")[0]),
        needs=int(stored[b"needs"]),
        until_ms=int(stored[b"until_ms"]),
        last=stored[b"last"] == b"1",
        size=int(stored[b"bytes"]),
        ids=tuple(orjson.loads(stored[b"ids"])),
        updates=stored[b"updates"],
    )
