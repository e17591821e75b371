from collections.abc import Callable
from typing import Any

import pytest

from app.sandbox.config import ApiHabits, IdManagement, Limits
from app.sandbox.machine import Machine
from tests.unit.sandbox.calls import (
    TOKEN,
    UUIDS,
    alias,
    decoded,
    event,
    exported,
    failures,
    identify,
    merge,
    send_import,
    send_track,
)

Make = Callable[[IdManagement], Machine]
VERBS = {
    "$identify": identify("u1", UUIDS[0]),
    "$create_alias": alias("u1", "a1"),
    "$merge": merge("u1", "u2"),
}
KNOWN = {"simplified": set[str](), "original": set(VERBS), "legacy": {"$create_alias"}}


@pytest.fixture
def make(make_machine: Callable[..., Machine]) -> Make:
    return lambda system: make_machine(profiles=0, cohorts=0, id_management=system)


def ids(machine: Machine, one: str) -> set[str]:
    return set(machine.identities.cluster(one).ids)


def reasons(machine: Machine) -> list[str]:
    return [link.reason for link in machine.links.page(0, 999)]


def say(answer: Any) -> str:
    return str(decoded(answer)["failed_records"][0]["message"])


@pytest.mark.parametrize("name", VERBS)
@pytest.mark.parametrize("system", KNOWN)
def test_a_strict_import_refuses_the_verbs_that_the_system_does_not_have(
    make: Make, system: IdManagement, name: str
) -> None:
    machine = make(system)
    answer = send_import(machine, [event(), VERBS[name]])

    if name in KNOWN[system]:
        assert answer.status == 200
        assert machine.identities.count() == 1
        return
    assert answer.status == 400
    assert failures(answer) == [(1, "event")]
    assert say(answer).startswith(f"identity verbs refused in {system} projects")
    assert (machine.identities.count(), machine.events.count()) == (0, 1)


@pytest.mark.parametrize("name", VERBS)
def test_elsewhere_a_verb_that_the_system_does_not_have_does_nothing(make: Make, name: str) -> None:
    machine = make("simplified")
    assert send_import(machine, [VERBS[name]], strict="0").status == 200
    assert send_track(machine, [VERBS[name]]).body == b"1"

    assert (machine.identities.count(), machine.events.count()) == (0, 0)
    assert {link.outcome for link in machine.links.page(0, 9)} == {"refused"}


def test_a_project_can_refuse_everything_beside_such_a_verb(make: Make) -> None:
    machine = make("simplified")
    machine.controls.api = ApiHabits(verbs="refuse_batch")

    answer = send_import(machine, [event(), VERBS["$identify"]])
    assert (answer.status, failures(answer)) == (400, [(0, "event"), (1, "event")])
    assert machine.events.arrivals() == 0
    assert send_import(machine, [event()]).status == 200
    send_import(machine, [event(), VERBS["$identify"]], strict="0")
    assert machine.events.arrivals() == 2


@pytest.mark.parametrize("name", VERBS)
def test_a_verb_with_another_projects_token_links_nothing(make: Make, name: str) -> None:
    machine = make("original")
    sent = {"event": name, "properties": VERBS[name]["properties"] | {"token": "somebody-elses"}}

    assert failures(send_import(machine, [sent])) == [(0, "properties.token")]
    assert send_track(machine, [sent]).body == b"1"
    assert machine.links.count() == 0


@pytest.mark.parametrize("anon", ["a1", "00000001-0000-1000-8000-000000000000", UUIDS[0].replace("-", "")])
def test_identify_takes_anonymous_ids_of_uuid_v4_only(make: Make, anon: str) -> None:
    machine = make("original")

    assert say(send_import(machine, [identify("u1", anon)])) == "'$anon_id' must be a UUID v4"
    assert machine.identities.count() == 0


def test_identify_takes_no_anonymous_id_that_was_merged_before(make: Make) -> None:
    machine = make("original")
    send_import(machine, [identify("u1", UUIDS[0])])

    assert say(send_import(machine, [identify("u2", UUIDS[0])])) == "'$anon_id' was merged before"
    assert send_import(machine, [identify("u1", UUIDS[1])]).status == 200
    assert (len(ids(machine, "u1")), ids(machine, "u2")) == (3, {"u2"})


@pytest.mark.parametrize("system", ["original", "legacy"])
def test_an_alias_maps_to_one_person_only_and_may_have_aliases(make: Make, system: IdManagement) -> None:
    machine = make(system)
    assert send_import(machine, [alias("u1", "a1"), alias("a1", "a2"), alias("u1", "a3")]).status == 200

    assert say(send_import(machine, [alias("u2", "a1")])) == "'alias' maps to another distinct_id already"
    assert (ids(machine, "a2"), ids(machine, "u2")) == ({"u1", "a1", "a2", "a3"}, {"u2"})


