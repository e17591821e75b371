"""The embedded Redis keeps every write, is ours alone, and writes down who wrote its data."""

from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from app.local.redis_binary import written_by
from app.local.redis_server import EmbeddedRedis
from app.local.supervisor import Supervisor
from tests.ports import free_port

ENVIRON = {"PATH": "/usr/bin:/bin"}
SETTINGS = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction", "save": ""}


@pytest.fixture
def embedded(tmp_path: Path) -> EmbeddedRedis:
    return EmbeddedRedis(tmp_path / 'a "directory" with spaces', free_port(), "password-of-a-test")


def start(embedded: EmbeddedRedis, supervisor: Supervisor) -> None:
    supervisor.start(embedded.prepare(ENVIRON))
    assert supervisor.wait_until(embedded.ready, 20)


def test_it_persists_every_write_and_evicts_nothing(embedded: EmbeddedRedis, supervisor: Supervisor) -> None:
    start(embedded, supervisor)
    with redis.Redis.from_url(embedded.url, decode_responses=True) as client:
        assert {name: client.config_get(name)[name] for name in SETTINGS} == SETTINGS


def test_what_was_written_is_there_in_the_next_run(embedded: EmbeddedRedis, supervisor: Supervisor) -> None:
    start(embedded, supervisor)
    with redis.Redis.from_url(embedded.url) as client:
        client.set("key", "value")
    supervisor.stop_all()
    start(embedded, supervisor)
    with redis.Redis.from_url(embedded.url) as client:
        assert client.get("key") == b"value"


def test_it_is_not_open_to_others_on_the_machine(embedded: EmbeddedRedis, supervisor: Supervisor) -> None:
    start(embedded, supervisor)
    with _stranger(embedded.port) as client, pytest.raises(redis.AuthenticationError):
        client.ping()
    assert (embedded.directory / "redis.conf").stat().st_mode & 0o077 == 0


def test_the_server_that_wrote_the_data_is_written_down(
    embedded: EmbeddedRedis, supervisor: Supervisor
) -> None:
    start(embedded, supervisor)
    with redis.Redis.from_url(embedded.url) as client:
        version = client.info("server")["redis_version"]
    writer = written_by(embedded.directory)
    assert writer is not None
    assert ".".join(map(str, writer.version)) == version


def _stranger(port: int) -> redis.Redis:
    return redis.Redis(port=port, retry=Retry(NoBackoff(), 0))
