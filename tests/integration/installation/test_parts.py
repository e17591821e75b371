"""What the procedures are made of: digests, the lanes of a restored state, a backup's file."""

from pathlib import Path
from typing import Any, cast

import pytest
from redis import Redis

from app.cohorts.record import CohortRecord
from app.cohorts.resync import Resync
from app.installation import backup
from app.installation.backup import NotSaved, save
from app.installation.contents import digest
from app.installation.restored import Restoring
from app.installation.stored import scan
from app.lanes.lanes import LaneLost, Lanes
from app.lanes.queue import LaneQueue
from app.store import keys
from tests.integration.cli.relay import SHOP
from tests.integration.cohorts.relay import Jobs

KEY = "key"


def write(redis: Redis, kind: str, *, last: str = "same", at_end: int = 599) -> None:
    redis.delete(KEY)
    for number in range(600):
        value = last if number == at_end else "value"
        if kind == "hash":
            redis.hset(KEY, f"f{number}", value)
        elif kind == "set":
            redis.sadd(KEY, f"{value}{number}")
        elif kind == "zset":
            redis.zadd(KEY, {f"m{number}": len(value)})
        elif kind == "list":
            redis.rpush(KEY, value)
        else:
            redis.xadd(KEY, {"v": value}, id=f"{number + 1}-0")


@pytest.mark.parametrize("kind", ["hash", "set", "zset", "list", "stream"])
def test_a_digest_is_of_everything_in_a_key(redis_client: Redis, kind: str) -> None:
    write(redis_client, kind)
    before = digest(redis_client, KEY.encode())
    write(redis_client, kind)
    assert digest(redis_client, KEY.encode()) == before
    for place in (0, 300, 599):
        write(redis_client, kind, last="another", at_end=place)
        assert digest(redis_client, KEY.encode()) != before


def test_a_digest_tells_what_is_set_apart_and_what_is_not_there(redis_client: Redis) -> None:
    seen = {digest(redis_client, b"nothing")}
    some: list[dict[Any, Any]] = [{"ab": "c"}, {"a": "bc"}, {"a": "b", "c": ""}]
    for fields in some:
        redis_client.delete(KEY)
        redis_client.hset(KEY, mapping=fields)
        seen.add(digest(redis_client, KEY.encode()))
    redis_client.set(KEY, "abc")
    seen.add(digest(redis_client, KEY.encode()))
    assert len(seen) == 5


def test_who_held_a_lane_at_the_time_of_the_backup_writes_nothing_after_it(redis_client: Redis) -> None:
    lanes = Lanes(redis_client, cast("LaneQueue", Jobs()), 15.0)
    redis_client.hset(keys.lane(SHOP, "apply"), mapping={"state": "queued", "wake": 1, "due": 0})
    held = lanes.start(SHOP, "apply", 1)
    assert held
    held.write(keys.cohorts(SHOP), "SADD", "7")
    Restoring(redis_client).run(SHOP)
    with pytest.raises(LaneLost):
        held.write(keys.cohorts(SHOP), "SADD", "8")
    assert redis_client.smembers(keys.cohorts(SHOP)) == {b"7"}


def test_a_reconcile_that_the_backup_was_made_in_the_middle_of_assures_nothing(redis_client: Redis) -> None:
    """It goes on with what it had read before the loss."""
    resync = Resync(1, "reconcile", 1, phase="exits", buckets=4)
    record = CohortRecord("7", name="VIP", resync=resync, new=False)
    redis_client.sadd(keys.cohorts(SHOP), "7", "8")
    for each in (record, CohortRecord("8", suspect="before", new=False)):
        redis_client.hset(keys.cohort(SHOP, each.cohort_id), mapping=cast("Any", each.to_hash()))
    assert Restoring(redis_client).run(SHOP).doubted == 1
    stored = cast("dict[bytes, bytes]", redis_client.hgetall(keys.cohort(SHOP, "7")))
    restored = CohortRecord.from_hash("7", stored)
    assert restored.resync
    assert restored.resync.doubted
    assert restored.suspect
    stored = cast("dict[bytes, bytes]", redis_client.hgetall(keys.cohort(SHOP, "8")))
    assert CohortRecord.from_hash("8", stored).suspect == "before"


def test_only_a_projects_id_finds_keys(redis_client: Redis) -> None:
    with pytest.raises(ValueError, match="id"):
        list(scan(redis_client, "*"))


@pytest.mark.parametrize("there", [True, False])
def test_a_file_that_redis_did_not_write_now_is_no_backup(
    redis_client: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    # As where Redis is on another machine, with files at the same place as one on this.
    other = tmp_path / "dump.rdb"
    if there:
        other.write_bytes(b"REDIS another's")
    monkeypatch.setattr(backup, "_file", lambda _: other)
    monkeypatch.setattr(backup, "_bgsave", lambda *_: None)
    with pytest.raises(NotSaved, match="on its own machine"):
        save(redis_client, tmp_path / "backup.rdb")
    assert not (tmp_path / "backup.rdb").exists()
    assert other.exists() is there
