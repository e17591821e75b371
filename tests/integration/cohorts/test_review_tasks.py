"""What follows a sync: who entered is told again behind the exits; the log is trimmed behind its readers."""

import pytest

from app.cohorts.changelog import TRIM_AT_ONCE, ChangeLog
from app.lanes.work import PROFILES
from app.store import keys
from tests.integration.cohorts.relay import P, Relay
from tests.integration.cohorts.scale import scaled_down
from tests.model.wire import SentPage
from tests.redis_server import RedisServer


@pytest.mark.parametrize("list_limit", [100_000, 4])
def test_who_entered_is_told_again_however_many_a_full_list_removes(
    redis_server: RedisServer, list_limit: int
) -> None:
    redis_server.flush()
    relay = Relay(redis_server)
    devices = tuple(f"$device:{number}" for number in range(6))
    with scaled_down(chunk=2, load=2, list_limit=list_limit):
        relay.send(SentPage("0", "members", 1, 1, (*devices, "k"), 0.0))
        relay.send(SentPage("1", "members", 1, 1, ("k", "U1", "U2"), 1800.0))
    again = [member for entry in relay.log() if entry.cause == "reasserted" for member, _ in entry.entered]
    assert sorted(again) == ["U1", "U2"]
    relay.close()


@pytest.mark.parametrize("read", [0, 1, 50, TRIM_AT_ONCE * 3 + 7])
def test_the_log_keeps_what_is_not_read_and_the_newest(redis_server: RedisServer, read: int) -> None:
    redis_server.flush()
    relay = Relay(redis_server)
    keep = 50
    changelog = ChangeLog(relay.plain, relay.lanes, keep_entries=keep)
    total = TRIM_AT_ONCE * 4
    for _ in range(total):
        changelog.append(P, "batch.dead_lettered", {})
    relay.plain.hset(keys.destination(P, PROFILES.name), "cursor", read)
    changelog.trim(P)
    kept = [entry.sequence for entry in relay.log()]
    assert kept == list(range(min(read, total - keep) + 1, total + 1))
    changelog.trim(P)
    assert len(relay.log()) == len(kept)
    relay.close()


def test_a_sync_begins_in_the_log_before_what_it_changes_and_ends_behind_it(
    redis_server: RedisServer,
) -> None:
    redis_server.flush()
    relay = Relay(redis_server)
    relay.send(SentPage("0", "members", 1, 1, ("a", "b"), 0.0))
    relay.send(SentPage("1", "add_members", 1, 2, ("c",), 1800.0))
    relay.send(SentPage("2", "members", 1, 1, ("a", "d"), 3600.0))
    kinds = [(entry.session_id, entry.kind) for entry in relay.log() if entry.cause == "sync"]
    assert [each for each in kinds if each[0] in {"0", "1"}] == [
        ("0", "sync.started"),
        ("0", "changes"),
        ("0", "sync.completed"),
        ("1", "sync.started"),
        ("1", "changes"),
        ("1", "sync.superseded"),
    ]
    last = [kind for session, kind in kinds if session == "2"]
    assert (last[0], last[1], last[-1]) == ("sync.started", "changes", "sync.completed")
    relay.close()
