"""Backups of the embedded Redis come back; an older state is upgraded behind one."""

import io
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis import Redis

from app.installation.backup import save
from app.local import credentials, upgrade
from app.local.console import Console
from app.local.errors import LocalError
from app.local.lock import RunLock
from app.local.redis_server import EmbeddedRedis
from app.local.restore import Restore
from app.local.supervisor import Supervisor
from app.store import keys
from app.store.upgrading import Migration, Upgrading
from config.settings import load_settings
from tests.integration.cli.relay import SHOP, environment
from tests.ports import free_port

ENVIRON = {"PATH": os.environ["PATH"]}


@pytest.fixture
def var(tmp_path: Path) -> Path:
    (tmp_path / "var" / "log").mkdir(parents=True)
    return tmp_path / "var"


@contextmanager
def running(var: Path) -> Iterator[tuple[EmbeddedRedis, Redis]]:
    """The embedded Redis of a demo, as `make run` has it."""
    password = credentials.load_or_create(var / "demo.env")["EMBEDDED_REDIS_PASSWORD"]
    embedded = EmbeddedRedis(var / "redis-demo", free_port(), password)
    with Supervisor(var, var / "log", lambda *_: None) as supervisor:
        supervisor.start(embedded.prepare(ENVIRON))
        assert supervisor.wait_until(embedded.ready, 20)
        with Redis.from_url(embedded.url) as redis:
            yield embedded, redis
        supervisor.stop_all()


def restore(var: Path, backup: Path) -> str:
    printed = io.StringIO()
    Restore(ENVIRON, var, Console(printed, colour=False)).run(backup)
    return printed.getvalue()


def test_a_backup_comes_back_with_an_append_only_file_and_a_new_generation(var: Path) -> None:
    backup = var.parent / "backups" / "one.rdb"
    with running(var) as (_, redis):
        redis.set("when", "before")
        redis.hset(keys.log_meta(SHOP), "generation", "g")
        save(redis, backup)
        redis.set("when", "after")
    assert backup.stat().st_mode & 0o077 == 0
    assert "What there was is in" in restore(var, backup)
    with running(var) as (embedded, redis):
        assert redis.get("when") == b"before"
        assert redis.hget(keys.log_meta(SHOP), "generation") not in (b"g", None)
        assert not (embedded.directory / "dump.rdb").exists()
        assert (embedded.directory / "redis.conf").exists()
    (aside,) = var.glob("redis-demo.before-*")
    aside.rename(var / "moved")
    (var / "redis-demo").rename(var / "away")
    (var / "moved").rename(var / "redis-demo")
    with running(var) as (_, redis):
        assert redis.get("when") == b"after"


@pytest.mark.parametrize("content", [None, b"", b"text", b"REDIS0009 and then nothing of the kind"])
def test_what_is_no_backup_leaves_everything_as_it_was(var: Path, content: bytes | None) -> None:
    with running(var) as (_, redis):
        redis.set("when", "before")
    backup = var.parent / "wrong.rdb"
    if content is not None:
        backup.write_bytes(content)
    with pytest.raises(LocalError):
        restore(var, backup)
    with running(var) as (_, redis):
        assert redis.get("when") == b"before"
    assert not list(var.glob("redis-demo.before-*"))


def test_it_waits_for_no_run_and_takes_no_redis_of_others(var: Path) -> None:
    backup = var.parent / "a.rdb"
    backup.write_bytes(b"REDIS0009")
    lock = RunLock(var / "lock")
    lock.acquire()
    with pytest.raises(LocalError, match="Another run"):
        restore(var, backup)
    lock.release()
    with pytest.raises(LocalError, match="REDIS_URL is set"):
        Restore(
            {**ENVIRON, "REDIS_URL": "redis://127.0.0.1:1"}, var, Console(io.StringIO(), colour=False)
        ).run(backup)


def test_older_state_is_upgraded_at_the_start_behind_a_backup(
    var: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed: list[bytes] = []

    def change(_: Redis, names: Sequence[bytes]) -> int:
        changed.extend(names)
        return 1

    def made(redis: Redis, ids: list[str], name: str) -> Upgrading:
        return Upgrading(redis, ids, name, needed=2, migrations=[Migration(2, "a change", change)])

    monkeypatch.setattr(upgrade, "Upgrading", made)
    said: list[str] = []
    with running(var) as (embedded, redis):
        redis.hset(keys.inbox_meta(SHOP), "bytes", 0)
        redis.set(keys.state_format(), 1)
        settings = load_settings(environment(embedded.url))
        upgrade.upgrade_state(embedded, settings, var / "backups", said.append)
        assert redis.get(keys.state_format()) == b"2"
        upgrade.upgrade_state(embedded, settings, var / "backups", said.append)
    assert keys.inbox_meta(SHOP).encode() in changed
    assert len(said) == 3
    (backup,) = (var / "backups").iterdir()
    restore(var, backup)
    with running(var) as (_, redis):
        assert redis.get(keys.state_format()) == b"1"
