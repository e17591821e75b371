"""The procedures of docs/installation.md, done with real servers and what they are done with there."""

import threading
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from redis.exceptions import RedisError

from app.installation.comparing import compare
from app.lanes.lanes import LaneLost
from app.store import keys
from tests.conftest import StartRedis
from tests.integration.cli.relay import SHOP
from tests.integration.installation.servers import (
    caught_up,
    generation,
    members,
    pause,
    redis_cli,
    relay_at,
    restore,
    work,
)
from tests.redis_server import RedisServer
from tests.waiting import wait_until


@pytest.fixture
def started(start_redis: StartRedis) -> RedisServer:
    return start_redis(appendonly=True, options={"repl-diskless-sync-delay": "0"})


def test_a_backup_made_at_work_comes_back_whole_and_what_came_later_is_in_doubt(
    started: RedisServer, tmp_path: Path
) -> None:
    relay = relay_at(started)
    work(relay, "a", "b", session="s1", action="members")
    relay.accept("add_members", "c", session="s2")  # waits in the inbox
    redis_cli(started, "--rdb", str(tmp_path / "backup.rdb"))
    before = generation(relay)
    relay.run_lane("apply")
    work(relay, "d", session="s3")
    lane = keys.lane(SHOP, "apply")
    relay.accept("add_members", "e", session="s4")
    held = relay.services.lanes.start(SHOP, "apply", int(relay.services.redis.hget(lane, "wake") or 0))
    relay.services.redis.close()
    started.kill()

    with restore(tmp_path / "restored", tmp_path / "backup.rdb") as server:
        again = relay_at(server)
        assert again.json("state", "check")["ok"]
        assert members(again) == {"a", "b"}
        told = again.json("state", "restored", "--yes")["projects"]
        assert [(each["project_id"], each["cohorts"], each["doubted"]) for each in told] == [(SHOP, ["7"], 1)]
        assert generation(again) not in (before, None)
        assert "backup was restored" in again.json("cohorts", "show", "7")["cohort"]["suspect"]
        # Whoever held a lane before the loss writes nothing any more.
        assert held is not None
        held._lanes = again.services.lanes
        with pytest.raises(LaneLost):
            held.write(keys.cohorts(SHOP), "SADD", "9")
        again.services.lanes.sweep_all({SHOP: []})
        again.run_lane("apply")
        assert members(again) == {"a", "b", "c"}  # it waited in the backup's inbox
        work(again, "a", "x", session="s5", action="members")
        assert members(again) == {"a", "x"}
        assert not again.json("cohorts", "show", "7")["cohort"]["suspect"]
        assert again.json("state", "check")["ok"]
        server.restart(kill=True)
        assert members(relay_at(server)) == {"a", "x"}
        again.close()


def test_a_server_that_keeps_an_append_only_file_does_not_look_at_a_backup(
    started: RedisServer, tmp_path: Path
) -> None:
    # Why the procedure does not just put the file there.
    relay = relay_at(started)
    work(relay, "a", session="s1")
    redis_cli(started, "--rdb", str(tmp_path / "dump.rdb"))
    directory = tmp_path / "naive"
    directory.mkdir()
    (directory / "dump.rdb").write_bytes((tmp_path / "dump.rdb").read_bytes())
    with RedisServer(directory, appendonly=True) as server, server.client() as redis:
        assert redis.dbsize() == 0
    relay.close()


def test_moving_by_replication_loses_nothing_that_was_acknowledged(
    started: RedisServer, start_redis: StartRedis
) -> None:
    source, target = started, start_redis(appendonly=True)
    relay, acknowledged = relay_at(source), []
    stop = threading.Event()

    def send() -> None:
        sender, number = relay_at(source), 0
        while not stop.is_set():
            try:
                sender.accept("add_members", f"u{number}", session=f"s{number}")
                acknowledged.append(f"u{number}")
            except RedisError:
                pass  # Mixpanel gets 503, and sends it again
            number += 1
            pause()
        sender.close()

    sending = threading.Thread(target=send)
    sending.start()
    try:
        redis_cli(target, "REPLICAOF", "127.0.0.1", str(source.port))
        with source.client() as old, target.client() as new:
            wait_until(lambda: len(acknowledged) > 20 and caught_up(old, new))
            redis_cli(source, "CLIENT", "PAUSE", "30000", "WRITE")
            wait_until(lambda: caught_up(old, new))
            redis_cli(target, "REPLICAOF", "NO", "ONE")
            redis_cli(source, "REPLICAOF", "127.0.0.1", str(target.port))
            redis_cli(source, "CLIENT", "UNPAUSE")
            some = len(acknowledged)
            pause()
            with pytest.raises(RedisError):
                old.set("x", "y")
            wait_until(lambda: caught_up(new, old))
            assert compare(old, new, contents=True) == []
    finally:
        stop.set()
        sending.join()
    assert len(acknowledged) - some <= 1
    moved = relay_at(target)
    assert moved.json("state", "check")["ok"]
    moved.run_lane("apply")
    while moved.services.redis.xlen(keys.inbox(SHOP)):
        moved.run_lane("apply")
    assert members(moved) >= set(acknowledged)
    for each in (relay, moved):
        each.close()


def test_moving_with_a_stop_is_verified_by_counting(started: RedisServer, tmp_path: Path) -> None:
    relay = relay_at(started)
    work(relay, *(f"u{number}" for number in range(900)), session="s1", action="members")
    redis_cli(started, "--rdb", str(tmp_path / "move.rdb"))
    with restore(tmp_path / "moved", tmp_path / "move.rdb") as server:
        told = relay.flask("state", "compare", server.url)
        assert (told.exit_code, "as much of everything" in told.output) == (0, True)
        assert relay.json("state", "compare", server.url, "--contents")["differences"] == []
        with server.client() as copy:
            _damage(copy)
        found = relay.json("state", "compare", server.url, "--contents", status=3)["differences"]
        assert [(each["kind"], each["contents"]) for each in found] == [("m", None), ("log", True)]
        assert relay.flask("state", "compare", server.url).exit_code == 3
    relay.close()


def _damage(redis: Redis) -> None:
    """Lose a member, and change the name in an entry of the log."""
    bucket = keys.bucket(SHOP, "7", 0)
    field: Any = next(iter(redis.hkeys(bucket)))
    redis.hdel(bucket, field)
    entries: Any = redis.xrange(keys.log(SHOP))
    last_id, fields = entries[-1]
    redis.xdel(keys.log(SHOP), last_id)
    redis.xtrim(keys.log(SHOP), maxlen=0, approximate=False)
    redis.delete(keys.log(SHOP))
    for entry_id, each in entries[:-1]:
        redis.xadd(keys.log(SHOP), each, id=entry_id)
    redis.xadd(keys.log(SHOP), {**fields, b"cohort_name": b"VIPs"}, id=last_id)
