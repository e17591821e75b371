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
