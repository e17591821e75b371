"""What the resync lane keeps of a reading in Redis, always under the lane's fence."""

from collections.abc import Mapping, Sequence
from typing import cast

from redis import Redis

from app.cohorts.buckets import by_bucket
from app.cohorts.read_members import LIVES_S
from app.lanes.lanes import HeldLane, LaneLost, Lanes
from app.lanes.work import APPLY
from app.store import keys, scripts

CHUNK = 250
Values = Mapping[str, str | bytes | int]


class NotReading(Exception):  # noqa: N818 - what a cancelled reading comes to
    """The page is not what is to be read any more."""


class Progress:
    """Writes how far readings are."""

    def __init__(self, redis: Redis, lanes: Lanes) -> None:
        self._redis = redis
        self._lanes = lanes
        self._keep = scripts.load(redis, "resync/scripts/keep.lua")
        self._drop = scripts.load(redis, "resync/scripts/drop.lua")
        self._ring = scripts.load(redis, "resync/scripts/ring.lua")

    def next(self, project_id: str) -> int | None:
        """Return the number of a resync that the lane has to do with now, None where there is none."""
        now_s, now_us = self._redis.time()
        now_ms = now_s * 1000 + now_us // 1000
        due = keys.resyncs_due(project_id)
        found = cast("list[bytes]", self._redis.zrangebyscore(due, 0, now_ms, start=0, num=1))
        return int(found[0]) if found else None

    def read(self, project_id: str, number: int) -> dict[str, str]:
        """Return what is known of a resync; nothing if it is gone."""
        found = cast("dict[bytes, bytes]", self._redis.hgetall(keys.resync(project_id, number)))
        return {name.decode(): value.decode() for name, value in found.items()}

    def keep(
        self,
        lane: HeldLane,
        number: int,
        page: int,
        *,
        members: Mapping[bytes, bytes],
        buckets: int,
        behind: Values,
    ) -> None:
        """Keep a page's members, in scripts of 250; the last one moves on.

        Raises:
            LaneLost: the lane is somebody else's.
            NotReading: it was cancelled, or that page has been kept.
        """
        ids = list(members)
        for start in range(0, max(1, len(ids)), CHUNK):
            progress = behind if start + CHUNK >= len(ids) else {}
            grouped = by_bucket(ids[start : start + CHUNK], buckets)
            names = [keys.resync_read(lane.project_id, number, bucket) for bucket in grouped]
            flat = _flat(progress)
            args: list[str | bytes | int] = [lane.token, page, LIVES_S, len(flat), *flat]
            for group in grouped.values():
                args += [2 * len(group)]
                args += [part for packed_id in group for part in (packed_id, members[packed_id])]
            kept = cast("int", self._keep(keys=[*self._of(lane, number), *names], args=args))
            if kept == 0:
                raise LaneLost(lane.name)
            if kept < 0:
                raise NotReading

    def drop(self, lane: HeldLane, number: int, buckets: Sequence[str], behind: Values) -> None:
        """Drop some buckets.

        Raises:
            LaneLost: the lane is somebody else's.
        """
        args = [lane.token, *_flat(behind)]
        if not self._drop(keys=[*self._of(lane, number), *buckets], args=args):
            raise LaneLost(lane.name)

    def ring(self, lane: HeldLane, number: int, cohort_id: str, why: Values) -> None:
        """Hand the resync to the apply lane.

        Raises:
            LaneLost: the lane is somebody else's.
        """
        of = (keys.resyncs_open, keys.resyncs_rung, keys.due, keys.resyncs_due)
        names = [*self._of(lane, number), *(name(lane.project_id) for name in of)]
        names.append(keys.lane(lane.project_id, APPLY.name))
        ours, wake = cast(
            "list[int]", self._ring(keys=names, args=[lane.token, number, cohort_id, *_flat(why)])
        )
        if not ours:
            raise LaneLost(lane.name)
        self._lanes.enqueue(lane.project_id, APPLY.name, wake)

    def note(self, lane: HeldLane, number: int, values: Values) -> None:
        """Note something about the resync.

        Raises:
            LaneLost: the lane is somebody else's.
        """
        lane.write(keys.resync(lane.project_id, number), "HSET", *_flat(values))

    def take_up(self, lane: HeldLane, number: int) -> None:
        """Have a resync to do with.

        Raises:
            LaneLost: the lane is somebody else's.
        """
        lane.write(keys.resyncs_due(lane.project_id), "ZADD", 0, number)

    def postpone(self, lane: HeldLane, number: int, wait_s: float) -> None:
        """Have nothing to do with a resync for some seconds, while others go on.

        Raises:
            LaneLost: the lane is somebody else's.
        """
        now_s, now_us = self._redis.time()
        due_ms = now_s * 1000 + now_us // 1000 + int(wait_s * 1000) + 1
        lane.write(keys.resyncs_due(lane.project_id), "ZADD", due_ms, number)

    def done(self, lane: HeldLane, number: int) -> None:
        """Have nothing more to do with a resync.

        Raises:
            LaneLost: the lane is somebody else's.
        """
        lane.write(keys.resyncs_due(lane.project_id), "ZREM", number)

    def _of(self, lane: HeldLane, number: int) -> tuple[str, str]:
        return lane.key, keys.resync(lane.project_id, number)


def _flat(values: Values) -> list[str | bytes | int]:
    return [part for pair in values.items() for part in pair]
