"""What destinations tell in the log: that a sync is delivered, that they cannot go on, whom they linked."""

from collections.abc import Iterator
from typing import Any

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from app.cohorts.changelog import ChangeLog, Entry
from app.cohorts.commit import NewEntry
from app.destinations.cursor import FAILING_MS
from app.destinations.source import SYNCS_AT_ONCE
from app.lanes.work import PROFILES
from app.store import keys
from tests.integration.cohorts.faulty import FaultyRedis
from tests.integration.cohorts.relay import Clock, connect
from tests.integration.destinations.waiting_world import WaitingWorld
from tests.integration.destinations.world import Mixpanel, P, World, ok, refused
from tests.integration.mixpanel.server import Reply
from tests.redis_server import RedisServer


@pytest.fixture
def waiting(redis_server: RedisServer, redis_url: str, mixpanel: Mixpanel) -> Iterator[WaitingWorld]:
    world = WaitingWorld(connect(redis_server, FaultyRedis, Clock()), mixpanel, PROFILES.name)
    yield world
    world.close()
    world.redis.close()


def sync(world: World, kind: str, *, cohort: str = "1", session: str = "s1") -> None:
    world._append_one(NewEntry(f"sync.{kind}", "sync", cohort, world.known.cohorts[cohort], session, 1))


def told(changelog: ChangeLog, kind: str = "delivery.completed") -> list[Entry]:
    return [entry for entry in changelog.read(P, 0, 10**6) if entry.kind == kind]


def numbers(world: World) -> list[tuple[str, str, int, int, int]]:
    return [
        (
            entry.cohort_id,
            entry.session_id,
            entry.detail["sequence"],
            entry.detail["accepted"],
            entry.detail["dead_letters"],
        )
        for entry in told(world.changelog)
    ]


# --- delivery.completed ------------------------------------------------------------------------------------


def test_of_many_quiet_syncs_one_step_tells_some(world: World) -> None:
    """As after a day's pause: none of them has changes, so nothing else ends the window."""
    for number in range(SYNCS_AT_ONCE + 1):
        sync(world, "completed", session=f"s{number}")
    held = world.take()
    assert world.destination.turn(held, world.project) is None
    assert len(told(world.changelog)) == int(world.hash()["cursor"]) == SYNCS_AT_ONCE
    world.destination.run(held, world.project, until=float("inf"))
    assert len(told(world.changelog)) == SYNCS_AT_ONCE + 1


def test_a_sync_is_told_once_everything_of_it_is_delivered(world: World, mixpanel: Mixpanel) -> None:
    world.change(entered=["before"])
    world.run()
    sync(world, "started")
    world.change(entered=["a", "b"])
    world.run()
    assert numbers(world) == []
    mixpanel.script = lambda records: refused(len(records), 0)
    world.change(entered=["c", "d", "e"])
    sync(world, "completed")
    world.run()
    assert numbers(world) == [("1", "s1", 5, 4, 1)]
    (entry,) = told(world.changelog)
    assert (entry.cohort_name, entry.cause, entry.detail["destination"]) == ("VIP", "", "profiles")
    for _ in range(3):
        world.run()
    assert len(told(world.changelog)) == 1
    assert world.status().behind == 0


def test_syncs_of_several_cohorts_are_counted_each_from_its_own_beginning(
    world: World, mixpanel: Mixpanel
) -> None:
    sync(world, "started", cohort="1", session="x")
    world.change(entered=["a"])
    world.run()
    sync(world, "started", cohort="2", session="y")
    world.change(entered=["b", "c"], cohort="2")
    world.run()
    sync(world, "completed", cohort="1", session="x")
    sync(world, "completed", cohort="2", session="y")
    world.run()
    assert numbers(world) == [("1", "x", 5, 3, 0), ("2", "y", 6, 2, 0)]
    assert world.redis.hkeys(keys.destination_syncs(P, "profiles")) == [b""]


def test_one_that_goes_on_under_another_session_is_the_newest_that_began(world: World) -> None:
    for session in ("a", "b", "c", "d", "e", "f"):
        sync(world, "started", session=session)
        world.change(entered=[session])
        world.run()
    sync(world, "completed", session="unheard of")
    world.run()
    assert numbers(world) == [("1", "unheard of", 13, 1, 0)]
    kept = world.redis.hget(keys.destination_syncs(P, "profiles"), "1")
    assert kept is not None
    assert str(kept).count("[") == 4