def test_an_alias_that_says_what_was_known_maps_there_for_good(make: Make) -> None:
    machine = make("original")
    assert send_import(machine, [merge("u1", "a1"), alias("u1", "a1")]).status == 200

    assert send_import(machine, [alias("u2", "a1")]).status == 400


def test_a_legacy_project_knows_no_limit_of_aliases(make: Make) -> None:
    machine = make("legacy")
    assert send_import(machine, [alias("u1", f"a{n}") for n in range(600)]).status == 200

    assert len(ids(machine, "u1")) == 601


def test_in_a_legacy_project_the_older_id_stands_for_its_aliases(make: Make) -> None:
    machine = make("legacy")
    send_import(machine, [event(distinct_id="a2"), alias("a1", "a2"), alias("u1", "a1")])

    assert machine.identities.canonical("a2") == "u1"
    assert exported(machine)[0]["properties"]["distinct_id"] == "u1"
    assert say(send_import(machine, [alias("a2", "u1")])) == "'alias' would point in a circle"


def test_merge_joins_whatever_the_two_belong_to(make: Make) -> None:
    machine = make("original")
    send_import(machine, [identify("u1", UUIDS[0]), identify("u2", UUIDS[1]), merge(UUIDS[0], "u2")])

    assert ids(machine, "u1") == {"u1", "u2", UUIDS[0], UUIDS[1]}


@pytest.mark.parametrize(
    ("who", "strict", "merged"),
    [
        (("sandbox-account", "sandbox-secret"), "1", 1),
        (("sandbox-project-secret", ""), "1", 1),
        (("sandbox-account", "sandbox-secret"), "0", 0),
        ((TOKEN, ""), "1", 0),
    ],
)
def test_merge_needs_a_strict_import_with_an_account_or_the_secret(
    make: Make, who: tuple[str, str], strict: str, merged: int
) -> None:
    machine = make("original")
    answer = send_import(machine, [merge("u1", "u2")], who=who, strict=strict)

    assert machine.identities.count() == merged
    assert answer.status == (200 if merged or strict == "0" else 400)


def test_merge_does_nothing_at_track(make: Make) -> None:
    machine = make("original")
    assert send_track(machine, [merge("u1", "u2")]).body == b"1"
    assert machine.identities.count() == 0


def test_identify_and_aliases_work_at_track_too(make: Make) -> None:
    machine = make("original")
    assert send_track(machine, [identify("u1", UUIDS[0]), alias("u1", "a1")]).body == b"1"

    assert ids(machine, "a1") == {"u1", UUIDS[0], "a1"}
    strict = send_track(machine, [identify("u2", UUIDS[0])], strict="1")
    assert failures(strict) == [(0, "event")]


def test_a_cluster_has_at_most_500_ids(make: Make) -> None:
    machine = make("original")
    assert send_import(machine, [alias("u1", f"a{n}") for n in range(499)]).status == 200
    send_import(machine, [alias("u2", "b1")])

    for sent in (alias("u1", "more"), identify("u1", UUIDS[0]), merge("a7", "u2")):
        assert "more than 500" in say(send_import(machine, [sent]))
    assert (len(ids(machine, "a7")), ids(machine, "u2")) == (500, {"u2", "b1"})
    assert send_import(machine, [merge("a7", "a8")]).status == 200


def test_which_id_is_canonical_depends_on_neither_order_nor_kind(make: Make) -> None:
    links = [identify("u1", UUIDS[0]), alias("u1", "a1"), merge("a1", "u2")]
    first, second = make("original"), make("original")
    send_import(first, links)
    send_import(second, [merge("u2", "a1"), merge("u1", UUIDS[0]), merge("a1", UUIDS[0])])

    assert first.identities.canonical("u1") == second.identities.canonical("u1")


@pytest.mark.parametrize("sent", VERBS.values())
def test_the_same_link_again_is_harmless(make: Make, sent: dict[str, Any]) -> None:
    machine = make("original")
    for _ in range(10):
        assert send_import(machine, [sent]).status == 200

    assert [link.outcome for link in machine.links.page(0, 99)] == ["merged"] + ["repeated"] * 9
    assert machine.identities.count() == 1


def test_a_limit_can_be_lowered_for_a_test(make: Make) -> None:
    machine = make("original")
    machine.controls.limits = Limits(max_cluster=2)
    assert "more than 2" in say(send_import(machine, [alias("u1", "a1"), alias("u1", "a2")]))
