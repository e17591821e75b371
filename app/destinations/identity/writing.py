"""What has to be written for some new links: which ids, which clusters, which reasons."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import xxhash

from app.cohorts.commit import NewEntry
from app.destinations.identity.clusters import PART, Cluster, Edge, Joined
from app.destinations.identity.encoding import pack_cluster, pack_node
from app.destinations.identity.links import Link
from app.store import keys

LINKED: Final = "identity.linked"

IDS_A_WRITE: Final = 150
"""With the most that the last link may add, 250, it stays within some 400 commands, or a millisecond."""

BYTES_A_WRITE: Final = 500_000
"""Packed clusters of a script. One more has some 35 kB, so that it stays within a few milliseconds."""

ID_BUCKETS: Final = 16_384
CLUSTERS_A_BUCKET: Final = 64
WHY_BUCKETS: Final = 4_096

_BYTES_AN_EDGE: Final = 24  # verb, places, time, why, sequence, the id's length

Write = tuple[str, str, tuple[str | bytes | int, ...]]
"""A key, a command's name, and its arguments behind the key."""


class Writing:
    """Collects what links do to clusters, until it is enough for one script.

    Args:
        version: of the ledger that it is computed from.
        last: the last number that a cluster was given.

    Attributes:
        version, last: as given; `last` grows as new clusters get their numbers.
        links: how many links there are.
    """

    def __init__(self, version: int, last: int) -> None:
        self.version = version
        self.last = last
        self.links = 0
        self._told: list[dict[str, Any]] = []
        self._changed = 0
        self._bytes = 0
        self._ids: dict[Cluster, list[str]] = {}
        self._gone: list[int] = []
        self._whys: dict[bytes, bytes] = {}

    def take(self, joined: Joined, link: Link, digest: bytes, why: bytes) -> None:
        """Take in what one link does, and why it was made."""
        self.links += 1
        self._told.append({"verb": link.verb, "distinct_ids": link.nodes, "why": link.why})
        self._changed += len(joined.ids)
        new = joined.cluster not in self._ids
        self._bytes += _weight(joined.cluster.edges if new else joined.cluster.edges[-len(joined.ids) :])
        self._whys[digest] = why
        self._ids.setdefault(joined.cluster, []).extend(joined.ids)
        if joined.gone:
            self._ids.pop(joined.gone, None)
            if joined.gone.number:
                self._gone.append(joined.gone.number)

    @property
    def full(self) -> bool:
        """Whether one more link could make it too much."""
        return self._changed >= IDS_A_WRITE or self._bytes >= BYTES_A_WRITE

    def entry(self, now_ms: int) -> NewEntry:
        """Return the log entry that tells of these links."""
        return NewEntry(LINKED, "", "", "", "", now_ms, detail={"links": self._told})

    def commands(self, project_id: str, name: str) -> Iterator[Write]:
        """Give the commands that write it, to be run in one step; new clusters get their numbers.

        Args:
            project_id: whose links.
            name: the destination that counts them as delivered.
        """
        for cluster, ids in self._ids.items():
            if not cluster.number:
                self.last += 1
                cluster.number = self.last
            number = str(cluster.number).encode()
            for node in dict.fromkeys(ids):
                packed = pack_node(node)
                yield keys.identity_ids(project_id, id_bucket(packed)), "HSET", (packed, number)
            yield from _cluster(project_id, cluster)
        for gone in self._gone:
            yield keys.identity_clusters(project_id, cluster_bucket(gone)), "HDEL", (part_field(gone),)
        for digest, why in self._whys.items():
            yield keys.identity_whys(project_id, why_bucket(digest)), "HSET", (digest, why)
        yield keys.identity_meta(project_id), "HSET", ("clusters", self.last)
        yield keys.identity_meta(project_id), "HINCRBY", ("links", self.links)
        yield keys.destination(project_id, name), "HINCRBY", ("delivered", self.links)


def _weight(edges: Sequence[Edge]) -> int:
    """Return about how many bytes these links take, packed; each brings an id."""
    return sum(_BYTES_AN_EDGE + max(len(edge.first), len(edge.second)) for edge in edges)


def _cluster(project_id: str, cluster: Cluster) -> Iterator[Write]:
    """Write a cluster's last part; what is more than a part goes to older parts, which never change again."""
    key = keys.identity_clusters(project_id, cluster_bucket(cluster.number))
    while len(cluster.edges) > PART:
        older, cluster.edges = cluster.edges[:PART], cluster.edges[PART:]
        yield key, "HSET", (part_field(cluster.number, cluster.parts), pack_cluster(0, older))
        cluster.parts += 1
    yield key, "HSET", (part_field(cluster.number), pack_cluster(cluster.parts, cluster.edges))


def id_bucket(packed: bytes) -> int:
    """Return the bucket of a packed id, from 0."""
    return xxhash.xxh3_64_intdigest(packed) % ID_BUCKETS


def why_bucket(digest: bytes) -> int:
    """Return the bucket of why links were made, from 0."""
    return int.from_bytes(digest[:2], "big") % WHY_BUCKETS


def cluster_bucket(number: int) -> int:
    """Return the bucket of a cluster; numbers are given one after the other, so that buckets fill evenly."""
    return number // CLUSTERS_A_BUCKET


def part_field(number: int, part: int | None = None) -> str:
    """Name the field of a cluster's last part, or of an older one (from 0)."""
    return str(number) if part is None else f"{number}.{part}"
