"""The inbox: accepted pages, in order, until they are applied."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from redis import Redis

from app.cohorts.page_schema import PageHead
from app.lanes.lanes import Lanes
from app.lanes.work import APPLY
from app.store import keys
from app.store.durable import DurableScript

FULL_RETRY_AFTER_S = 10.0
_CLOSED = -2
MAX_DELAY_S = 1.0
READ_AT_ONCE = 4


class InboxFull(Exception):  # noqa: N818 - a state of the inbox, not a mistake of the caller
    """The inbox is at its hard cap. `retry_after_s` says when to come back."""

    def __init__(self, retry_after_s: float) -> None:
        super().__init__("the inbox is full")
        self.retry_after_s = retry_after_s


class NotAccepting(Exception):  # noqa: N818 - a state of the project, not a mistake of the caller
    """Somebody has stopped accepting for the project; nothing was kept."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of a page.

    Attributes:
        duplicate: an exact copy of it still waits, so this one was dropped.
        delay_s: how long to hold the answer back, to slow the sender to our pace.
        page: the id under which it, or the one that it copies, waits; logs tell of it by this.
    """

    duplicate: bool
    delay_s: float
    page: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A page in the inbox.

    Attributes:
        entry_id: its place in the stream.
        at_ms: when it was accepted, by Redis's clock.
        digest: of its identity and content, as it was known at the door.
        body: as accepted.
    """

    entry_id: bytes
    at_ms: int
    digest: bytes
    body: bytes


class Inbox:
    """Takes pages durably, and gives them in order to the apply lane."""

    def __init__(
        self, redis: Redis, lanes: Lanes, soft_cap_bytes: int, hard_cap_bytes: int, wait_replicas: int = 0
    ) -> None:
        self._redis = redis
        self._lanes = lanes
        self._soft_cap = soft_cap_bytes
        self._hard_cap = hard_cap_bytes
        self._accept = DurableScript(redis, "cohorts/scripts/accept.lua", wait_replicas)

    def accept(self, head: PageHead, body: bytes) -> Accepted:
        """Keep the page and wake its project's apply lane.

        Args:
            head: what the page says about itself.
            body: the JSON document, unpacked.

        Raises:
            InboxFull: there is no room; nothing was kept.
            NotAccepting: accepting is stopped; nothing was kept.
            RedisError: it may or may not have been kept; sending it again is safe.
        """
        project_id = head.project_id
        of = (keys.inbox, keys.inbox_meta, keys.inbox_waiting)
        names = [
            *(name(project_id) for name in of),
            keys.lane(project_id, APPLY.name),
            keys.leaving(project_id),
            keys.held(project_id),
        ]
        args: list[bytes | int] = [digest_of(head, body), body, len(body), self._hard_cap]
        outcome, waiting, wake, entry_id = self._accept.run((names, args))
        if outcome == _CLOSED:
            raise NotAccepting
        if outcome < 0:
            raise InboxFull(FULL_RETRY_AFTER_S)
        self._lanes.enqueue(project_id, APPLY.name, wake)
        return Accepted(duplicate=outcome == 0, delay_s=self._delay_s(waiting), page=entry_id.decode())

    def waiting(self, project_id: str, count: int = READ_AT_ONCE) -> list[Waiting]:
        """Return the first pages that wait."""
        found = cast(
            "list[tuple[bytes, dict[bytes, bytes]]]", self._redis.xrange(keys.inbox(project_id), count=count)
        )
        return [
            Waiting(entry_id, int(entry_id.split(b"-")[0]), fields[b"digest"], fields[b"body"])
            for entry_id, fields in found
        ]

    def depth(self, project_id: str) -> Mapping[str, int]:
        """Return how many `pages` and `bytes` wait."""
        meta = cast("bytes | None", self._redis.hget(keys.inbox_meta(project_id), "bytes"))
        return {"pages": int(cast("Any", self._redis.xlen(keys.inbox(project_id)))), "bytes": int(meta or 0)}

    def _delay_s(self, waiting: int) -> float:
        over = waiting - self._soft_cap
        return (
            0.0
            if over <= 0
            else min(MAX_DELAY_S, MAX_DELAY_S * over / max(1, self._hard_cap - self._soft_cap))
        )


def digest_of(head: PageHead, body: bytes) -> bytes:
    """Return what two copies of one page have in common, and no other page has: 16 bytes."""
    digest = hashlib.blake2b(digest_size=16)
    for part in (head.cohort_id, head.session_id, head.action, str(head.number)):
        digest.update(part.encode(errors="surrogatepass") + b"\0")
    digest.update(body)
    return digest.digest()
