"""`flask state`, over a real Redis: what it finds wrong, and what it says it did."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from redis import Redis

from app.cli import state
from app.store import keys
from app.store.upgrading import Migration, Upgrading
from tests.integration.cli.relay import SHOP, Relay


@pytest.fixture
def filled(relay: Relay) -> Relay:
    relay.accept("members", *(f"u{number}" for number in range(300)))
    relay.run_lane("apply")
    relay.accept("add_members", "x", session="s2")
    return relay


LOSSES: dict[str, Callable[[Redis], object]] = {
    "inbox": lambda redis: redis.delete(keys.inbox_waiting(SHOP)),
    "change log": lambda redis: redis.delete(keys.log(SHOP)),
    "change log, its count": lambda redis: redis.hset(keys.log_meta(SHOP), "sequence", 1),
    "cohorts": lambda redis: redis.delete(keys.bucket(SHOP, "7", 0)),
    "outbox events": lambda redis: redis.hset(keys.outbox_meta(SHOP, "events"), "sequence", 7),
}


def test_what_fits_together_is_fine_also_while_pages_wait(filled: Relay) -> None:
    assert filled.json("state", "check")["ok"]
    assert "checks are fine" in filled.flask("state", "check").output


@pytest.mark.parametrize("name", LOSSES)
def test_what_is_lost_is_found(filled: Relay, name: str) -> None:
    LOSSES[name](filled.services.redis)
    checks = filled.json("state", "check", status=1)["checks"]
    assert [each["name"] for each in checks if each["verdict"] == "fail"] == [name.split(",", maxsplit=1)[0]]


def test_a_destination_that_has_read_more_than_there_is_is_found(filled: Relay) -> None:
    filled.services.redis.hset(keys.destination(SHOP, "profiles"), "cursor", 99)
    (wrong,) = [
        each for each in filled.json("state", "check", status=1)["checks"] if each["verdict"] == "fail"
    ]
    assert "has read 99" in wrong["found"]


def test_entries_that_are_missing_before_they_were_read_are_found(filled: Relay) -> None:
    redis = filled.services.redis
    redis.xtrim(keys.log(SHOP), minid="3-0", approximate=False)
    (wrong,) = [
        each for each in filled.json("state", "check", status=1)["checks"] if each["verdict"] == "fail"
    ]
    assert "1 to 2 are missing" in wrong["found"]
    redis.hset(keys.destination(SHOP, "profiles"), "cursor", 2)
    assert filled.json("state", "check")["ok"]


def test_after_a_restore_nothing_may_be_at_work(filled: Relay) -> None:
    filled.beat("clock")
    assert "At work: clock@" in filled.json("state", "restored", "--yes", status=1)["problems"][0]


def test_after_a_restore_cohorts_are_in_doubt_and_that_is_in_the_audit_log(filled: Relay) -> None:
    result = filled.flask("state", "restored", "--yes")
    assert result.exit_code == 0
    assert filled.json("cohorts", "show", "7")["cohort"]["suspect"]
    (entry, *_), _ = filled.services.audit.page()
    assert (entry.entry.action, entry.entry.counts) == ("flask state restored", {"cohorts": 1, "projects": 1})
    first = filled.services.redis.hget(keys.log_meta(SHOP), "generation")
    (told,) = filled.json("state", "restored", "--yes")["projects"]
    assert (told["before"].encode(), told["doubted"]) == (first, 0)


def test_a_reconcile_of_each_cohort_can_be_asked_for(filled: Relay) -> None:
    account = {
        "MIXPANEL_SERVICE_ACCOUNT_USERNAME": "a.mp-service-account",
        "MIXPANEL_SERVICE_ACCOUNT_SECRET": "a-secret-of-a-test",
    }
    (without,) = filled.json("state", "restored", "--yes", "--reconcile")["projects"]
    assert without["reconciles"] == 0
    with_account = Relay({**filled.environ, **account})
    (told,) = with_account.json("state", "restored", "--yes", "--reconcile")["projects"]
    with_account.close()
    assert told["reconciles"] == 1
    assert filled.services.redis.hlen(keys.resyncs_open(SHOP)) == 1


def test_state_of_the_present_version_needs_no_upgrade(filled: Relay) -> None:
    assert "nothing to do" in filled.flask("state", "upgrade", "--yes").output


def test_an_upgrade_is_shown_first_and_done_when_that_is_said(
    filled: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bytes] = []

    def change(_: Redis, names: Sequence[bytes]) -> int:
        seen.extend(names)
        return len(names)

    def made(redis: Redis, ids: list[str], name: str) -> Upgrading:
        return Upgrading(redis, ids, name, migrations=[Migration(1, "nothing, really", change)])

    monkeypatch.setattr(state, "Upgrading", made)
    filled.services.redis.set(keys.state_format(), "0")
    told = filled.json("state", "upgrade")
    assert (told["ahead"], told["done"]) == ([{"to": 1, "what": "nothing, really"}], False)
    assert filled.services.redis.get(keys.state_format()) == b"0"
    told = filled.json("state", "upgrade", "--yes")
    assert told["changed"] == len(seen) > 10
    assert filled.services.redis.get(keys.state_format()) == b"1"
    (entry, *_), _ = filled.services.audit.page()
    assert entry.entry.action == "flask state upgrade"


def test_state_that_there_is_no_way_from_is_told_of(filled: Relay) -> None:
    filled.services.redis.set(keys.state_format(), "9")
    assert "version 9" in filled.json("state", "upgrade", "--yes", status=1)["problems"][0]


@pytest.mark.parametrize("url", ["127.0.0.1:6379", "redis://127.0.0.1:1/0"])
def test_a_redis_that_cannot_be_compared_with_is_told_of(filled: Relay, url: str) -> None:
    result = filled.flask("state", "compare", url)
    assert result.exit_code in (1, 2)
    assert "URL" in result.output


def test_where_nothing_is_stored_that_is_said(relay: Relay) -> None:
    told = relay.json("state", "check")
    assert [each["name"] for each in told["checks"] if each["verdict"] == "warn"] == ["state"]


def test_a_backup_is_written_and_none_is_overwritten(filled: Relay, tmp_path: Path) -> None:
    file = tmp_path / "backups" / "one.rdb"
    told = filled.json("state", "backup", str(file))
    assert told["bytes"] == file.stat().st_size > 1_000
    assert file.read_bytes().startswith(b"REDIS")
    assert file.stat().st_mode & 0o077 == 0
    assert list(file.parent.iterdir()) == [file]
    assert "already" in filled.json("state", "backup", str(file), status=1)["problems"][0]
    assert not Path(str(filled.services.redis.config_get("dir")["dir"]), "dump.rdb").exists()
    (tmp_path / "file").touch()
    wrong = filled.json("state", "backup", str(tmp_path / "file" / "one.rdb"), status=1)
    assert "cannot be written" in wrong["problems"][0]
