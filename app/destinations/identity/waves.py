"""Put the links of a window into waves: what depends on each other keeps its order, the rest goes together.

Links are of one component when they touch the same ids, or ids of the same cluster, directly or through
others of the window. Components are independent. Within one, a link waits for those before it, with one
exception that matters: links that give somebody an id that nobody had before (a new device, a new anonymous
id) do not depend on each other, so a user with a thousand new devices takes one wave and not a thousand.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field

from app.destinations.identity.clusters import Clusters
from app.destinations.identity.links import Key, Link
from app.destinations.identity.preflight import System, preflight


@dataclass(slots=True)
class _Component:
    """The wave that a component has come to: what links of it touch, and which ids they bring."""

    wave: int = 0
    touched: set[str] = field(default_factory=set)
    brought: set[str] = field(default_factory=set)
    closed: bool = False

    def next(self) -> None:
        self.wave += 1
        self.touched, self.brought, self.closed = set(), set(), False


def waves(
    links: Sequence[Link], system: System, clusters: Clusters, keep: Callable[[], None] = lambda: None
) -> list[list[int]]:
    """Give the positions of the links of each wave, in order.

    A link that the window has already is left out: whatever becomes of the first is its fate, too.

    Args:
        links: of a window, in order.
        system: the project's.
        clusters: of their ids, as the window begins; not changed.
        keep: keeps the lane meanwhile.
    """
    names = _components(links, clusters)
    components: dict[Hashable, _Component] = {}
    seen: set[tuple[Key, bool]] = set()
    found: list[list[int]] = []
    for position, (link, name) in enumerate(zip(links, names, strict=True)):
        keep()
        if (link.key, link.allow_merge) in seen:
            continue
        seen.add((link.key, link.allow_merge))
        component = components.setdefault(name, _Component())
        _place(component, link, system, clusters)
        while len(found) <= component.wave:
            found.append([])
        found[component.wave].append(position)
    return [wave for wave in found if wave]


def _place(component: _Component, link: Link, system: System, clusters: Clusters) -> None:
    """Let the component go on to the wave that the link belongs to."""
    first, second = link.nodes
    sent = preflight(link, system, clusters).kind == "send"
    brings = sent and link.verb != "merge" and clusters.of(second) is None
    alone = sent and not brings
    late = component.closed or bool(component.brought & {first, second})
    if late or (brings and second in component.touched) or (alone and component.touched):
        component.next()
    component.touched |= {first, second}
    if brings:
        component.brought.add(second)
    component.closed = alone


def _components(links: Sequence[Link], clusters: Clusters) -> list[Hashable]:
    """Name the component of each link."""
    above: dict[Hashable, Hashable] = {}

    def top(name: Hashable) -> Hashable:
        while (parent := above.setdefault(name, name)) != name:
            above[name] = above[parent]
            name = above[name]
        return name

    for link in links:
        one, other = (top(clusters.of(node) or node) for node in link.nodes)
        above[one] = other
    return [top(clusters.of(link.nodes[0]) or link.nodes[0]) for link in links]
