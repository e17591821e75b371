"""What links would do: the verdict on each, and the clusters before and after it. Nothing is changed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from app.destinations.identity.clusters import Clusters
from app.destinations.identity.ledger import edge_of
from app.destinations.identity.links import Link
from app.destinations.identity.preflight import System, Verdict, preflight

SHOWN_IDS: Final = 10


@dataclass(frozen=True, slots=True)
class Shown:
    """A cluster: how many ids it has, and some of them, the one that was asked about first."""

    size: int
    ids: list[str]


@dataclass(frozen=True, slots=True)
class Effect:
    """What one link would do.

    Attributes:
        link: the link.
        verdict: what preflight says.
        before: the clusters of its two ids, with the links before it made.
        after: the cluster that they would be; None where nothing is to be made.
    """

    link: Link
    verdict: Verdict
    before: tuple[Shown, Shown]
    after: Shown | None


def effects(links: Sequence[Link], system: System, clusters: Clusters) -> Iterator[Effect]:
    """Judge links one after the other, each as if those before it had been made.

    Args:
        links: the links.
        system: the project's.
        clusters: of their ids; what the links do is done to it.
    """
    for link in links:
        first, second = link.nodes
        verdict = preflight(link, system, clusters)
        before = shown(clusters, first), shown(clusters, second)
        after = None
        if verdict.kind == "send":
            clusters.join(edge_of(link)[0])
            after = shown(clusters, first)
        yield Effect(link, verdict, before, after)


def shown(clusters: Clusters, node: str) -> Shown:
    """Show the cluster of an id; its count is exact."""
    ids = dict.fromkeys((node, *clusters.ids(node)))
    return Shown(clusters.size(node), list(ids)[:SHOWN_IDS])
