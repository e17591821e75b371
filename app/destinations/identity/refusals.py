"""Which links of rules were refused of late, so that a member who changes daily is not told of daily.

A rule asks for a member's link whenever the member changes. What was refused is not judged anew for a week,
nor put among the dead letters again; afterwards it is, as what it was refused for may have changed. A link
that a service submits, or that somebody redrives, is always judged.
"""

from collections.abc import Iterable
from hashlib import blake2b
from typing import Final, cast

import orjson
from redis import Redis

from app.destinations.identity.links import Link
from app.destinations.identity.preflight import System
from app.lanes.lanes import HeldLane
from app.store import keys
from app.store.slices import slices

REMEMBERED_MS: Final = 7 * 24 * 3_600_000
MOST: Final = 100_000
_A_CALL: Final = 500
_FORGOTTEN_A_CALL: Final = 1_000


class Refusals:
    """Remember refused links of rules.

    Args:
        redis: where.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def known(self, project_id: str, system: System, links: Iterable[Link]) -> set[Link]:
        """Return those of these links that were refused within a week, by this system."""
        wanted = list(dict.fromkeys(links))
        since_ms = self._now_ms() - REMEMBERED_MS if wanted else 0
        found: set[Link] = set()
        for some in slices(wanted, _A_CALL):
            digests = cast("list[str]", [_digest(link, system) for link in some])
            times = self._redis.zmscore(keys.identity_refused(project_id), digests)
            found.update(link for link, at in zip(some, times, strict=True) if at and at > since_ms)
        return found

    def remember(self, lane: HeldLane, system: System, links: Iterable[Link]) -> None:
        """Note that links were refused, those of rules; the oldest are forgotten beyond 100,000.

        Raises:
            LaneLost: the lane is no longer ours.
        """
        digests = [_digest(link, system) for link in links if "rule" in link.why]
        if not digests:
            return
        key, now_ms = keys.identity_refused(lane.project_id), self._now_ms()
        for some in slices(digests, _A_CALL):
            lane.write(key, "ZADD", *(value for digest in some for value in (now_ms, digest)))
            old = max(self._redis.zcount(key, "-inf", now_ms - REMEMBERED_MS), self._redis.zcard(key) - MOST)
            if old > 0:
                lane.write(key, "ZREMRANGEBYRANK", 0, min(old, _FORGOTTEN_A_CALL) - 1)

    def _now_ms(self) -> int:
        seconds, microseconds = self._redis.time()
        return seconds * 1000 + microseconds // 1000


def _digest(link: Link, system: System) -> bytes:
    """Name a link with what judges it: another system, or a service account, may take what this refuses."""
    named = (link.key, link.allow_merge, system.id_management, system.service_account)
    return blake2b(orjson.dumps(named), digest_size=8).digest()
