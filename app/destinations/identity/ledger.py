"""The ledger: which links the relay has made, so that each is made once, and who is linked to whom.

It knows the relay's own links only. What an SDK or another service linked, Mixpanel does not tell.

An id leads to the number of its cluster, and the number to the cluster's links. Both lie in hashes small
enough for Redis's compact encoding (up to some two million ids a project; beyond that an id takes about twice
the room). The holder of the lane `identity-outbox` is the only writer: it computes what is to be written from
what it read, and the script refuses it if the ledger has changed since.
"""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from itertools import groupby
from typing import Any, Final, cast

import orjson
from redis import Redis

from app.cohorts.commit import candidate_generation
from app.destinations.identity.clusters import Cluster, Clusters, Edge
from app.destinations.identity.encoding import pack_node, unpack_cluster
from app.destinations.identity.links import Link
from app.destinations.identity.refusals import Refusals
from app.destinations.identity.writing import Writing, cluster_bucket, id_bucket, part_field, why_bucket
from app.lanes.lanes import HeldLane, LaneLost
from app.store import keys, scripts
from app.store.slices import slices

_IDS_A_CALL: Final = 1_000
_LINKS_A_READ: Final = 500
_TRIES: Final = 3


class StaleLedgerError(Exception):
    """The ledger changed between reading and writing, although one lane holds it: nothing was written."""


class Ledger:
    """Read and write the ledger.

    Args:
        redis: where.

    Attributes:
        refusals: of links that rules ask for again and again.
    """

    def __init__(self, redis: Redis) -> None:
        self.refusals = Refusals(redis)
        self._redis = redis
        self._record = scripts.load(redis, "destinations/identity/scripts/record.lua")

    def clusters(self, project_id: str, nodes: Iterable[str]) -> Clusters:
        """Give the clusters of some distinct_ids, as they are now.

        Cost: two round trips for 1,000 ids.
        """
        wanted = list(dict.fromkeys(nodes))
        known: dict[str, Cluster] = {}
        by_number: dict[int, Cluster] = {}
        for some in slices(wanted, _IDS_A_CALL):
            known.update(self._known(project_id, some, by_number))
        members = ((node, cluster) for cluster in by_number.values() for node in cluster.ids)
        return Clusters([*members, *known.items()])

    def older(self, project_id: str, number: int, part: int) -> list[Edge]:
        """Give the links of an older part of a cluster, from 0; empty if there is none."""
        key = keys.identity_clusters(project_id, cluster_bucket(number))
        packed = cast("bytes | None", self._redis.hget(key, part_field(number, part)))
        return unpack_cluster(number, packed).edges if packed else []

    def whys(self, project_id: str, digests: Iterable[bytes]) -> dict[bytes, Mapping[str, Any]]:
        """Say what the digests in links stand for."""
        wanted = list(dict.fromkeys(digests))
        if not wanted:
            return {}
        pipeline = self._redis.pipeline(transaction=False)
        for digest in wanted:
            pipeline.hget(keys.identity_whys(project_id, why_bucket(digest)), cast("str", digest))
        found = zip(wanted, pipeline.execute(), strict=True)
        return {digest: orjson.loads(why) for digest, why in found if why}

    def record(self, lane: HeldLane, links: Sequence[Link]) -> None:
        """Write links down that Mixpanel has taken; those that are there already change nothing.

        Args:
            lane: the lane `identity-outbox`, held.
            links: in the order in which they were made.

        Raises:
            LaneLost: the lane is no longer ours; the later ones are not written.
        """
        for some in slices(links, _LINKS_A_READ):
            self._record_some(lane, some)
            lane.keep()

    def _record_some(self, lane: HeldLane, links: Sequence[Link]) -> None:
        stored = self._redis.hmget(keys.identity_meta(lane.project_id), ["version", "clusters"])
        version, last = (int(value or 0) for value in cast("list[bytes | None]", stored))
        clusters = self.clusters(lane.project_id, (node for link in links for node in link.nodes))
        writing = Writing(version, last)
        for link in links:
            if not clusters.together(*link.nodes):
                edge, why = edge_of(link)
                writing.take(clusters.join(edge), link, edge.why, why)
            if writing.full:
                writing = self._write(lane, writing)
        if writing.links:
            self._write(lane, writing)

    def _write(self, lane: HeldLane, writing: Writing) -> Writing:
        """Write in one step, and return what the next one begins with."""
        project_id = lane.project_id
        first = (lane.key, keys.identity_meta(project_id), keys.log(project_id), keys.log_meta(project_id))
        places = {key: place for place, key in enumerate(first, 1)}
        entry = writing.entry(self._now_ms())
        args: list[str | bytes | int | float] = [lane.token, writing.version, candidate_generation(), 1]
        args += entry.encoded()
        for key, command, rest in writing.commands(project_id, lane.name):
            place = places.setdefault(key, len(places) + 1)
            args += [place, len(rest), command, *rest]
        done = cast("int", self._record(keys=list(places), args=args))
        if done < 0:
            raise StaleLedgerError
        if not done:
            raise LaneLost(lane.name)
        return Writing(writing.version + 1, writing.last)

    def _now_ms(self) -> int:
        seconds, microseconds = self._redis.time()
        return seconds * 1000 + microseconds // 1000

    def _known(
        self, project_id: str, nodes: Sequence[str], by_number: dict[int, Cluster]
    ) -> dict[str, Cluster]:
        """Look up clusters; a reader asks again when one was merged away between its two questions."""
        for _ in range(_TRIES):
            numbers = self._numbers(project_id, nodes)
            self._read(project_id, set(numbers.values()) - by_number.keys(), by_number)
            if by_number.keys() >= set(numbers.values()):
                break
        return {node: by_number[number] for node, number in numbers.items() if number in by_number}

    def _numbers(self, project_id: str, nodes: Sequence[str]) -> dict[str, int]:
        packed = sorted((id_bucket(one := pack_node(node)), one, node) for node in nodes)
        groups = [(bucket, list(some)) for bucket, some in groupby(packed, key=lambda each: each[0])]
        pipeline = self._redis.pipeline(transaction=False)
        for bucket, some in groups:
            fields = cast("list[str]", [one for _, one, _ in some])
            pipeline.hmget(keys.identity_ids(project_id, bucket), fields)
        return {
            node: int(number)
            for (_, some), found in zip(groups, pipeline.execute(), strict=True)
            for (_, _, node), number in zip(some, found, strict=True)
            if number
        }

    def _read(self, project_id: str, numbers: set[int], by_number: dict[int, Cluster]) -> None:
        groups = [(b, list(some)) for b, some in groupby(sorted(numbers), key=cluster_bucket)]
        pipeline = self._redis.pipeline(transaction=False)
        for bucket, some in groups:
            fields = [part_field(number) for number in some]
            pipeline.hmget(keys.identity_clusters(project_id, bucket), fields)
        for (_, some), found in zip(groups, pipeline.execute(), strict=True):
            for number, packed in zip(some, found, strict=True):
                if packed:
                    by_number[number] = unpack_cluster(number, packed)


def edge_of(link: Link) -> tuple[Edge, bytes]:
    """Give a link as the ledger has it, and what its digest of why stands for."""
    why = {name: value for name, value in link.why.items() if name != "sequence"}
    encoded = orjson.dumps(why, option=orjson.OPT_SORT_KEYS)
    digest = blake2b(encoded, digest_size=8).digest()
    return Edge(link.verb, *link.nodes, link.time_ms, digest, int(link.why.get("sequence", 0))), encoded
