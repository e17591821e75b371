"""Keep in Redis what all processes have counted together."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, cast

import orjson
from redis import Redis

from app.metrics.families import FAMILIES, PAGES_REFUSED, Family
from app.metrics.recorder import INFINITE, SUM, Series
from app.store import keys, scripts
from app.store.slices import slices

REMEMBERED_S: Final = 3_600
"""How long the number of a process's last addition is kept: longer than a process tries the same again."""
FIELDS_AT_MOST: Final = 50_000
LAST: Final = "last"
"""Stands beside the number of refused pages for the time (ms) of the last one: no number that is shown."""


class StoredMetrics:
    """Add to the numbers, and read them.

    Args:
        redis: where.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._add = scripts.load(redis, "metrics/scripts/add.lua")

    def add(self, process: str, number: int, added: Mapping[Series, float]) -> None:
        """Add some numbers, all or none, and once only however often this is called for them.

        Args:
            process: names the process.
            number: of this addition of the process, from 1 on.
            added: what to add.

        Raises:
            RedisError: they may or may not have been added.
        """
        pairs = [part for series, by in added.items() for part in (orjson.dumps(series), by)]
        self._add(
            keys=[keys.metrics(), keys.metrics_added(process)],
            args=[number, REMEMBERED_S, FIELDS_AT_MOST, *pairs],
        )
        if refused := [_last(labels) for name, labels, _ in added if name == PAGES_REFUSED.name]:
            now_s, now_us = self._redis.time()
            now_ms = now_s * 1000 + now_us // 1000
            self._redis.hset(keys.metrics(), mapping=dict.fromkeys(refused, now_ms))

    def read(self) -> dict[Series, float]:
        """Return the numbers; those of families that this code does not know (any more) are left out."""
        stored = cast("dict[bytes, bytes]", self._redis.hgetall(keys.metrics()))
        return dict(_known(stored))

    def last_refused(self, labels: Sequence[tuple[str, str]]) -> list[int | None]:
        """Return when the last page was refused (ms, to about a second) of each project and cause."""
        found = self._redis.hmget(keys.metrics(), [*map(_last, labels)]) if labels else []
        return [None if at_ms is None else int(at_ms) for at_ms in cast("list[bytes | None]", found)]

    def fields_of(self, project_id: str) -> list[bytes]:
        """Return the fields of all numbers that name a project."""
        places = {
            family.name: family.labels.index("project") for family in FAMILIES if "project" in family.labels
        }
        found = []
        for field in self._redis.hscan_iter(keys.metrics(), count=500):
            name, labels, _ = orjson.loads(field[0])
            place = places.get(name)
            if place is not None and len(labels) > place and labels[place] == project_id:
                found.append(field[0])
        return found

    def forget(self, fields: Sequence[bytes]) -> int:
        """Drop numbers, as `fields_of` gave them; return how many there were."""
        return sum(self._redis.hdel(keys.metrics(), *some) for some in slices(fields, 250))


def _last(labels: Sequence[str]) -> bytes:
    return orjson.dumps((PAGES_REFUSED.name, labels, LAST))


def _known(stored: Mapping[bytes, bytes]) -> Iterator[tuple[Series, float]]:
    families = {family.name: family for family in FAMILIES}
    for field, number in stored.items():
        name, labels, slot = orjson.loads(field)
        family = families.get(name)
        if family and len(labels) == len(family.labels) and slot in _slots(family):
            yield (name, tuple(labels), slot), float(number)


def _slots(family: Family) -> tuple[str, ...]:
    return ("",) if family.kind == "counter" else (*map(repr, family.bounds), INFINITE, SUM)
