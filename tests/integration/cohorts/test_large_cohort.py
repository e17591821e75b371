"""A cohort of 100,000: no command may block Redis for 10 ms, and a member may cost little."""

import uuid
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any, cast

import pytest
from redis import Redis

from app.store import keys
from tests.conftest import StartRedis
from tests.integration.cohorts.invariants import stored
from tests.integration.cohorts.relay import BEGIN_S, P, Relay
from tests.model.wire import Action, SentPage

MEMBERS = 100_000
PAGE = 1_000
SLOW_US = 10_000
TRIES = 3
"""A busy machine stops Redis itself for longer than a command takes, now here, now there. A command that is
slow is so in every try."""


def people(count: int) -> list[str]:
    random = Random(count)
    return [str(uuid.UUID(int=random.getrandbits(128), version=4)) for _ in range(count)]


def pages(session: str, action: Action, members: Sequence[str]) -> Iterator[SentPage]:
    total = max(1, -(-len(members) // PAGE))
    for number in range(total):
        named = tuple(members[number * PAGE : (number + 1) * PAGE])
        yield SentPage(session, action, number + 1, total, named, 0.0)


def sync(relay: Relay, session: str, action: Action, members: Sequence[str]) -> None:
    relay.clock.now_s += 1800
    for page in pages(session, action, members):
        relay.accept(page)
        relay.drain()


def slow(redis: Redis) -> list[tuple[float, str]]:
    """Return the slow commands since the last look, in ms, and what they were."""
    found = cast("list[dict[str, Any]]", redis.slowlog_get(128))
    redis.slowlog_reset()
    return [(each["duration"] / 1000, each["command"][:60].decode(errors="replace")) for each in found]


@pytest.mark.slow
def test_no_command_is_slow_and_a_member_costs_some_tens_of_bytes(start_redis: StartRedis) -> None:
    server = start_redis(options={"slowlog-log-slower-than": str(SLOW_US), "slowlog-max-len": "128"})
    everybody = people(MEMBERS + 2 * PAGE)
    for left in reversed(range(TRIES)):
        server.flush()
        relay = Relay(server)
        relay.clock.now_s = BEGIN_S
        slow(relay.plain)
        sync(relay, "0", "members", everybody[:MEMBERS])
        sync(relay, "1", "add_members", everybody[MEMBERS:])
        sync(relay, "1", "remove_members", everybody[: 2 * PAGE])
        sync(relay, "2", "members", everybody[PAGE:-PAGE])
        members, found = relay.members(), slow(relay.plain)
        relay.close()
        if not found or not left:
            break
    assert members == set(everybody[PAGE:-PAGE])
    assert found == []
    cost = bytes_a_member(relay.plain)
    print(f"{cost:.1f} bytes a member")
    assert cost < 60


def bytes_a_member(redis: Redis) -> float:
    """Return what the buckets take, members and tombstones alike."""
    record, entries = stored(redis, "c")
    used = sum(redis.memory_usage(keys.bucket(P, "c", number)) or 0 for number in range(record.buckets))
    return used / len(entries)
