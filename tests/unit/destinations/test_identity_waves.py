"""Links in waves come to what the same links one after the other come to."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.destinations.identity import preflight as preflight_module
from app.destinations.identity.clusters import Cluster, Clusters, Edge
from app.destinations.identity.links import Key, Link
from app.destinations.identity.preflight import System, preflight
from app.destinations.identity.waves import waves
from tests.unit.destinations.identity_links import ANON, ORIGINAL, SIMPLIFIED, SYSTEMS, edge, link, links_of

Sent = list[Key]


def known(links: Sequence[Link], system: System) -> Clusters:
    clusters = Clusters()
    for each in links:
        if preflight(each, system, clusters).kind == "send":
            clusters.join(edge(each))
    return clusters


def one_after_the_other(
    links: Sequence[Link], system: System, clusters: Clusters, refused: set[Key]
) -> tuple[Sent, Clusters]:
    sent: Sent = []
    for each in links:
        if preflight(each, system, clusters).kind == "send":
            sent.append(each.key)
            if each.key not in refused:
                clusters.join(edge(each))
    return sent, clusters


def in_waves(
    before: Sequence[Link], links: Sequence[Link], system: System, refused: set[Key]
) -> tuple[Sent, Clusters, list[list[Link]]]:
    """Send wave by wave; Mixpanel says what it refuses once a wave is through."""
    plan = waves(links, system, known(before, system))
    first_of_each = {each.key: position for position, each in reversed(list(enumerate(links)))}
    assert sorted(position for wave in plan for position in wave) == sorted(first_of_each.values())
    made = list(before)
    sent: Sent = []
    rounds: list[list[Link]] = []
    for wave in plan:
        clusters = known(made, system)
        going = []
        for position in wave:
            if preflight(links[position], system, clusters).kind == "send":
                going.append(links[position])
                clusters.join(edge(links[position]))
        sent += [each.key for each in going]
        made += [each for each in going if each.key not in refused]
        rounds.append(going)
    return sent, known(made, system), rounds


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.id_management)
@given(data=st.data())
def test_waves_come_to_what_their_order_comes_to(system: System, data: st.DataObject) -> None:
    some = st.lists(links_of(system.id_management), max_size=12)
    before, links = data.draw(some, "known"), data.draw(some, "window")
    keys = sorted({each.key for each in links})
    refused = set(data.draw(st.lists(st.sampled_from(keys)), "refused")) if keys else set()
    before = [each for each in before if each.key not in refused]
    expected, clusters = one_after_the_other(links, system, known(before, system), refused)
    sent, ended, _ = in_waves(before, links, system, refused)
    assert sorted(sent) == sorted(set(expected))
    for node in {node for each in links for node in each.nodes}:
        assert set(ended.ids(node)) == set(clusters.ids(node))


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.id_management)
@given(data=st.data())
def test_waves_keep_to_the_limit_of_a_cluster(system: System, data: st.DataObject) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(preflight_module, "MAX_IDS", 4)
        links = data.draw(st.lists(links_of(system.id_management), max_size=20))
        expected, _ = one_after_the_other(links, system, Clusters(), set())
        sent, _, _ = in_waves([], links, system, set())
        assert sorted(sent) == sorted(expected)


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.id_management)
@given(data=st.data())
def test_what_goes_together_does_not_depend_on_each_other(system: System, data: st.DataObject) -> None:
    some = st.lists(links_of(system.id_management), max_size=12)
    before, links = data.draw(some), data.draw(some)
    _, _, rounds = in_waves(before, links, system, set())
    for together in rounds:
        brought = [each.nodes[1] for each in together if each.verb != "merge"]
        assert len(brought) == len(set(brought))
        assert not set(brought) & {each.nodes[0] for each in together}


def test_a_thousand_new_devices_of_one_user_go_together() -> None:
    links = [link("device", "u1", f"d{number}") for number in range(1_000)]
    assert waves(links, SIMPLIFIED, Clusters()) == [list(range(1_000))]


def test_what_is_linked_already_takes_no_waves_of_its_own() -> None:
    links = [link("device", "u1", f"d{number}") for number in range(100)]
    assert len(waves(links, SIMPLIFIED, known(links, SIMPLIFIED))) == 1


def test_the_same_link_again_is_left_out_but_not_one_that_somebody_allowed() -> None:
    forbidden, allowed = link("merge", "a", "b", allow_merge=False), link("merge", "a", "b")
    assert waves([forbidden, allowed, forbidden, allowed], ORIGINAL, Clusters()) == [[0], [1]]


def test_merges_that_touch_wait_for_each_other() -> None:
    links = [
        link("merge", "a", "b"),
        link("merge", "x", "y"),
        link("merge", "b", "c"),
        link("identify", "c", ANON[0]),
        link("identify", "c", ANON[1]),
        link("merge", "a", "x"),
    ]
    # The last one makes all of them one person's, so that even the first two are in one component.
    assert waves(links, ORIGINAL, Clusters()) == [[0], [1], [2], [3, 4], [5]]
    assert waves(links[:-1], ORIGINAL, Clusters()) == [[0, 1], [2], [3, 4]]


def test_links_that_meet_in_what_was_linked_before_wait_for_each_other() -> None:
    clusters = known([link("merge", "a", "b"), link("merge", "x", "y")], ORIGINAL)
    # Were they sent together, the second would seem needless, and be lost if Mixpanel refused the first.
    assert waves([link("merge", "a", "x"), link("merge", "b", "y")], ORIGINAL, clusters) == [[0], [1]]


def test_a_long_chain_of_aliases_is_looked_up_not_searched() -> None:
    chain = Cluster(1, 0, [Edge("alias", f"a{at}", f"a{at + 1}") for at in range(450)])
    clusters = Clusters((node, chain) for node in chain.ids)
    links = [Link("alias", "a450", f"new{number}", False, 0, {}) for number in range(200)]
    assert waves(links, System("legacy", service_account=False), clusters) == [list(range(200))]
    chain.edges = chain.edges[-1:]
    assert clusters.leads_to("a450", "a0")  # by what was learned: the links are not searched again


def test_what_joins_a_cluster_is_known_as_linked() -> None:
    clusters = Clusters()
    for first, second in (("a", "b"), ("b", "c"), ("x", "y"), ("c", "x")):
        clusters.target(second)
        clusters.join(Edge("alias", first, second))
        assert clusters.target(second) == first
    assert [clusters.target(node) for node in "abcxy"] == [None, "a", "b", "c", "x"]
    assert clusters.leads_to("y", "a")
