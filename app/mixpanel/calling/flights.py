"""Ten who ask the same question are one query: the others wait for the answer of the one who asks."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, cast
from uuid import uuid4

from redis import Redis, RedisError

from app.store import keys
from app.store.scripts import load

_US: Final = 1_000_000
_END_LIVES_MS: Final = 5_000
_LOOK_S: Final = (0.02, 0.25)


@dataclass(frozen=True, slots=True)
class Flight:
    """The right to ask a question that nobody else is asking.

    Attributes:
        token: Of the flight.
        asked_us: Redis's time when it began.
    """

    token: str
    asked_us: int


class Flights:
    """Let one of all who ask the same ask Mixpanel, while the others wait for the answer.

    Who asks holds a lease that ends by itself: when it is killed, the next one asks.

    Args:
        redis: Where.
        lease_s: Longer than a request can take.
        sleep: Waits so many seconds.
    """

    def __init__(self, redis: Redis, lease_s: float, sleep: Callable[[float], None]) -> None:
        self._redis = redis
        self._lease_ms = round(lease_s * 1000)
        self._sleep = sleep
        self._end = load(redis, "mixpanel/calling/scripts/flight_end.lua")

    def begin(self, project_id: str, digest: str) -> Flight | None:
        """Begin a flight; None where one is under way."""
        token, key = uuid4().hex, keys.api_flight(project_id, digest)
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.time()
        pipeline.set(key, token, nx=True, px=self._lease_ms)
        (seconds, micros), taken = pipeline.execute()
        return Flight(token, seconds * _US + micros) if taken else None

    def end(self, project_id: str, digest: str, flight: Flight, failure: bytes = b"") -> None:
        """End a flight; `failure` is for those who waited for it."""
        names = [keys.api_flight(project_id, digest), keys.api_flight_end(project_id, digest)]
        told = b"%s\n%s" % (flight.token.encode(), failure) if failure else b""
        with suppress(RedisError):
            self._end(keys=names, args=[flight.token, told, _END_LIVES_MS])

    def wait(self, project_id: str, digest: str) -> bytes:
        """Wait until the flight under way is over; return how it failed, empty where it did not."""
        key, pause_s = keys.api_flight(project_id, digest), _LOOK_S[0]
        first = token = self._redis.get(key)
        while token is not None and token == first:
            self._sleep(pause_s)
            pause_s = min(pause_s * 1.5, _LOOK_S[1])
            token = self._redis.get(key)
        told = cast("bytes", self._redis.get(keys.api_flight_end(project_id, digest)) or b"")
        whose, _, failure = told.partition(b"\n")
        return failure if first is not None and whose == first else b""

    def now_us(self) -> int:
        """Return Redis's time."""
        seconds, micros = self._redis.time()
        return seconds * _US + micros
