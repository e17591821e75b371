"""The Lua scripts of the store half, each against the same thing in plain Python."""

from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis

import app
from app.cohorts.buckets import bucket_of
from app.cohorts.commit import Commit, Committer, NewEntry, StaleStep
from app.cohorts.epochs import Entry
from app.cohorts.membership import Membership
from app.cohorts.packing import pack_entry, pack_id
from app.cohorts.record import CohortRecord
from app.lanes.lanes import HeldLane, LaneLost, Lanes
from app.lanes.queue import LaneQueue
from app.lanes.work import APPLY
from app.store import keys, scripts
from tests.depth import examples
from tests.integration.cohorts.relay import Jobs, P

APP = Path(app.__file__).parent
quick = settings(
    max_examples=examples(60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
names = st.sampled_from("abcdefghijkl")


def everything(redis: Redis) -> dict[bytes, bytes]:
    """Return all there is, in Redis's own form."""
    return {key: cast("bytes", redis.dump(key)) for key in redis.scan_iter(count=1000)}


def hold(redis: Redis, lease_s: float = 15.0) -> tuple[Lanes, HeldLane]:
    lanes = Lanes(redis, cast("LaneQueue", Jobs()), lease_s)
    redis.hset(keys.lane(P, "apply"), mapping={"state": "queued", "wake": 1, "due": 0})
    held = lanes.start(P, "apply", 1)
    assert held is not None
    return lanes, held


@pytest.mark.parametrize("path", sorted(APP.glob("*/scripts/*.lua")), ids=lambda path: path.name)
def test_every_script_compiles_and_says_what_it_reads_and_costs(redis_client: Redis, path: Path) -> None:
    text = path.read_text()
    redis_client.script_load(scripts.source(path.relative_to(APP).as_posix()))
    assert text.startswith("-- ")
    if "\nlocal function" not in text:
        assert all(word in text for word in ("-- KEYS", "-- Answer", "-- Cost"))


# --- accept.lua ------------------------------------------------------------------------------------------


@quick
@given(
    steps=st.lists(
        st.one_of(st.tuples(st.just("accept"), st.integers(0, 5), st.integers(1, 60)), st.just(("take",))),
        max_size=25,
    ),
    cap=st.integers(1, 150),
)
def test_the_inbox_takes_pages_like_a_queue_with_a_cap(
    redis_client: Redis, steps: list[tuple[Any, ...]], cap: int
) -> None:
    redis_client.flushall()
    accept = scripts.load(redis_client, "cohorts/scripts/accept.lua")
    of = (keys.inbox, keys.inbox_meta, keys.inbox_waiting)
    key_names = [*(name(P) for name in of), keys.lane(P, "apply")]
    waiting: list[tuple[str, int]] = []
    wakes = accepted = 0
    for step in steps:
        if step[0] == "take":
            if waiting:
                digest, size = waiting.pop(0)
                ((entry_id, _),) = cast("Any", redis_client.xrange(keys.inbox(P), count=1))
                redis_client.xdel(keys.inbox(P), entry_id)
                redis_client.hdel(keys.inbox_waiting(P), digest)
                redis_client.hincrby(keys.inbox_meta(P), "bytes", -size)
            continue
        digest, size = str(step[1]), step[2]
        outcome, size_bytes, wake, entry_id = cast(
            "Any", accept(keys=key_names, args=[digest, "x" * size, size, cap])
        )
        if digest in dict(waiting):
            expected = 0
        elif waiting and sum(dict(waiting).values()) + size > cap:
            expected = -1
        else:
            expected = 1
            waiting.append((digest, size))
            accepted += 1
            wakes += wakes == 0
        assert outcome == expected
        assert size_bytes == sum(dict(waiting).values())
        assert wake == (1 if expected == 1 and accepted == 1 else 0)
        found = cast("Any", redis_client.xrange(keys.inbox(P), entry_id, entry_id)) if entry_id else []
        assert [fields[b"digest"].decode() for _, fields in found] == ([digest] if expected >= 0 else [])
    stored = cast("Any", redis_client.xrange(keys.inbox(P)))
    assert [(fields[b"digest"].decode(), len(fields[b"body"])) for _, fields in stored] == waiting


# --- read.lua --------------------------------------------------------------------------------------------


@quick
@given(
    present=st.sets(st.integers(0, 599), max_size=300),
    asked=st.lists(st.integers(0, 599), unique=True, max_size=600),
    buckets=st.integers(1, 20),
)
def test_entries_are_read_from_wherever_they_are(
    redis_client: Redis, present: set[int], asked: list[int], buckets: int
) -> None:
    redis_client.flushall()
    entries = {pack_id(f"u{number}"): Entry(now=True, epoch=number + 1) for number in present}
    pipeline = redis_client.pipeline()
    for packed_id, entry in entries.items():
        pipeline.hset(keys.bucket(P, "c", bucket_of(packed_id, buckets)), packed_id, pack_entry(entry))
    pipeline.execute()
    everybody = [pack_id(f"u{number}") for number in range(600)]
    for wanted in ([pack_id(f"u{number}") for number in asked], everybody):
        found = Membership(redis_client).entries(P, "c", buckets, wanted)
        assert found == {packed_id: entries.get(packed_id, Entry()) for packed_id in wanted}


# --- commit.lua ------------------------------------------------------------------------------------------


def commit_of(held: HeldLane, record: CohortRecord, people: str, entries: int = 1) -> Commit:
    commit = Commit(held, record)
    for person in people:
        commit.put(pack_id(person), pack_entry(Entry(now=True, epoch=1)))
    for _ in range(entries):
        commit.log.append(NewEntry("changes", "sync", "c", "VIP", "s", 1, entered=list(people)))
    commit.do(keys.inbox_meta(P), "HINCRBY", "applied", 1)
    return commit.seal()


def test_a_frozen_holder_that_wakes_up_after_a_takeover_writes_nothing(redis_client: Redis) -> None:
    lanes, frozen = hold(redis_client)
    redis_client.xadd(keys.inbox(P), {"digest": "1", "body": "{}"})
    redis_client.hset(keys.lane(P, "apply"), "lease", 0)
    wake = lanes.sweep(P, APPLY)
    committer = Committer(redis_client, lanes)
    for taken_over in (False, True):
        if taken_over:
            successor = lanes.start(P, "apply", wake)
            assert successor is not None
            assert successor.lost
        before = everything(redis_client)
        with pytest.raises(LaneLost):
            committer.run([commit_of(frozen, CohortRecord("c"), "abc")])
        with pytest.raises(LaneLost):
            frozen.renew()
        assert everything(redis_client) == before


def test_a_commit_of_another_step_writes_nothing(redis_client: Redis) -> None:
    lanes, held = hold(redis_client)
    committer = Committer(redis_client, lanes)
    committer.run([commit_of(held, CohortRecord("c", buckets=1), "abc")])
    before = everything(redis_client)
    for step in (0, 2):
        with pytest.raises(StaleStep):
            committer.run([commit_of(held, CohortRecord("c", step=step), "def")])
    assert everything(redis_client) == before


@quick
@given(
    steps=st.lists(
        st.tuples(st.sets(names), st.sets(names), st.integers(0, 3), st.booleans()), min_size=1, max_size=8
    ),
    buckets=st.integers(1, 5),
)
def test_commits_write_what_they_say_in_order(
    redis_client: Redis, steps: list[tuple[set[str], set[str], int, bool]], buckets: int
) -> None:
    redis_client.flushall()
    lanes, held = hold(redis_client)
    committer = Committer(redis_client, lanes)
    record = CohortRecord("c", buckets=buckets)
    committer.run([commit_of(held, record, "", entries=0)])
    members: set[str] = set()
    logged = 0
    for puts, drops, entries, ours in steps:
        commit = commit_of(held, record, "".join(sorted(puts)), entries)
        for person in drops - puts:
            commit.drop(pack_id(person))
        if not ours:
            commit.lane = HeldLane(P, "apply", str(int(held.token) - 1), lost=False, _lanes=lanes)
            with pytest.raises(LaneLost):
                committer.run([commit])
            record.step -= 1
            continue
        committer.run([commit])
        members = (members | puts) - (drops - puts)
        logged += entries
    assert set(Membership(redis_client).members(P, "c")) == members
    stored = cast("Any", redis_client.xrange(keys.log(P)))
    assert [entry_id for entry_id, _ in stored] == [b"%d-0" % each for each in range(1, logged + 1)]
    assert len({fields[b"generation"] for _, fields in stored}) <= 1
    state = cast("bytes | None", redis_client.hget(keys.lane(P, "profiles"), "state"))
    assert state == (b"queued" if logged else None)
