"""The last requests to a subscription's receiver, for whoever looks into what went wrong."""

from dataclasses import asdict, dataclass
from typing import Any, Final, Self, cast

import orjson
from redis import Redis

from app.feed.event import Event
from app.store import keys
from app.subscriptions.posting import Posted

KEPT: Final = 200
KEPT_MS: Final = 7 * 86_400_000


@dataclass(frozen=True, slots=True)
class Delivery:
    """One try. Nothing of what was sent, or answered, is in it.

    Attributes:
        event_id, type: of the event.
        tries: which one it was, from 1.
        status: of the answer; None where none came.
        trouble, reason: what went wrong on the way, in a word and in words; see `Posted`.
        ms: how long it took.
    """

    event_id: str
    type: str
    tries: int
    status: int | None
    trouble: str | None
    reason: str
    ms: int

    @classmethod
    def of(cls, event: Event, tries: int, posted: Posted) -> Self:
        """Return what is to be noted of a request."""
        took_ms = round(posted.seconds * 1000)
        return cls(event.id, event.type, tries, posted.status, posted.trouble, posted.reason, took_ms)

    def encoded(self) -> bytes:
        """Return it as it is kept."""
        return orjson.dumps(asdict(self))


@dataclass(frozen=True, slots=True)
class Noted:
    """A delivery, and when (ms) it was noted."""

    time_ms: int
    delivery: Delivery


def latest(redis: Redis, project_id: str, subscription_id: str, most: int = KEPT) -> list[Noted]:
    """Return the last deliveries, the newest first."""
    found = cast(
        "list[tuple[bytes, dict[bytes, bytes]]]",
        redis.xrevrange(keys.subscription_deliveries(project_id, subscription_id), count=most),
    )
    return [
        Noted(int(entry_id.split(b"-")[0]), Delivery(**_fields(stored[b"delivery"])))
        for entry_id, stored in found
    ]


def _fields(stored: bytes) -> dict[str, Any]:
    return cast("dict[str, Any]", orjson.loads(stored))
