"""Which ids wait for a link in the identity outbox.

An index beside the outbox: digest of a distinct_id -> the last sequence with a link of it. It is derived
from the outbox, up to a sequence that is kept with it: whoever asks brings it up to date first, and the lane
does before it opens a window. So nothing has to be noted when links are submitted, and no crash can leave it
wrong: an id goes once its last link of the window is settled, unless more came meanwhile.
"""

from collections.abc import Collection, Iterator, Sequence
from hashlib import blake2b
from typing import Final, cast

from redis import Redis

from app.destinations.identity.links import Link
from app.destinations.outbox import Outboxes, Submission
from app.destinations.position import read_position
from app.lanes.lanes import HeldLane, LaneLost
from app.lanes.work import OUTBOX_LANES
from app.store import keys, scripts
from app.store.slices import slices

_READ: Final = 2_000
_IDS_A_CALL: Final = 1_000
_LANE: Final = OUTBOX_LANES["identity"].name


class PendingLinks:
    """Say who waits for a link.

    Args:
        redis: where.
        outboxes: where links wait.
    """

    def __init__(self, redis: Redis, outboxes: Outboxes) -> None:
        self._redis = redis
        self._outboxes = outboxes
        self._index = scripts.load(redis, "destinations/identity/scripts/index.lua")
        self._release = scripts.load(redis, "destinations/identity/scripts/release.lua")

    def pending(self, project_id: str, ids: Collection[str]) -> frozenset[str]:
        """Return those distinct_ids that a link in the outbox names (a device as `$device:<device id>`)."""
        self.catch_up(project_id)
        found: set[str] = set()
        for some in slices(list(ids), _IDS_A_CALL):
            digests = cast("list[str]", [_digest(node) for node in some])
            stored = self._redis.hmget(keys.identity_pending(project_id), digests)
            found.update(node for node, sequence in zip(some, stored, strict=True) if sequence)
        return frozenset(found)

    def links(self, project_id: str, node: str, most: int) -> tuple[list[Link], bool]:
        """Return the links of an id that wait, oldest first, of the first `most` links in the outbox.

        Returns:
            The links, and whether these are all.
        """
        if not self.pending(project_id, [node]):
            return [], True
        after = read_position(self._redis, project_id, _LANE).cursor
        waiting = self._outboxes.read(project_id, "identity", after, most)
        found = [link for _, link in _links(waiting) if node in link.nodes]
        whole = not waiting or waiting[-1].sequence >= self._outboxes.end(project_id, "identity")
        return found, whole

    def catch_up(self, project_id: str, upto: int | None = None) -> None:
        """Bring the index up to the outbox's end, or up to a sequence."""
        while True:
            stored = self._redis.hget(keys.identity_meta(project_id), "indexed")
            indexed = int(cast("bytes | None", stored) or 0)
            after = max(indexed, read_position(self._redis, project_id, _LANE).cursor)
            if upto is not None and after >= upto:
                return
            waiting = self._outboxes.read(project_id, "identity", after, _READ)
            if not waiting:
                return
            self._index_some(project_id, indexed, waiting)

    def release(self, lane: HeldLane, nodes: Collection[str], end: int) -> None:
        """Note that ids wait for no link of the window up to the sequence `end`.

        Raises:
            LaneLost: the lane is no longer ours.
        """
        for some in slices(list(nodes), _IDS_A_CALL):
            args: list[str | bytes | int] = [lane.token, end, *map(_digest, some)]
            if not self._release(keys=[lane.key, keys.identity_pending(lane.project_id)], args=args):
                raise LaneLost(lane.name)

    def drop(self, lane: HeldLane, nodes: Collection[str]) -> None:
        """Note that ids wait for no link: theirs was taken out of the outbox.

        Raises:
            LaneLost: the lane is no longer ours.
        """
        key = keys.identity_pending(lane.project_id)
        for some in slices(list(nodes), _IDS_A_CALL):
            lane.write(key, "HDEL", *map(_digest, some))

    def _index_some(self, project_id: str, indexed: int, waiting: Sequence[Submission]) -> None:
        """Index submissions one after the other; stop where somebody else is at it, too."""
        names = [keys.identity_meta(project_id), keys.identity_pending(project_id)]
        for submission in waiting:
            nodes = dict.fromkeys(node for _, link in _links([submission]) for node in link.nodes)
            parts = list(slices(list(nodes), _IDS_A_CALL)) or [[]]
            for number, some in enumerate(parts, 1):
                now = submission.sequence if number == len(parts) else indexed
                pairs = [value for node in some for value in (_digest(node), submission.sequence)]
                if not self._index(keys=names, args=[indexed, now, *pairs]):
                    return
            indexed = submission.sequence


def _links(submissions: Sequence[Submission]) -> Iterator[tuple[int, Link]]:
    for submission in submissions:
        for record in filter(None, submission.records):  # one may have been erased
            yield submission.sequence, Link.from_json(record)


def _digest(node: str) -> bytes:
    return blake2b(node.encode(), digest_size=8).digest()
