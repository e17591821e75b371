"""Decide who waits for a link, and when it has been made.

A link that a rule causes is on its way from the log into the identity outbox (lane `identity` moves it, and
its cursor says how far it is), or in that outbox, or has been made or refused. So the cursor is always read
before the outbox is asked: what is behind the one by then can be found in the other, or is over.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from redis import Redis

from app.destinations.waiting.hold import NOBODY, Hold
from app.destinations.waiting.room import Part, Room
from app.lanes.work import IDENTITY
from app.store import keys

MAX_WAITING: Final = 100_000
MAX_WAITING_BYTES: Final = 64 * 1024 * 1024


class PendingLinks(Protocol):
    """Knows the identity outbox."""

    def pending(self, project_id: str, ids: Sequence[str]) -> Collection[str]:
        """Say which of these ids have a link waiting in the outbox."""
        ...


class Linking(Protocol):
    """Knows what a window's own entries link."""

    def __call__(self, after: int) -> Collection[str]:
        """Name the ids that entries behind the sequence `after` link."""
        ...


@dataclass(frozen=True, slots=True)
class _Progress:
    """What there is to wait for.

    Attributes:
        left: the sequence up to which things have left the room.
        ready: the sequence up to which there are some.
        links: whether any link waits in the outbox.
        moved: the log's sequence up to which links were moved there; None where no rule ever linked anybody.
        idle: whether no rule links anybody any more.
    """

    left: int
    ready: int
    links: bool
    moved: int | None
    idle: bool


@dataclass(frozen=True, slots=True)
class Opening:
    """What decides about those who wait, as it was at one time.

    Attributes:
        project_id: whose room it is.
        at_once: nobody has to wait any longer: waiting is switched off, or the room is over its cap.
        now_ms: Redis's clock.
        moved: the log's sequence up to which links are in the outbox, or done with; None where no rule links
            anybody any more.
        links: the outbox; None where it was empty.
    """

    project_id: str
    at_once: bool
    now_ms: int
    moved: int | None
    links: PendingLinks | None

    def lets_go(self, part: Part) -> bool:
        """Say whether a part may be sent, if those before it may."""
        if self.at_once or self.now_ms >= part.until_ms:
            return True
        if self.moved is not None and self.moved < part.needs:
            return False
        return not (self.links and self.links.pending(self.project_id, part.ids))


class Gate:
    """Decide for one lane.

    Args:
        redis: where.
        room: the lane's.
        links: the identity outbox.
        wait_s: how long anybody waits at the most; 0: nobody waits.

    Attributes:
        room, wait_s: the same.
    """

    def __init__(self, redis: Redis, room: Room, links: PendingLinks, wait_s: float) -> None:
        self.wait_s = wait_s
        self._redis = redis
        self.room = room
        self._links = links

    def hold(
        self,
        project_id: str,
        ids: Callable[[], Sequence[str]],
        *,
        end: int = 0,
        linking: Linking | None = None,
    ) -> Hold:
        """Say who of a window waits. It costs one round trip where nothing is to be waited for.

        Args:
            project_id: whose window it is.
            ids: gives the ids that the window updates.
            end: the window's last sequence in the change log.
            linking: what its own entries link; None where no rule links anybody.
        """
        progress = self._progress(project_id)
        linked: Collection[str] = ()
        if self.wait_s and linking and progress.moved is not None and progress.moved < end:
            linked = linking(progress.moved)
        held = set(linked)
        if self.wait_s and progress.links:
            held.update(self._links.pending(project_id, ids()))
        if progress.left < progress.ready:
            held |= self.room.having(project_id, progress.left, ids())
        if not held:
            return NOBODY
        return Hold(tuple(sorted(held)), end if linked else 0, self._now_ms() + int(self.wait_s * 1000))

    def opening(self, project_id: str) -> Opening:
        """Look at what decides about those who wait, as it is now."""
        waiting, size = self.room.size(project_id)
        progress = self._progress(project_id)
        return Opening(
            project_id=project_id,
            at_once=not self.wait_s or waiting > MAX_WAITING or size > MAX_WAITING_BYTES,
            now_ms=self._now_ms(),
            moved=None if progress.idle else progress.moved,
            links=self._links if progress.links else None,
        )

    def _progress(self, project_id: str) -> _Progress:
        pipeline = self._redis.pipeline(transaction=False)
        # In this order: see the module.
        pipeline.hmget(keys.destination(project_id, IDENTITY.name), ["cursor", "idle_since_ms"])
        pipeline.hget(keys.outbox_meta(project_id, "identity"), "records")
        pipeline.hget(keys.destination(project_id, self.room.name), "cursor")
        pipeline.hget(keys.waiting_meta(project_id, self.room.lane), "ready")
        (moved, idle), records, left, ready = pipeline.execute()
        return _Progress(
            left=int(left or 0),
            ready=int(ready or 0),
            links=int(records or 0) > 0,
            moved=None if moved is None else int(moved),
            idle=idle is not None,
        )

    def _now_ms(self) -> int:
        seconds, microseconds = self._redis.time()
        return seconds * 1000 + microseconds // 1000
