"""A project's log in Redis, written by the product, and trimmed or lost as a test likes."""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any, cast

import orjson
from redis import Redis

from app.cohorts.changelog import ChangeLog, Entry
from app.lanes.lanes import Lanes
from app.lanes.queue import LaneQueue
from app.store import keys

P = "2195193"


def erased(*ids: str) -> dict[str, Any]:
    """Return what the log says of people who were erased."""
    salt = bytes(range(16))
    digests = [sha256(salt + each.encode()).hexdigest() for each in ids]
    return {"erasure": f"{P}-1", "salt": salt.hex(), "digests": digests, "sequences": []}


class NoJobs:
    """A queue that runs nothing."""

    def enqueue(self, project_id: str, lane: str, wake: int) -> None:
        pass


class WrittenLog:
    """One project's log."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        lanes = Lanes(redis, cast("LaneQueue", NoJobs()), lease_s=15.0)
        self.changelog = ChangeLog(redis, lanes, keep_entries=10)

    def tell(self, number: int = 1, kind: str = "sync.completed") -> None:
        """Append events as the product does."""
        for _ in range(number):
            self.changelog.append(P, kind, {}, "1", "VIP")

    def write(self, entries: Iterable[Entry]) -> None:
        """Put entries there, under their own sequences and generation."""
        pipeline = self.redis.pipeline(transaction=False)
        for entry in entries:
            data = {
                "entered": [list(each) for each in entry.entered],
                "exited": entry.exited,
                "updated": [list(each) for each in entry.updated],
                "detail": entry.detail,
            }
            fields: dict[Any, Any] = {
                "generation": entry.generation,
                "kind": entry.kind,
                "cause": entry.cause,
                "cohort_id": entry.cohort_id,
                "cohort_name": entry.cohort_name,
                "session_id": entry.session_id,
                "time_ms": entry.time_ms,
                "data": orjson.dumps(data),
            }
            pipeline.xadd(keys.log(P), fields, id=f"{entry.sequence}-0")
            meta: dict[Any, Any] = {"generation": entry.generation, "sequence": entry.sequence}
            pipeline.hset(keys.log_meta(P), mapping=meta)
        pipeline.execute()

    def trim(self, upto: int) -> None:
        """Drop everything up to a sequence."""
        self.redis.xtrim(keys.log(P), minid=f"{upto + 1}-0", approximate=False)

    def cut(self, upto: int, sequences: Sequence[int] = ()) -> None:
        """Lose the end of the log, as a Redis that did not persist it does."""
        for sequence in sequences:
            self.redis.xdel(keys.log(P), f"{sequence}-0")
        untyped: Any = self.redis
        untyped.execute_command("XSETID", keys.log(P), f"{upto}-0")
        self.redis.hset(keys.log_meta(P), "sequence", upto)

    def lose(self) -> None:
        """Lose all of it."""
        self.redis.delete(keys.log(P), keys.log_meta(P))
