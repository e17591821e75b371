"""Clusters: which ids are one person's, as far as links say. Pure, and only about the ids it was given.

Every link that counts joins two clusters, so a cluster of n ids has n - 1 links, and a link within one says
nothing new. A cluster of an `original` or `legacy` project holds `MAX_IDS` at the most and is here whole. One
of a `simplified` project is a user and any number of devices; of these only the last links are here.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from config.links import DEVICE_PREFIX, Verb

MAX_IDS: Final = 500
"""The most ids of a cluster: Mixpanel's limit in `original` projects, our own in `legacy` ones."""

PART: Final = 500
"""The links that are kept together; what a cluster has beyond is in older parts."""


class Edge(NamedTuple):
    """A link that was made.

    Attributes:
        verb: how.
        first, second: the two distinct_ids (a device's with `$device:`).
        time_ms: the link's time.
        why: digest of why, 8 bytes.
        sequence: of the change-log entry that caused it, or 0.
    """

    verb: Verb
    first: str
    second: str
    time_ms: int = 0
    why: bytes = b"\0" * 8
    sequence: int = 0


@dataclass(eq=False, slots=True)
class Cluster:
    """The ids of one person.

    Attributes:
        number: its name in the ledger; 0 for one that is not there yet.
        parts: how many older parts of `PART` links it has, which are not here.
        edges: its other links, oldest first; one or more. Only `grow` adds to them.
    """

    number: int = 0
    parts: int = 0
    edges: list[Edge] = field(default_factory=list)
    _targets: dict[str, str] | None = field(default=None, init=False, repr=False)

    @property
    def size(self) -> int:
        """How many ids it has."""
        return self.parts * PART + len(self.edges) + 1

    @property
    def ids(self) -> list[str]:
        """The ids of the links that are here, in the order in which they came."""
        return list(dict.fromkeys(node for edge in self.edges for node in (edge.first, edge.second)))

    @property
    def user(self) -> str | None:
        """Whose devices they are, in a simplified project."""
        last = self.edges[-1]
        return last.first if last.verb == "device" else None

    def target(self, node: str) -> str | None:
        """Say which id an alias or an anonymous id was linked to first, by the links that are here."""
        if self._targets is None:
            self._targets = {}
            self._learn(self.edges)
        return self._targets.get(node)

    def grow(self, edges: Iterable[Edge]) -> None:
        """Take in more links."""
        new = list(edges)
        self.edges += new
        self._learn(new)

    def _learn(self, edges: Iterable[Edge]) -> None:
        if self._targets is not None:
            for edge in edges:
                if edge.verb != "merge":
                    self._targets.setdefault(edge.second, edge.first)


class Joined(NamedTuple):
    """What a new link does: `cluster` has grown by `ids`, those of the cluster `gone` if they had one."""

    cluster: Cluster
    ids: list[str]
    gone: Cluster | None


class Clusters:
    """The clusters of some ids, and what more links would make of them."""

    def __init__(self, known: Iterable[tuple[str, Cluster]] = ()) -> None:
        """Take the clusters of ids; an id without one stands alone."""
        self._of = dict(known)

    def of(self, node: str) -> Cluster | None:
        """Give the cluster of an id; None if it stands alone."""
        return self._of.get(node)

    def size(self, node: str) -> int:
        """Count the ids of a cluster."""
        cluster = self._of.get(node)
        return cluster.size if cluster else 1

    def ids(self, node: str) -> list[str]:
        """Name the ids of a cluster, those of them that are here."""
        cluster = self._of.get(node)
        return cluster.ids if cluster else [node]

    def together(self, first: str, second: str) -> bool:
        """Tell whether two ids are one person's."""
        cluster = self._of.get(first)
        return first == second or (cluster is not None and cluster is self._of.get(second))

    def target(self, node: str) -> str | None:
        """Say which id an alias, an anonymous id or a device was linked to, if it was."""
        cluster = self._of.get(node)
        if cluster is None:
            return None
        if cluster.user is not None:
            return None if node == cluster.user else cluster.user
        return cluster.target(node)

    def leads_to(self, node: str, wanted: str) -> bool:
        """Follow aliases of aliases: does `node` stand for `wanted` in the end, or on the way?"""
        return any(each == wanted for each in self._chain(node))

    def has(self, edge: Edge) -> bool:
        """Tell whether this very link was made."""
        if not self.together(edge.first, edge.second):
            return False
        if edge.verb == "device":
            return True
        cluster = self._of[edge.first]
        return any(_same(edge, each) for each in cluster.edges)

    def join(self, edge: Edge) -> Joined:
        """Make a link between two clusters; the smaller one goes into the larger.

        Raises:
            ValueError: the ids are in one cluster already.
        """
        if self.together(edge.first, edge.second):
            raise ValueError("the two ids are in one cluster already")
        first, second = self._of.get(edge.first), self._of.get(edge.second)
        kept, gone = (first, second) if self.size(edge.first) >= self.size(edge.second) else (second, first)
        lone = [node for node in (edge.first, edge.second) if node not in self._of]
        ids = lone + (gone.ids if gone else [])
        cluster = kept or Cluster()
        cluster.grow([*(gone.edges if gone else []), edge])
        for node in ids:
            self._of[node] = cluster
        return Joined(cluster, ids, gone)

    def _chain(self, node: str) -> Iterator[str]:
        seen = set()
        at: str | None = node
        while at is not None and at not in seen:
            yield at
            seen.add(at)
            at = self.target(at)


def is_device(node: str) -> bool:
    """Tell whether a distinct_id is a device's, in a simplified project."""
    return node.startswith(DEVICE_PREFIX)


def _same(one: Edge, other: Edge) -> bool:
    if one.verb != other.verb:
        return False
    pair = (other.first, other.second)
    return (one.first, one.second) == pair or (one.verb == "merge" and (one.second, one.first) == pair)
