"""Redis is at its maxmemory: the log is delivered and trimmed all the same, which makes room again."""

import time
from collections.abc import Iterator

import pytest
from redis import Redis

from app.destinations.operating import Operating
from app.lanes.outcome import Outcome
from config.rules import Operation, Rule, RuleSet
from tests.conftest import StartRedis
from tests.integration.destinations.world import Mixpanel, World, refused
from tests.integration.mixpanel.server import Reply

ADD = RuleSet((Rule(enter=(Operation("$add", "Visits", 1),)),))


@pytest.fixture
def full(start_redis: StartRedis, mixpanel: Mixpanel) -> Iterator[tuple[World, Redis]]:
    with start_redis().client() as client:
        world = World(client, mixpanel)
        yield world, client
        world.close()


def run_full(world: World, client: Redis) -> Outcome:
    """Run the lane once, with a Redis that is full from the moment the lane is held."""
    client.config_set("maxmemory", 0)
    held = world.take()
    fill(client)
    outcome = world.destination.run(held, world.project, until=time.monotonic() + 60)
    world.lanes.finish(held, outcome)
    return outcome


def fill(client: Redis) -> None:
    client.config_set("maxmemory", 1)
    with pytest.raises(Exception, match="maxmemory"):
        client.set("more", "x")


def test_a_window_is_delivered(full: tuple[World, Redis]) -> None:
    world, client = full
    world.change(["ann", "bob"])
    assert run_full(world, client).kind == "drained"
    assert world.mixpanel.cohorts_of("ann") == ["VIP"]
    assert world.cursor.position(world.project.id).cursor == 1


def test_what_is_refused_or_must_not_be_sent_twice_is_noted(full: tuple[World, Redis]) -> None:
    world, client = full
    world.rules(ADD)
    world.change(["ann", "bob"])
    replies = iter([Reply(503), refused(2, 0)])
    world.mixpanel.script = lambda _records: next(replies, None)
    assert run_full(world, client).kind == "later"
    assert run_full(world, client).kind == "drained"
    assert world.cursor.position(world.project.id).cursor >= 1
    assert len(world.letters()) > 0


def test_a_limit_of_mixpanels_is_heeded_though_it_cannot_be_remembered(full: tuple[World, Redis]) -> None:
    world, client = full
    world.change([f"person-{number}" for number in range(20)])
    replies = iter([Reply(413)])
    world.mixpanel.script = lambda _records: next(replies, None)
    assert run_full(world, client).kind == "drained"
    assert world.mixpanel.cohorts_of("person-7") == ["VIP"]


def test_a_stopped_destination_is_resumed(full: tuple[World, Redis]) -> None:
    world, client = full
    world.change(["ann"])
    world.mixpanel.script = lambda _records: Reply(401)
    assert world.run().kind == "later"
    fill(client)
    assert Operating(world.redis, world.lanes).resume(world.project.id, "profiles")
