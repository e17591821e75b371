"""The share of the lane that reads cohorts from Mixpanel: what it has read of the person."""

from typing import cast

from redis import Redis

from app.cohorts.buckets import by_bucket
from app.cohorts.packing import pack_id
from app.erasure.asked import Asked, Counts
from app.lanes.lanes import HeldLane
from app.store import keys


class ReadingShare:
    """Takes a person out of what was read, and out of whom pages made absent meanwhile.

    Args:
        redis: where.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def do(self, lane: HeldLane, asked: Asked) -> Counts:
        """Do it, for each resync that has something in Redis.

        Raises:
            LaneLost: somebody else holds the lane.
        """
        packed = [pack_id(each) for each in asked.ids]
        return {"read": sum(self._one(lane, number, packed) for number in self._numbers(lane.project_id))}

    def _numbers(self, project_id: str) -> list[int]:
        due = cast("list[bytes]", self._redis.zrange(keys.resyncs_due(project_id), 0, -1))
        going = cast("list[bytes]", self._redis.hvals(keys.resyncs_open(project_id)))
        return sorted({int(number) for number in (*due, *going)})

    def _one(self, lane: HeldLane, number: int, packed: list[bytes]) -> int:
        project_id, key = lane.project_id, keys.resync(lane.project_id, number)
        stored = cast("bytes | None", self._redis.hget(key, "buckets"))
        removed = 0
        for bucket, some in by_bucket(packed, int(stored)).items() if stored else ():
            gone = int(lane.write(keys.resync_read(project_id, number, bucket), "HDEL", *some))
            if gone:  # a reading of which something is missing is not compared
                lane.write(key, "HINCRBY", "kept", -gone)
            lane.write(keys.resync_gone(project_id, number, bucket), "HDEL", *some)
            removed += gone
        return removed
