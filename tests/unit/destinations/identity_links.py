"""Links for tests, and random ones for each identity system."""

from functools import partial

from hypothesis import strategies as st

from app.destinations.identity.clusters import Edge
from app.destinations.identity.links import Link
from app.destinations.identity.preflight import System
from config.links import VERBS, IdManagement, Verb

TIME_MS = 1_767_225_600_000
SIMPLIFIED, ORIGINAL, LEGACY = (
    System(system, service_account=True) for system in ("simplified", "original", "legacy")
)
SYSTEMS: tuple[System, ...] = (SIMPLIFIED, ORIGINAL, LEGACY)

PEOPLE = tuple(f"u{number}" for number in range(6))
DEVICES = tuple(f"d{number}" for number in range(5))
ANON = tuple(f"00000000-0000-4000-8000-00000000000{number}" for number in range(5))


def link(verb: Verb, first: str, second: str, *, allow_merge: bool = True, time_ms: int = TIME_MS) -> Link:
    return Link(verb, first, second, allow_merge, time_ms, {"api": "t1"})


def edge(one: Link) -> Edge:
    return Edge(one.verb, *one.nodes, one.time_ms)


def links_of(system: IdManagement) -> st.SearchStrategy[Link]:
    """Links that are right in themselves, over few ids, so that they meet."""
    kinds: dict[Verb, st.SearchStrategy[tuple[str, str]]] = {
        "device": st.tuples(st.sampled_from(PEOPLE), st.sampled_from(DEVICES)),
        "identify": st.tuples(st.sampled_from(PEOPLE), st.sampled_from(ANON)),
        "alias": st.tuples(st.sampled_from(PEOPLE + ANON), st.sampled_from(PEOPLE)),
        "merge": st.tuples(st.sampled_from(PEOPLE + ANON), st.sampled_from(PEOPLE + ANON)),
    }
    return st.one_of(
        *(
            pairs.filter(lambda pair: pair[0] != pair[1]).map(partial(_made, verb))
            for verb, pairs in kinds.items()
            if verb in VERBS[system]
        )
    )


def _made(verb: Verb, pair: tuple[str, str]) -> Link:
    return link(verb, *pair)
