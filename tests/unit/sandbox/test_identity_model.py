"""Random links against a small model: sets of ids, and what an alias was first created for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.sandbox.config import IdManagement, Limits, SandboxConfig
from app.sandbox.machine import Machine
from app.sandbox.store.events import Selection
from tests.unit.sandbox.calls import UUIDS, alias, both, event, identify, merge, send_engage, send_import
from tests.unit.sandbox.doubles import FakeWebhook, MovedClock, SilentLog

MOST = 5
USERS = ["u1", "u2", "u3", "a1", "a2", "a3", "not-a-uuid"]
ANY = USERS + UUIDS[:4]
Step = tuple[str, str, str]
STEPS = st.tuples(st.sampled_from(["identify", "alias", "merge"]), st.sampled_from(ANY), st.sampled_from(ANY))
PAIRS = st.tuples(st.just("device"), st.sampled_from(USERS), st.sampled_from(["d1", "d2", "d3", "d4"]))
BUILD: dict[str, Callable[[str, str], dict[str, object]]] = {
    "identify": identify,
    "alias": alias,
    "merge": merge,
    "device": both,
}


@dataclass
class Model:
    """Who is who, worked out with sets."""

    system: IdManagement
    clusters: dict[str, frozenset[str]] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    pointers: dict[str, str] = field(default_factory=dict)

    def of(self, one: str) -> frozenset[str]:
        return self.clusters.get(one, frozenset({one}))

    def link(self, verb: str, first: str, second: str) -> str:
        """Do a step; return merged, repeated or refused."""
        outcome = self._outcome(verb, first, second)
        if outcome == "merged":
            joined = self.of(first) | self.of(second)
            self.clusters.update(dict.fromkeys(joined, joined))
            self.pointers[self.root(second)] = self.root(first)
        if verb == "alias" and outcome != "refused":
            self.aliases.setdefault(second, first)
        return outcome

    def root(self, one: str) -> str:
        while one in self.pointers:
            one = self.pointers[one]
        return one

    def _outcome(self, verb: str, first: str, second: str) -> str:
        together = second in self.of(first)
        if self.system == "legacy":
            if verb != "alias" or (together and self.root(second) == second):
                return "refused"
        elif verb == "identify" and second not in UUIDS:
            return "refused"
        if together:
            return "repeated"
        if verb == "identify" and len(self.of(second)) > 1:
            return "refused"
        if verb == "alias" and second in self.aliases:
            return "refused"
        full = len(self.of(first) | self.of(second)) > MOST
        return "refused" if full and self.system == "original" else "merged"


def new_machine(system: IdManagement) -> Machine:
    limits = Limits(max_cluster=MOST)
    config = SandboxConfig(profiles=0, cohorts=0, id_management=system, limits=limits)
    return Machine(config, SilentLog(), FakeWebhook(), MovedClock())


def take(machine: Machine, steps: Sequence[Step]) -> None:
    send_import(machine, [BUILD[verb](first, second) for verb, first, second in steps])


def clusters(machine: Machine) -> set[frozenset[str]]:
    return {frozenset(one.ids) for one in machine.identities.page("", 999)}


@pytest.mark.parametrize("system", ["original", "legacy"])
@settings(max_examples=120, deadline=None)
@given(steps=st.lists(STEPS, max_size=25), size=st.integers(1, 6))
def test_clusters_and_outcomes_are_the_models(system: IdManagement, steps: list[Step], size: int) -> None:
    machine, model = new_machine(system), Model(system)
    steps = [step for step in steps if step[1] != step[2]]
    for start in range(0, len(steps), size):
        take(machine, steps[start : start + size])
    expected = [model.link(*step) for step in steps]

    assert [link.outcome for link in machine.links.page(0, 999)] == expected
    assert clusters(machine) == set(model.clusters.values())
    if system == "legacy":
        assert {one: machine.identities.canonical(one) for one in ANY} == {
            one: model.root(one) for one in ANY
        }
    before = machine.identities.page("", 999)
    for _ in range(10):
        take(machine, steps)
    assert machine.identities.page("", 999) == before
    machine.close()


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(STEPS, max_size=15), at=st.integers(0, 15))
def test_events_and_updates_of_all_ids_are_read_under_the_canonical_one(steps: list[Step], at: int) -> None:
    machine = new_machine("original")
    steps = [step for step in steps if step[1] != step[2]]
    take(machine, steps[:at])
    send_import(machine, [event(distinct_id=one, **{"$insert_id": f"i-{n}"}) for n, one in enumerate(ANY)])
    send_engage(machine, *({"$distinct_id": one, "$union": {"Ids": [one]}} for one in ANY))
    take(machine, steps[at:])

    read = machine.events.read(Selection(), "arrival", 999)
    assert {one.received_distinct_id for one in read} == set(ANY)
    assert all(one.distinct_id == machine.identities.canonical(one.received_distinct_id) for one in read)
    profiles = {one.distinct_id: set(one.properties["Ids"]) for one in machine.profiles.scan()}
    people = {
        machine.identities.cluster(one).canonical: set(machine.identities.cluster(one).ids) for one in ANY
    }
    assert profiles == people
    machine.close()


@settings(max_examples=80, deadline=None)
@given(steps=st.lists(PAIRS, max_size=25), size=st.integers(1, 6))
def test_in_a_simplified_project_a_device_is_its_first_users(steps: list[Step], size: int) -> None:
    machine = new_machine("simplified")
    for start in range(0, len(steps), size):
        take(machine, steps[start : start + size])
    owners: dict[str, str] = {}
    for _, user, device in steps:
        owners.setdefault(f"$device:{device}", user)

    people: dict[str, set[str]] = {}
    for device, user in owners.items():
        people.setdefault(user, {user}).add(device)
    assert {one.canonical: set(one.ids) for one in machine.identities.page("", 999)} == people
    machine.close()
