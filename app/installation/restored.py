"""What has to be done after an older backup was restored, before anything runs over it.

What was acknowledged after the backup is lost, and Mixpanel does not send it again: it sends what changes.
So each cohort is suspect until a full list or a reconcile. The log went on under sequences that are now given
a second time: it begins a new generation, so that subscribers notice, and so that an event's `$insert_id` is
never that of another one. And tokens of lanes grow by more than they can have grown since, so that a process
that held a lane before the loss writes nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, cast

import orjson
from redis import Redis

from app.cohorts.commit import candidate_generation
from app.installation.stored import scan
from app.store import keys, scripts
from app.store.keys import Place

GROWN: Final = 1_000_000_000
"""Runs of a lane: decades."""
WHY: Final = "a backup was restored, and what came after it is lost"


@dataclass(frozen=True, slots=True)
class Restored:
    """What was done for a project.

    Attributes:
        project_id: which.
        before, generation: of its log.
        cohorts: ids of those that it has.
        doubted: how many of them became suspect by this.
    """

    project_id: str
    before: str
    generation: str
    cohorts: tuple[str, ...]
    doubted: int


class Restoring:
    """Makes restored state fit to go on with."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._restored = scripts.load(redis, "installation/scripts/restored.lua")
        self._doubt = scripts.load(redis, "installation/scripts/doubt.lua")

    def run(self, project_id: str) -> Restored:
        """Do what has to be done for a project; doing it twice harms nothing."""
        lanes = sorted(set(self._lanes(project_id)))
        generation = candidate_generation()
        before = cast(
            "bytes",
            self._restored(keys=[keys.log_meta(project_id), *lanes], args=[generation, GROWN]),
        )
        found = cast("set[bytes]", self._redis.smembers(keys.cohorts(project_id)))
        cohorts = tuple(sorted(each.decode() for each in found))
        doubted = sum(self._doubt_one(project_id, each) for each in cohorts)
        return Restored(project_id, before.decode(), generation, cohorts, doubted)

    def _doubt_one(self, project_id: str, cohort_id: str) -> int:
        """Make a cohort suspect; a reconcile under way, which has read before the loss, leaves it so."""
        key = keys.cohort(project_id, cohort_id)
        stored = cast("bytes | None", self._redis.hget(key, "resync"))
        resync = orjson.loads(stored) if stored else None
        args: list[str | bytes] = [WHY, orjson.dumps({**resync, "doubted": True}) if resync else ""]
        return cast("int", self._doubt(keys=[key], args=args))

    def _lanes(self, project_id: str) -> Iterator[str]:
        for some in scan(self._redis, project_id):
            for name in some:
                if (place := Place.of(name)) and place.kind == "lane":
                    yield name.decode()
