"""Wrong tokens, counted by the client that sends them.

Nobody guesses a secret of 256 bits, however fast: the limit keeps the noise down, and tells whoever has
mistyped a token to stop. So where Redis does not take the count, nobody is held up.
"""

import ipaddress
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, cast

from redis import Redis, RedisError

from app.store import keys, scripts

COUNTED_MS: Final = 60_000
TOLD_EVERY_MS: Final = 60_000
_HOME_BITS: Final = 64
"""Of an IPv6 address: whoever has one has all that begin with these bits."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A failed login.

    Attributes:
        retry_after_s: when the client may try again; None while it still may.
        to_log: how many there were, of all clients, since the last line; 0 for not now.
    """

    retry_after_s: float | None = None
    to_log: int = 0


class FailedLogins:
    """Counts wrong tokens over a minute.

    Args:
        redis: where, for all processes.
        limit: how many a client may send in a minute.
    """

    def __init__(self, redis: Redis, limit: int) -> None:
        self._redis = redis
        self._limit = limit
        self._failed = scripts.load(redis, "access/scripts/failed.lua")

    def count(self, address: str) -> Failed:
        """Count a wrong token that came from an address."""
        with suppress(RedisError):
            count, left_ms, to_log = cast(
                "list[int]",
                self._failed(
                    keys=[keys.failed_logins(client_of(address)), keys.failed_login_counts()],
                    args=[COUNTED_MS, TOLD_EVERY_MS],
                ),
            )
            return Failed(left_ms / 1000 if count > self._limit else None, to_log)
        return Failed()

    def held_up(self, address: str) -> float | None:
        """Return in how many seconds an address may try again, None if it may now; counts nothing."""
        key = keys.failed_logins(client_of(address))
        with suppress(RedisError):
            pipeline = self._redis.pipeline(transaction=False)
            pipeline.get(key)
            pipeline.pttl(key)
            count, left_ms = pipeline.execute()
            if int(count or 0) >= self._limit:
                return max(0.0, int(left_ms) / 1000)
        return None

    def total(self) -> int:
        """Return how many there ever were."""
        found = self._redis.hget(keys.failed_login_counts(), "total")
        return int(cast("bytes | None", found) or 0)


def client_of(address: str) -> str:
    """Return what counts as one client: an IPv4 address, or the network that an IPv6 address is of."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed.packed, _HOME_BITS), strict=False))
