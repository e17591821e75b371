"""Ask for erasures, and show how they stand."""

import secrets
from collections.abc import Mapping
from typing import Final, cast

import orjson
from redis import Redis

from app.cohorts.suppression import SALT, digest_of
from app.destinations.identity.ledger import Ledger
from app.erasure.state import ErasureState, state_of
from app.lanes.lanes import Lanes
from app.lanes.work import ERASURE
from app.resync.state import parse_id
from app.store import keys, scripts
from config.projects import Project

KEPT_S: Final = 400 * 86_400
"""How long it is shown that somebody was erased: as long as the audit log."""
LISTED: Final = 10_000
_HOUR_MS: Final = 3_600_000
_TRIES: Final = 3


class NoDeletionAccess(Exception):  # noqa: N818 - a state of the configuration
    """The project has no OAuth token, so that nothing can be filed with Mixpanel."""


class Erasures:
    """The erasures of all projects.

    Args:
        redis, lanes, ledger: what it works with.
        suppression_h: for how many hours an erased person is left out, whoever still names them.
    """

    def __init__(self, redis: Redis, lanes: Lanes, ledger: Ledger, suppression_h: int) -> None:
        self._redis = redis
        self._lanes = lanes
        self._ledger = ledger
        self._suppression_ms = suppression_h * _HOUR_MS
        self._erase = scripts.load(redis, "erasure/scripts/erase.lua")

    def ask(
        self, project: Project, distinct_id: str, *, mixpanel: bool = False, asked_by: str = ""
    ) -> tuple[ErasureState, bool]:
        """Ask for a person to be erased; the lanes do it.

        Args:
            project: whose person.
            distinct_id: one of the person's ids.
            mixpanel: also file Mixpanel's own deletion.
            asked_by: who asks: a token's id, or the command line.

        Returns:
            The erasure, and whether it is new: while one of this id is under way, that one is returned.

        Raises:
            NoDeletionAccess: nothing was asked for.
        """
        if mixpanel and project.oauth_token is None:
            raise NoDeletionAccess(project.id)
        number = self._redis.incr(keys.erasure_numbers(project.id))
        fields: list[str | bytes | int] = ["state", "asked", "asked_by", asked_by]
        fields += ["ids", orjson.dumps([distinct_id]), "until_ms", self._now_ms() + self._suppression_ms]
        fields += ["mixpanel", "waiting" if mixpanel else "not_asked"]
        for _ in range(_TRIES):
            taken, *rest = self._call(project.id, number, distinct_id, fields)
            if taken >= 0:
                break
        if taken:
            self._lanes.enqueue(project.id, ERASURE.name, rest[0])
        asked = self._read(project.id, number if taken else rest[0])
        assert asked is not None
        return asked, bool(taken)

    def known(self, project_id: str, distinct_id: str) -> list[str]:
        """Return every id of the person that the ledger knows, this one among them."""
        return every_id(self._ledger, project_id, distinct_id)

    def get(self, erasure_id: str) -> ErasureState | None:
        """Return one erasure; None where there is none, or none any more."""
        place = parse_id(erasure_id)
        return self._read(*place) if place else None

    def page(
        self, project_id: str, *, before: int | None = None, limit: int = 20
    ) -> tuple[list[ErasureState], int | None]:
        """Return erasures, the newest first, and with which `before` to go on; None at the end."""
        highest = "+inf" if before is None else f"({before}"
        key = keys.erasures(project_id)
        found = cast("list[bytes]", self._redis.zrevrangebyscore(key, highest, 0, start=0, num=limit + 1))
        numbers = [int(number) for number in found]
        states = [self._read(project_id, number) for number in numbers[:limit]]
        next_ = numbers[limit - 1] if len(numbers) > limit else None
        return [state for state in states if state], next_

    def _call(
        self, project_id: str, number: int, distinct_id: str, fields: list[str | bytes | int]
    ) -> list[int]:
        stored = cast("bytes | None", self._redis.hget(keys.suppressed(project_id), cast("str", SALT)))
        salt = stored or secrets.token_bytes(16)
        names = [
            keys.erasure(project_id, number),
            keys.erasures_open(project_id),
            keys.erasures(project_id),
            keys.erasures_due(project_id),
            keys.suppressed(project_id),
            keys.lane(project_id, ERASURE.name),
        ]
        args = [number, salt, digest_of(salt, distinct_id), KEPT_S, LISTED, *fields]
        return cast("list[int]", self._erase(keys=names, args=args))

    def _read(self, project_id: str, number: int) -> ErasureState | None:
        key = keys.erasure(project_id, number)
        stored = cast("Mapping[bytes, bytes]", self._redis.hgetall(key))
        return state_of(project_id, number, stored) if b"state" in stored else None

    def _now_ms(self) -> int:
        seconds, microseconds = self._redis.time()
        return seconds * 1000 + microseconds // 1000


def every_id(ledger: Ledger, project_id: str, distinct_id: str) -> list[str]:
    """Return every id in an id's cluster, older parts of it too; the id alone where it has none."""
    clusters = ledger.clusters(project_id, [distinct_id])
    cluster = clusters.of(distinct_id)
    found = dict.fromkeys([distinct_id, *clusters.ids(distinct_id)])
    for part in range(cluster.parts if cluster else 0):
        for edge in ledger.older(project_id, cluster.number if cluster else 0, part):
            found.update(dict.fromkeys((edge.first, edge.second)))
    return list(found)
