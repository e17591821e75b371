"""Subscriptions as consumers that hold the log; see `app.cohorts.holding`."""

from collections.abc import Iterator
from typing import Final, cast

from redis import Redis

from app.cohorts.holding import ConsumerKind, Place
from app.store import keys

_KIND: Final[ConsumerKind] = "subscription"


class SubscriptionHolder:
    """Knows how far each subscription was told everything."""

    kind: ConsumerKind = _KIND

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def behind(self, project_id: str, first: int, sequence: int) -> Iterator[Place]:
        """Yield those that were not told everything up to a sequence, whoever is paused included."""
        del first
        found = cast(
            "list[tuple[bytes, float]]",
            self._redis.zrangebyscore(
                keys.subscription_places(project_id), "-inf", f"({sequence}", withscores=True
            ),
        )
        for name, place in found:
            yield Place(_KIND, name.decode(), int(place))

    def has(self, project_id: str, name: str) -> bool:
        """Say whether there is such a subscription, and it has not ended."""
        return self._redis.zscore(keys.subscription_places(project_id), name) is not None
