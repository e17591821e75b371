"""What is packed comes out as it went in, in few bytes."""

import json
import re
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from app.destinations.identity.clusters import Cluster, Edge
from app.destinations.identity.encoding import pack_cluster, pack_node, unpack_cluster, unpack_node
from app.destinations.identity.links import Link
from app.mixpanel.refused_ids import REFUSED_IDS

texts = st.text(max_size=20) | st.uuids().map(str) | st.uuids().map(lambda each: str(each).upper())
nodes = texts | texts.map(lambda text: f"$device:{text}")
verbs = st.sampled_from(("device", "identify", "alias", "merge"))
edges = st.builds(
    Edge,
    verb=verbs,
    first=nodes,
    second=nodes,
    time_ms=st.integers(0, 2**42),
    why=st.binary(min_size=8, max_size=8),
    sequence=st.integers(0, 2**50),
)


@given(node=nodes)
def test_an_id_comes_out_as_it_went_in(node: str) -> None:
    assert unpack_node(pack_node(node)) == node


@given(one=nodes, other=nodes)
def test_two_ids_are_never_packed_alike(one: str, other: str) -> None:
    assert (one == other) == (pack_node(one) == pack_node(other))


@given(number=st.integers(1, 2**40), parts=st.integers(0, 300), links=st.lists(edges, min_size=1, max_size=8))
def test_a_cluster_comes_out_as_it_went_in(number: int, parts: int, links: list[Edge]) -> None:
    found = unpack_cluster(number, pack_cluster(parts, links))
    assert (found.number, found.parts, found.edges) == (number, parts, links)


def test_a_link_of_two_uuids_fits_into_a_compact_hash() -> None:
    one, other = str(UUID(int=1, version=4)), str(UUID(int=2, version=4))
    edge = Edge("device", one, f"$device:{other}", 1_767_225_600_000, b"12345678", 1_000_000)
    packed = pack_cluster(0, [edge])
    assert len(packed) <= 64  # hash-max-listpack-value
    assert isinstance(unpack_cluster(1, packed), Cluster)


link_strategy = st.builds(
    Link,
    verb=verbs,
    first=texts,
    second=texts,
    allow_merge=st.booleans(),
    time_ms=st.integers(0, 2**42),
    why=st.dictionaries(texts, texts | st.integers(0, 2**50), max_size=4),
)


@given(link=link_strategy)
def test_a_link_comes_out_as_it_went_in_on_one_line(link: Link) -> None:
    encoded = link.to_json()
    assert Link.from_json(encoded) == link
    assert b"\n" not in encoded
    assert json.loads(encoded)["insert_id"] == link.insert_id


@given(one=link_strategy, other=link_strategy)
def test_an_insert_id_is_permitted_and_stands_for_one_link(one: Link, other: Link) -> None:
    assert re.fullmatch(r"[0-9a-zA-Z-]{1,36}", one.insert_id)
    assert one.insert_id not in REFUSED_IDS
    assert (one.key == other.key) == (one.insert_id == other.insert_id)


@given(link=link_strategy)
def test_a_merge_is_the_same_in_either_order(link: Link) -> None:
    turned = Link(link.verb, link.second, link.first, link.allow_merge, link.time_ms, {})
    assert (turned.insert_id == link.insert_id) == (link.verb == "merge" or link.nodes == turned.nodes)
