"""Random links, faults and crashes: what is in Mixpanel in the end is what plain sets of ids say.

Expected: links taken one after the other, each let through or refused by the rules in words of this module,
written without any of the product's code. Mixpanel is the sandbox, which judges for itself.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from app.destinations.identity import preflight
from app.destinations.identity.links import Link
from app.sandbox.machine import machine_of
from app.store import keys
from config.links import ID_MANAGEMENTS, IdManagement
from tests.depth import examples
from tests.integration.destinations.identity_world import (
    Clumsy,
    Events,
    IdentityWorld,
    Sandboxed,
    Switch,
    sandbox_of,
    serve,
)
from tests.redis_server import RedisServer
from tests.unit.destinations.identity_links import links_of
from tests.unit.destinations.identity_model import Sets

MOST = 4
EVENTS = {
    "simplified": {"Identity linked"},
    "original": {"$identify", "$create_alias", "$merge"},
    "legacy": {"$create_alias"},
}
_numbers = count(1)


@dataclass
class Expected:
    """What ought to come of links, one after the other."""

    system: IdManagement
    sets: Sets = field(default_factory=Sets)
    pointers: dict[str, str] = field(default_factory=dict)
    made: int = 0

    def take(self, link: Link) -> None:
        first, second = link.nodes
        if link.verb != "merge" and self.pointers.get(second, first) != first:
            return  # an alias, an anonymous id or a device that is another's
        if second in self.sets.of(first):
            return
        if link.verb in ("identify", "device") and len(self.sets.of(second)) > 1:
            return
        size = len(self.sets.of(first)) + len(self.sets.of(second))
        if self.system != "simplified" and size > MOST:
            return
        self.sets.join(first, second)
        self.made += 1
        if link.verb != "merge":
            self.pointers[second] = first


@pytest.fixture(scope="module")
def switch() -> Iterator[Switch]:
    switch = Switch()
    end = serve(switch)
    yield switch
    end()


@pytest.fixture(scope="module")
def redis(redis_server: RedisServer) -> Iterator[Redis]:
    redis_server.flush()
    with redis_server.client() as client:
        yield client


@pytest.fixture(autouse=True)
def _small_clusters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "MAX_IDS", MOST)


def clusters_kept(world: IdentityWorld) -> int:
    """Count the clusters that lie in the ledger, those included that no id leads to."""
    pattern = keys.identity_clusters(world.project.id, 0)[:-1] + "*"
    return sum(world.redis.hlen(key) for key in world.redis.scan_iter(pattern))


def check(world: IdentityWorld, sandbox: Sandboxed, links: Sequence[Link]) -> None:
    """Compare the end with the model, and look for what must never have been sent."""
    system = world.project.id_management
    expected = Expected(system)
    for each in links:
        expected.take(each)
    nodes = sorted({node for each in links for node in each.nodes})
    for node in nodes:
        assert sandbox.cluster(node) == world.cluster(node) == expected.sets.of(node)
    assert set(sandbox.outcomes()) <= {"merged", "repeated"}  # Mixpanel refused nothing that was sent
    assert {event["event"] for event in sandbox.events} <= EVENTS[system]
    assert all(len({event["event"] for event in events}) == 1 for events in sandbox.requests)
    assert all(code == "link_refused" for code, _, _ in world.letters())
    assert world.recorded() == expected.made
    assert clusters_kept(world) == sum(len(one) > 1 for one in expected.sets.all())
    assert world.outboxes.depth(world.project.id, "identity").records == 0
    assert world.pending.pending(world.project.id, nodes) == set()
    assert not world.redis.exists(keys.identity_pending(world.project.id))
    placed = {world.redis.hget(keys.destination(world.project.id, "identity-outbox"), "delivered")}
    assert placed <= {str(expected.made).encode(), None}


def batches_of(data: st.DataObject, system: IdManagement) -> list[list[Link]]:
    return data.draw(st.lists(st.lists(links_of(system), min_size=1, max_size=12), min_size=1, max_size=4))


@pytest.mark.parametrize("system", ID_MANAGEMENTS)
@settings(
    deadline=None, max_examples=examples(10), suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_what_is_linked_is_what_plain_sets_say(
    redis: Redis, switch: Switch, system: IdManagement, data: st.DataObject
) -> None:
    project_id = str(next(_numbers))
    switch.now = sandbox = sandbox_of(system, project_id, most=MOST)
    with closing(IdentityWorld(redis, switch.url, system, project_id)) as world:
        submitted = []
        for links in batches_of(data, system):
            world.submit(*links)
            submitted += links
            if data.draw(st.booleans(), "now"):
                world.run("identity-outbox")
        world.run("identity-outbox")
        check(world, sandbox, submitted)
        assert all(outcome == "merged" for outcome in sandbox.outcomes())  # and nothing was sent twice
    machine_of(sandbox.app).close()


@pytest.mark.parametrize("system", ID_MANAGEMENTS)
@settings(
    deadline=None, max_examples=examples(12), suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_no_fault_and_no_crash_changes_what_is_linked(
    redis_server: RedisServer, switch: Switch, system: IdManagement, data: st.DataObject
) -> None:
    project_id = str(next(_numbers))
    switch.now = sandbox = sandbox_of(system, project_id, most=MOST)
    faults = iter(data.draw(st.lists(st.sampled_from((None, "lost", "unanswered")), max_size=6), "faults"))

    def fault(_events: Events) -> Any:
        return next(faults, None)

    sandbox.fault = fault
    with (
        redis_server.client() as redis,
        closing(IdentityWorld(redis, switch.url, system, project_id)) as world,
    ):
        clumsy = Clumsy(redis)
        submitted = []
        for links in batches_of(data, system):
            world.submit(*links)
            submitted += links
            clumsy.sent, clumsy.arrives = 0, data.draw(st.booleans(), "its answer is lost")
            clumsy.breaks_at = data.draw(st.none() | st.integers(0, 60), "breaks at")
            with suppress(RedisConnectionError):
                world.run("identity-outbox")
            clumsy.breaks_at = None
            world.build()  # another process takes over
        world.run_until_drained()
        check(world, sandbox, submitted)
    machine_of(sandbox.app).close()


@settings(
    deadline=None, max_examples=examples(10), suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_rules_links_survive_a_crash_of_either_lane(
    redis_server: RedisServer, switch: Switch, data: st.DataObject
) -> None:
    project_id = str(next(_numbers))
    switch.now = sandbox = sandbox_of("simplified", project_id, most=MOST)
    people = st.dictionaries(
        st.sampled_from("abcdef"),
        st.fixed_dictionaries({"user_id": st.sampled_from("uvw"), "device_id": st.sampled_from("1234")}),
        max_size=4,
    )
    with (
        redis_server.client() as redis,
        closing(IdentityWorld(redis, switch.url, "simplified", project_id)) as world,
    ):
        world.run("identity")
        clumsy = Clumsy(redis)
        pairs: list[tuple[str, str]] = []
        for entered, updated in data.draw(st.lists(st.tuples(people, people), max_size=5)):
            world.change(entered, updated)
            pairs += [(one["user_id"], one["device_id"]) for one in (*entered.values(), *updated.values())]
            clumsy.sent, clumsy.arrives = 0, data.draw(st.booleans(), "its answer is lost")
            clumsy.breaks_at = data.draw(st.none() | st.integers(0, 60), "breaks at")
            with suppress(RedisConnectionError):
                world.run()
            clumsy.breaks_at = None
            world.build()
        world.run_until_drained()
        links = [Link("device", user, device, False, 0, {}) for user, device in pairs]
        check(world, sandbox, links)
        world.run("identity")  # the log tells of dead letters, too
        assert world.mover_cursor.position(project_id).cursor == world.changelog.end(project_id)
    machine_of(sandbox.app).close()
