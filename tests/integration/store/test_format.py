"""The version of the stored state: marked once, looked at with each connection, never misread."""

from typing import Any

import pytest
from redis import Redis

from app.store import keys
from app.store.connection import connect
from app.store.faults import is_fault, redis_sentence
from app.store.format import FORMAT, OtherFormatError, StoredFormat
from tests.conftest import StartRedis

P = "7"


def client(url: str, *, marks: bool = True, needed: int = FORMAT) -> Redis:
    return connect(url, greet=StoredFormat([P], marks=marks, needed=needed).on_connect)


def test_a_redis_without_state_is_marked_by_the_first_process(redis_url: str, redis_client: Redis) -> None:
    with client(redis_url, needed=3) as process:
        process.ping()
    assert redis_client.get(keys.state_format()) == b"3"


def test_a_command_that_only_looks_leaves_no_mark(redis_url: str, redis_client: Redis) -> None:
    with client(redis_url, marks=False, needed=3) as command:
        command.ping()
    assert redis_client.keys("*") == []


@pytest.mark.parametrize("key", [keys.inbox_meta(P), keys.outbox_meta(P, "groups")])
def test_state_without_a_mark_is_of_the_first_version(redis_url: str, redis_client: Redis, key: str) -> None:
    redis_client.hset(key, "bytes", 0)
    with client(redis_url, needed=2) as newer, pytest.raises(OtherFormatError, match=r"version 1.*version 2"):
        newer.ping()
    assert redis_client.get(keys.state_format()) is None
    with client(redis_url, needed=1) as process:
        process.ping()
    assert redis_client.get(keys.state_format()) == b"1"


@pytest.mark.parametrize("mark", ["2", "0", "", "\xff", "a mark that goes on and on and on and on and on"])
def test_state_of_another_version_is_never_touched(redis_url: str, redis_client: Redis, mark: str) -> None:
    redis_client.set(keys.state_format(), mark)
    with client(redis_url, needed=1) as process:
        with pytest.raises(OtherFormatError) as refused:
            process.set("x", "y")
        assert not is_fault(refused.value)
        assert redis_client.get("x") is None
        redis_client.set(keys.state_format(), "1")
        assert process.set("x", "y")
    sentence = redis_sentence(refused.value, "redis://:hidden@127.0.0.1:1/0", "REDIS_URL")
    assert sentence.startswith("Redis at 127.0.0.1:1 (REDIS_URL) holds state of version ")
    assert "and this cohort-relay works with version 1: run the cohort-relay that wrote it" in sentence
    assert len(sentence) < 260


def test_it_is_looked_at_once_a_connection_not_once_a_command(redis_url: str, redis_client: Redis) -> None:
    redis_client.config_resetstat()
    with client(redis_url) as process:
        for _ in range(100):
            process.exists("x")
    stats: Any = redis_client.info("commandstats")
    assert stats["cmdstat_get"]["calls"] == 2  # without a mark: before and after it is set
    assert stats["cmdstat_exists"]["calls"] == 101
    assert stats["cmdstat_set"]["calls"] == 1


def test_a_process_that_finds_out_meanwhile_stays_away(redis_url: str, redis_client: Redis) -> None:
    stored = StoredFormat([P], marks=True)
    with connect(redis_url, greet=stored.on_connect) as process:
        stored.check(process)
        redis_client.set(keys.state_format(), FORMAT + 1)
        with pytest.raises(OtherFormatError):
            stored.check(process)
        with pytest.raises(OtherFormatError):
            process.exists("x")


def test_a_full_redis_without_state_can_be_looked_at(start_redis: StartRedis) -> None:
    server = start_redis()
    with server.client() as plain:
        plain.config_set("maxmemory", 1)
        with client(server.url) as process:
            assert process.ping()
        assert plain.get(keys.state_format()) is None