def test_a_crash_before_the_cursor_moves_tells_once_all_the_same(
    world: World, mixpanel: Mixpanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    mixpanel.script = lambda records: refused(len(records), 0)
    sync(world, "started")
    world.change(entered=["a", "b"])
    sync(world, "completed")

    def broken(*_: Any, **__: Any) -> None:
        raise RedisConnectionError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(world.cursor, "advance", broken)
        with pytest.raises(RedisConnectionError):
            world.run()
    assert told(world.changelog) == told(world.changelog, "batch.dead_lettered") == []
    world.build()
    world.run()
    assert numbers(world) == [("1", "s1", 3, 1, 1)]
    (dead,) = told(world.changelog, "batch.dead_lettered")
    assert dead.detail == {"destination": "profiles", "records": {"refused": 1}, "from": 1, "to": 3}


def test_a_sync_whose_members_wait_for_links_is_told_when_the_last_of_them_left(
    waiting: WaitingWorld,
) -> None:
    world = waiting
    sync(world, "started")
    world.log(["ann", "bob"], linked={"ann": "phone"})
    sync(world, "completed")
    world.run()
    assert world.cursor_at() == 3
    assert told(world.changelog) == []
    sync(world, "started", session="s2")
    world.log(["carl"])
    sync(world, "completed", session="s2")
    world.run()
    assert told(world.changelog) == []  # of the room's order, it cannot be said sooner
    world.pass_s(30)
    world.run()
    assert [entry[1:3] for entry in numbers(world)] == [("s1", 3), ("s2", 6)]
    assert world.redis.hlen(keys.destination_completing(P, "profiles")) == 0
    world.run()
    sync(world, "started", session="s3")
    sync(world, "completed", session="s3")
    world.run()
    assert [entry[1] for entry in numbers(world)] == ["s1", "s2", "s3"]


# --- delivery.failed ---------------------------------------------------------------------------------------


def failures(changelog: ChangeLog) -> list[dict[str, Any]]:
    return [dict(entry.detail) for entry in told(changelog, "delivery.failed")]


def test_a_destination_that_stops_says_so_once_until_it_is_well_again(
    world: World, mixpanel: Mixpanel
) -> None:
    mixpanel.script = lambda _records: Reply(401)
    world.change(entered=["u"])
    for token in ("token-1", "token-2", "token-3"):  # each of them is refused
        world.token(token)
        world.run()
    (failed,) = failures(world.changelog)
    assert failed == {
        "destination": "profiles",
        "state": "stopped",
        "code": "credential_refused",
        "reason": failed["reason"],
    }
    mixpanel.script = lambda _records: None
    world.token("token-4")
    world.run()
    world.change(entered=["v"])
    mixpanel.script = lambda _records: Reply(401)
    world.token("token-5")
    world.run()
    assert len(failures(world.changelog)) == 2


def test_a_destination_that_fails_says_so_after_an_hour(world: World, mixpanel: Mixpanel) -> None:
    mixpanel.script = lambda _records: Reply(503)
    world.change(entered=["u"])
    for _ in range(3):
        world.run()
    assert failures(world.changelog) == []
    for _ in range(3):
        world.redis.hincrby(keys.destination(P, "profiles"), "since_ms", -FAILING_MS)
        world.run()
    (failed,) = failures(world.changelog)
    assert (failed["state"], failed["code"]) == ("retrying", "retryable")
    mixpanel.script = lambda records: ok(len(records))
    world.run()
    world.change(entered=["v"])
    mixpanel.script = lambda _records: Reply(503)
    world.run()
    assert len(failures(world.changelog)) == 1
    world.redis.hincrby(keys.destination(P, "profiles"), "since_ms", -FAILING_MS)
    world.run()
    assert len(failures(world.changelog)) == 2


def test_what_is_told_makes_no_destination_tell_more(world: World, redis_client: Redis) -> None:
    sync(world, "started")
    sync(world, "completed")
    ends = []
    for _ in range(4):
        world.run()
        ends.append(world.changelog.end(P))
    assert ends == [3, 3, 3, 3]
