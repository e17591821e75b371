"""What must hold between any two runs of the apply lane, checked against everything that is in Redis."""

import re
from collections import Counter
from typing import cast

import orjson
from redis import Redis

from app.cohorts import buckets
from app.cohorts.epochs import Attempt, Entry, Machine
from app.cohorts.packing import unpack_entry, unpack_id, unpack_ids
from app.cohorts.record import CohortRecord
from app.lanes.work import LANES, PROFILES
from app.store import keys
from tests.integration.cohorts.relay import SESSION_DAYS, P, Relay, replayed

Entries = dict[str, Entry]
RESYNCED = rf"cr:\{{{P}\}}:resync:(n|read|gone):[\d:]+"
"""What is kept of resyncs, those that have ended."""
FULL_BUCKET = 220
"""Linear hashing leaves buckets twice as full as others, and chance puts some more into one."""


def stored(redis: Redis, cohort_id: str) -> tuple[CohortRecord, Entries]:
    """Read a cohort whole, looking at every bucket that there is."""
    record = CohortRecord.from_hash(
        cohort_id, cast("dict[bytes, bytes]", redis.hgetall(keys.cohort(P, cohort_id)))
    )
    entries: Entries = {}
    for number in range(record.buckets):
        bucket = cast("dict[bytes, bytes]", redis.hgetall(keys.bucket(P, cohort_id, number)))
        if record.buckets >= buckets.wanted(record.entries):  # else a worker died before it split them
            assert len(bucket) <= FULL_BUCKET
        for packed_id, packed in bucket.items():
            assert unpack_id(packed_id) not in entries, "one member in two buckets"
            entries[unpack_id(packed_id)] = unpack_entry(packed)
    return record, entries


def check(relay: Relay) -> None:
    """Check all invariants; the lane must not be running."""
    cohort_ids = [each.decode() for each in cast("set[bytes]", relay.plain.smembers(keys.cohorts(P)))]
    for cohort_id in cohort_ids:
        record, entries = stored(relay.plain, cohort_id)
        check_counts(record, entries)
        check_lists(relay.plain, record, entries)
        members = frozenset(name for name, entry in entries.items() if entry.now)
        assert members == relay.members(cohort_id) == replayed(relay.log(), cohort_id)
    check_log(relay)
    check_keys(relay.plain, cohort_ids)


def check_counts(record: CohortRecord, entries: Entries) -> None:
    """Compare every count with what a look at all entries gives."""
    machine = record.machine
    assert machine.count == sum(entry.now for entry in entries.values())
    assert record.entries == len(entries)
    assert not any(entry.gone for entry in entries.values())
    for attempt in machine.attempts:
        for each in attempt.rounds:
            of_round = [entry for entry in entries.values() if entry.epoch == each.epoch]
            assert each.left == sum(entry.changed for entry in of_round)
            assert each.present == sum(entry.now for entry in of_round)


def check_lists(redis: Redis, record: CohortRecord, entries: Entries) -> None:
    """Every entry that an attempt's fall would change is on its list, unless the list was given up."""
    for attempt in record.machine.attempts:
        listed = _listed(redis, record.cohort_id, attempt)
        if not attempt.is_long():
            changed = {
                name for name, entry in entries.items() if entry.epoch in attempt.epochs and entry.changed
            }
            assert changed <= listed


def _listed(redis: Redis, cohort_id: str, attempt: Attempt) -> set[str]:
    joined = cast("list[bytes]", redis.lrange(keys.named(P, cohort_id, attempt.number), 0, -1))
    return {unpack_id(packed_id) for each in joined for packed_id in unpack_ids(each)}


def check_log(relay: Relay) -> None:
    """Nobody enters or exits twice in a row, and no number is missing."""
    log = relay.log()
    assert [entry.sequence for entry in log] == list(range(1, relay.changelog.end(P) + 1))
    present: set[tuple[str, str]] = set()
    for entry in log:
        assert entry.changes <= 250
        assert bool(entry.changes) == (entry.kind == "changes")
        entered = [(entry.cohort_id, distinct_id) for distinct_id, _ in entry.entered]
        exited = [(entry.cohort_id, distinct_id) for distinct_id in entry.exited]
        updated = [(entry.cohort_id, distinct_id) for distinct_id, _ in entry.updated]
        assert max(Counter(entered + exited + updated).values(), default=1) == 1
        assert present.issuperset(exited)
        assert present.issuperset(updated)
        if entry.cause in {"rename", "reasserted", "replay", "rules"}:
            assert present.issuperset(entered)
        else:
            assert present.isdisjoint(entered)
        present |= set(entered)
        present -= set(exited)


def check_drained(redis: Redis) -> None:
    """Nothing is left of the pages once all are applied."""
    assert int(cast("bytes | None", redis.hget(keys.inbox_meta(P), "bytes")) or 0) == 0
    assert redis.xlen(keys.inbox(P)) == 0
    assert not redis.exists(keys.inbox_waiting(P), keys.inbox_tries(P))
    overdue = cast("list[bytes]", redis.zrangebyscore(keys.due(P), 0, 1))
    assert overdue == []


def check_keys(redis: Redis, cohort_ids: list[str]) -> None:
    """Every key is one that `keys` documents, lives as long as it says there, and has a reason to be."""
    kept = {
        *(keys.lane(P, name) for name in LANES),
        *(each(P) for each in (keys.inbox, keys.inbox_meta, keys.inbox_waiting, keys.inbox_tries)),
        *(each(P) for each in (keys.cohorts, keys.trust, keys.due)),
        *(each(P) for each in (keys.rule_sets, keys.rules_meta, keys.rules_rung)),
        *(each(P) for each in (keys.log, keys.log_meta, keys.quarantine_counts)),
        *(each(P) for each in (keys.resync_numbers, keys.resyncs, keys.resyncs_open)),
        *(each(P) for each in (keys.resyncs_rung, keys.resyncs_due)),
        keys.destination(P, PROFILES.name),
    }
    under_way = cast("list[bytes]", redis.hvals(keys.resyncs_open(P)))
    kept |= {keys.resync(P, int(number)) for number in under_way}
    for cohort_id in cohort_ids:
        record, _ = stored(redis, cohort_id)
        kept |= {each(P, cohort_id) for each in (keys.cohort, keys.epochs, keys.sessions)}
        kept |= {keys.bucket(P, cohort_id, number) for number in range(record.buckets)}
        kept |= {keys.named(P, cohort_id, attempt.number) for attempt in record.machine.attempts}
        kept |= {keys.named(P, cohort_id, task.attempt) for task in record.machine.tasks}
    for key in (each.decode() for each in redis.scan_iter(count=1000)):
        lives_s = redis.ttl(key)
        if key in kept:
            assert lives_s == -1, key
        elif key in {keys.set_aside(P), keys.quarantine(P)} or re.fullmatch(RESYNCED, key):
            assert 0 < lives_s <= 31 * 86_400, key
        else:
            assert re.fullmatch(rf"cr:\{{{P}\}}:s:[^:]+:[^:]+(:pages)?", key), f"nobody documents {key}"
            assert 0 < lives_s <= SESSION_DAYS * 86_400, key


def plain(machine: Machine) -> object:
    """Return a machine's state but for what only the relay counts."""
    data = machine.to_json()
    for attempt in data["attempts"]:
        for name in ("entered", "exited", "updated", "shadows", "listed"):
            attempt[name] = 0
    return orjson.loads(orjson.dumps(data))
