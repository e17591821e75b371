"""Which links are refused, and with which reason; and that what is let through ends as plain sets would."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.destinations.identity import clusters as clusters_module
from app.destinations.identity import preflight as preflight_module
from app.destinations.identity.clusters import Clusters
from app.destinations.identity.links import Link
from app.destinations.identity.preflight import System, Verdict, preflight
from tests.unit.destinations.identity_links import (
    ANON,
    LEGACY,
    ORIGINAL,
    PEOPLE,
    SIMPLIFIED,
    SYSTEMS,
    edge,
    link,
    links_of,
)
from tests.unit.destinations.identity_model import Sets


def judged(system: System, *links: Link) -> Verdict:
    """Make all links but the last, and judge that."""
    *before, last = links
    clusters = Clusters()
    for each in before:
        assert preflight(each, system, clusters).kind == "send"
        clusters.join(edge(each))
    return preflight(last, system, clusters)


def code(verdict: Verdict) -> str:
    return verdict.refusal.code if verdict.refusal else verdict.kind


@pytest.mark.parametrize(
    ("system", "links", "expected"),
    [
        (SIMPLIFIED, [link("device", "u1", "d1")], "send"),
        (SIMPLIFIED, [link("identify", "u1", ANON[0])], "verb_unavailable"),
        (SIMPLIFIED, [link("alias", "u1", "a1")], "verb_unavailable"),
        (SIMPLIFIED, [link("merge", "u1", "u2")], "verb_unavailable"),
        (SIMPLIFIED, [link("device", "u1", "d1"), link("device", "u1", "d2")], "send"),
        (SIMPLIFIED, [link("device", "u1", "d1"), link("device", "u1", "d1")], "already_linked"),
        (SIMPLIFIED, [link("device", "u1", "d1"), link("device", "u2", "d1")], "other_user"),
        (SIMPLIFIED, [link("device", "u1", "u2"), link("device", "u2", "d2")], "send"),
        (SIMPLIFIED, [link("device", "$device:d1", "d2")], "unusable_id"),
        (SIMPLIFIED, [link("device", "u1", "u1")], "same_id"),
        (ORIGINAL, [link("device", "u1", "d1")], "verb_unavailable"),
        (ORIGINAL, [link("identify", "u1", ANON[0])], "send"),
        (ORIGINAL, [link("identify", "u1", ANON[0].upper())], "send"),
        (ORIGINAL, [link("identify", "u1", "d1")], "not_uuid4"),
        (ORIGINAL, [link("identify", "u1", "6ba7b810-9dad-11d1-80b4-00c04fd430c8")], "not_uuid4"),
        (ORIGINAL, [link("identify", "u1", ANON[0] + "0")], "not_uuid4"),
        (ORIGINAL, [link("identify", "u1", ANON[0])] * 2, "already_linked"),
        (ORIGINAL, [link("identify", "u1", ANON[0]), link("identify", "u2", ANON[0])], "anon_id_merged"),
        (ORIGINAL, [link("merge", "u1", ANON[0]), link("identify", "u2", ANON[0])], "anon_id_merged"),
        (ORIGINAL, [link("merge", "u1", ANON[0]), link("identify", "u1", ANON[0])], "already_linked"),
        (ORIGINAL, [link("merge", "u1", "u2", allow_merge=False)], "merge_not_allowed"),
        (ORIGINAL, [link("merge", "u1", "u2"), link("merge", "u2", "u1")], "already_linked"),
        (System("original", service_account=False), [link("merge", "u1", "u2")], "no_service_account"),
        (System("original", service_account=False), [link("alias", "u1", "a1")], "send"),
        (ORIGINAL, [link("alias", "u1", "a1"), link("alias", "u2", "a1")], "alias_taken"),
        (ORIGINAL, [link("identify", "u1", ANON[0]), link("alias", "u2", ANON[0])], "alias_taken"),
        (ORIGINAL, [link("alias", "u1", "a1"), link("alias", "a1", "u1")], "alias_cycle"),
        (
            ORIGINAL,
            [link("alias", "u1", "a1"), link("alias", "a1", "a2"), link("alias", "a2", "u1")],
            "alias_cycle",
        ),
        (ORIGINAL, [link("alias", "u1", "a1"), link("alias", "u1", "a2")], "send"),
        (ORIGINAL, [link("alias", "u1", "a1"), link("alias", "u2", "u1")], "send"),
        (LEGACY, [link("alias", "u1", "a1"), link("alias", "a1", "a2")], "send"),
        (LEGACY, [link("alias", "u1", "a1")] * 2, "already_linked"),
        (LEGACY, [link("alias", "u1", "a1"), link("alias", "u2", "a1")], "alias_taken"),
        (LEGACY, [link("alias", "u1", "a1"), link("alias", "a1", "u1")], "alias_cycle"),
        (LEGACY, [link("identify", "u1", ANON[0])], "verb_unavailable"),
        (LEGACY, [link("merge", "u1", "u2")], "verb_unavailable"),
        (LEGACY, [link("alias", "u1", "u1")], "same_id"),
        (LEGACY, [link("alias", "u1", "anonymous")], "refused_id"),
        (LEGACY, [link("alias", "undefined", "a1")], "refused_id"),
        (SIMPLIFIED, [link("device", "u1", "0")], "refused_id"),
        (LEGACY, [link("alias", "u1", "")], "unusable_id"),
        (LEGACY, [link("alias", " ", "a1")], "unusable_id"),
        (LEGACY, [link("alias", "u1", "a" * 255)], "send"),
        (LEGACY, [link("alias", "u1", "a" * 256)], "unusable_id"),
        (LEGACY, [link("alias", "u1", "é" * 128)], "unusable_id"),
        (SIMPLIFIED, [link("device", "u1", "d" * 247)], "send"),
        (SIMPLIFIED, [link("device", "u1", "d" * 248)], "unusable_id"),
    ],
)
def test_a_link_is_judged_by_its_system_and_what_was_linked(
    system: System, links: list[Link], expected: str
) -> None:
    assert code(judged(system, *links)) == expected


@pytest.mark.parametrize("system", [ORIGINAL, LEGACY])
def test_a_cluster_takes_five_hundred_ids_and_not_one_more(system: System) -> None:
    some = [link("alias", "u1", f"a{number}") for number in range(498)]
    assert code(judged(system, *some, link("alias", "u1", "b"))) == "send"
    assert code(judged(system, *some, link("alias", "u1", "b"), link("alias", "u1", "c"))) == "cluster_full"


def test_two_clusters_together_have_no_more_than_five_hundred_ids() -> None:
    one = [link("alias", "u1", f"a{number}") for number in range(250)]  # 251 ids
    other = [link("alias", "u2", f"b{number}") for number in range(249)]  # 250 ids
    assert code(judged(ORIGINAL, *one, *other, link("merge", "u1", "u2"))) == "cluster_full"
    assert code(judged(ORIGINAL, *one, *other[1:], link("merge", "u1", "u2"))) == "send"


def test_a_user_has_as_many_devices_as_come() -> None:
    some = [link("device", "u1", f"d{number}") for number in range(2_000)]
    assert code(judged(SIMPLIFIED, *some, link("device", "u1", "x"))) == "send"


@given(
    known=st.lists(
        st.sampled_from(range(3)).flatmap(lambda n: links_of(SYSTEMS[n].id_management)), max_size=9
    ),
    system=st.sampled_from(SYSTEMS),
    one=st.one_of(*(links_of(each.id_management) for each in SYSTEMS)),
)
def test_no_reason_names_an_id(known: list[Link], system: System, one: Link) -> None:
    clusters = Clusters()
    for each in known:
        if preflight(each, system, clusters).kind == "send":
            clusters.join(edge(each))
    refusal = preflight(one, system, clusters).refusal
    words = refusal.reason.split() if refusal else []
    assert not {one.first, one.second} & set(words)


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.id_management)
@given(data=st.data())
def test_what_is_sent_makes_the_same_sets_as_plain_joining_does(system: System, data: st.DataObject) -> None:
    limit = 4
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(preflight_module, "MAX_IDS", limit)
        sets, clusters, pointers = Sets(), Clusters(), dict[str, str]()
        for each in data.draw(st.lists(links_of(system.id_management), max_size=30)):
            first, second = each.nodes
            verdict = preflight(each, system, clusters)
            if verdict.kind == "already_linked":
                assert sets.of(first) == sets.of(second)
            if verdict.kind == "send":
                assert sets.of(first) != sets.of(second)
                assert each.verb == "merge" or pointers.setdefault(second, first) == first
                sets.join(first, second)
                joined = clusters.join(edge(each))
                assert set(joined.cluster.ids) == sets.of(first)
            if system is not SIMPLIFIED:
                assert all(len(one) <= limit for one in sets.all())
            else:
                assert all(sum(node in PEOPLE for node in one) <= 1 for one in sets.all())
    assert clusters_module.MAX_IDS == 500
    for node in {node for one in sets.all() for node in one}:
        assert set(clusters.ids(node)) == sets.of(node)
        assert clusters.size(node) == len(sets.of(node))
