"""Which sync an epoch was of, and when."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import cast

import orjson
from redis import Redis

from app.store import keys


@dataclass(frozen=True, slots=True)
class Began:
    """The sync of an epoch.

    Attributes:
        session_id: the export.
        time_ms: when the newest of its pages was accepted.
    """

    session_id: str
    time_ms: int


class EpochTimes:
    """Reads what the apply lane notes of each epoch."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def of(self, project_id: str, cohort_id: str, epochs: Collection[int]) -> Mapping[int, Began]:
        """Return the syncs of these epochs, as far as they are known."""
        if not epochs:
            return {}
        wanted = sorted(epochs)
        stored = self._redis.hmget(keys.epochs(project_id, cohort_id), [str(epoch) for epoch in wanted])
        found = zip(wanted, cast("list[bytes | None]", stored), strict=True)
        return {epoch: Began(*orjson.loads(noted)) for epoch, noted in found if noted}
