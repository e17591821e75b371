"""Forget who is linked to whom, of people who are erased: their ids, and the clusters that these are in.

All ids of a cluster are one person's, so a cluster goes whole. Done by the lane that writes the ledger. The
clusters go first: while an id is there, it leads to its cluster, so after a crash nothing is left behind.
"""

from collections.abc import Iterable
from typing import Final, cast

from redis import Redis

from app.destinations.identity.encoding import pack_node, unpack_cluster
from app.destinations.identity.writing import cluster_bucket, id_bucket, part_field
from app.lanes.lanes import HeldLane
from app.store import keys

_A_CALL: Final = 250


def forget(redis: Redis, lane: HeldLane, nodes: Iterable[str]) -> int:
    """Forget some ids and their clusters; return how many of them were there.

    Raises:
        LaneLost: somebody else holds the lane.
    """
    packed = sorted({pack_node(node) for node in nodes})
    numbers = {one: _number(redis, lane.project_id, one) for one in packed}
    for number in sorted({number for number in numbers.values() if number}):
        _forget_cluster(redis, lane, number)
        lane.keep()
    forgotten = 0
    for one in packed:
        key = keys.identity_ids(lane.project_id, id_bucket(one))
        forgotten += int(lane.write(key, "HDEL", one))
    if forgotten:
        lane.write(keys.identity_meta(lane.project_id), "HINCRBY", "version", 1)
    return forgotten


def _number(redis: Redis, project_id: str, packed: bytes) -> int:
    key = keys.identity_ids(project_id, id_bucket(packed))
    return int(cast("bytes | None", redis.hget(key, cast("str", packed))) or 0)


def _forget_cluster(redis: Redis, lane: HeldLane, number: int) -> None:
    """Drop the older parts first: the last one says how many there are."""
    key = keys.identity_clusters(lane.project_id, cluster_bucket(number))
    stored = cast("bytes | None", redis.hget(key, part_field(number)))
    if stored is None:
        return
    older = unpack_cluster(number, stored).parts
    for first in range(0, older, _A_CALL):
        fields = [part_field(number, part) for part in range(first, min(older, first + _A_CALL))]
        lane.write(key, "HDEL", *fields)
    lane.write(key, "HDEL", part_field(number))
