"""Tokens in a real Redis."""

from typing import Any

import pytest
import redis

from app.access.token import Token
from app.access.tokens import MOST_TOKENS, SHOWN_EXPIRED_MS, Tokens, TooManyTokens
from app.store import keys
from app.store.connection import connect
from tests.conftest import StartRedis

NOW_MS = 1_800_000_000_000
MINUTE_MS = 60_000


@pytest.fixture
def tokens(redis_client: redis.Redis) -> Tokens:
    return Tokens(redis_client)


def everything(client: redis.Redis) -> bytes:
    """All that Redis holds, as one text."""
    parts: list[bytes] = []
    for key in client.scan_iter():
        parts += [key, client.dump(key) or b""]
        if client.type(key) == b"hash":
            stored: Any = client.hgetall(key)
            parts += [*stored.keys(), *stored.values()]
    return b"\n".join(parts)


def test_a_token_is_found_by_its_text_and_by_nothing_else(tokens: Tokens) -> None:
    made, text = tokens.create("orders", ["ingest", "read"], NOW_MS, project_id="7", expires_ms=NOW_MS + 1)
    assert tokens.find(text.reveal()) == made
    assert (made.scopes, made.project_id, made.used_ms) == (("read", "ingest"), "7", None)
    assert tokens.find(text.reveal()[:-1] + "~") is None
    other = text.reveal()[:-1] + ("a" if text.reveal()[-1] != "a" else "b")
    assert tokens.find(other) is None
    assert tokens.find(f"crt_{made.id}_") is None
    assert tokens.find("") is None


def test_redis_never_holds_the_secret(tokens: Tokens, redis_client: redis.Redis) -> None:
    _, text = tokens.create("orders", ["admin"], NOW_MS)
    found = tokens.find(text.reveal())
    assert found
    tokens.note_use(found, NOW_MS)
    secret = text.reveal().rpartition("_")[2].encode()
    assert secret not in everything(redis_client)


def test_a_revoked_token_is_refused_at_once_and_leaves_nothing(
    tokens: Tokens, redis_client: redis.Redis
) -> None:
    made, text = tokens.create("orders", ["read"], NOW_MS)
    found = tokens.find(text.reveal())
    assert found
    assert tokens.revoke(made.id)
    assert tokens.find(text.reveal()) is None
    tokens.note_use(found, NOW_MS)  # a request that was let in just before
    assert redis_client.keys() == []
    assert not tokens.revoke(made.id)


def test_the_last_use_is_written_once_a_minute(tokens: Tokens, redis_client: redis.Redis) -> None:
    made, text = tokens.create("orders", ["read"], NOW_MS)

    def used(now_ms: int) -> int | None:
        found = tokens.find(text.reveal())
        assert found
        tokens.note_use(found, now_ms)
        (listed,) = tokens.all()
        return listed.used_ms

    assert used(NOW_MS) == NOW_MS
    assert used(NOW_MS + MINUTE_MS - 1) == NOW_MS
    assert used(NOW_MS + MINUTE_MS) == NOW_MS + MINUTE_MS
    assert redis_client.hget(keys.token(made.id), "name") == b"orders"


def test_the_last_use_is_no_reason_to_fail() -> None:
    away = Tokens(connect("redis://127.0.0.1:1/0"))
    with pytest.raises(redis.ConnectionError):
        away.all()
    away.note_use(Token("a" * 12, "n", ("read",), None, NOW_MS), NOW_MS)


def test_tokens_are_listed_the_oldest_first(tokens: Tokens) -> None:
    made = [tokens.create(f"t{number}", ["read"], NOW_MS - number)[0] for number in range(5)]
    assert tokens.all() == made[::-1]


def test_an_expired_token_is_shown_for_a_month_and_then_forgotten(
    tokens: Tokens, redis_client: redis.Redis
) -> None:
    made, text = tokens.create("old", ["read"], NOW_MS, expires_ms=NOW_MS + 1)
    at_ms: Any = redis_client.pttl(keys.token(made.id))
    now: Any = redis_client.time()
    assert abs(at_ms + now[0] * 1000 - (NOW_MS + 1 + SHOWN_EXPIRED_MS)) < 5_000
    assert tokens.find(text.reveal()) == made
    redis_client.delete(keys.token(made.id))  # as Redis does when the time has come
    assert tokens.all() == []
    assert redis_client.keys() == []


def test_there_may_be_a_thousand(tokens: Tokens, redis_client: redis.Redis) -> None:
    redis_client.sadd(keys.tokens(), *(f"id{number}" for number in range(MOST_TOKENS)))
    with pytest.raises(TooManyTokens):
        tokens.create("one more", ["read"], NOW_MS)


def test_where_memory_is_out_a_token_still_opens_the_door_and_its_use_is_noted(
    start_redis: StartRedis,
) -> None:
    server = start_redis()
    with server.client() as client:
        tokens = Tokens(client)
        _, text = tokens.create("orders", ["read"], NOW_MS)
        client.config_set("maxmemory", 1)
        found = tokens.find(text.reveal())
        assert found
        tokens.note_use(found, NOW_MS)
        assert tokens.all()[0].used_ms == NOW_MS
        with pytest.raises(redis.OutOfMemoryError):
            tokens.create("another", ["read"], NOW_MS)
