"""The tokens that there are, in Redis."""

import hmac
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final, cast

from redis import Redis, RedisError

from app.access.scopes import in_order
from app.access.token import Token, digest_of, id_of, make, make_text, mark_of, matches
from app.store import keys, scripts
from config.secret import Secret

MOST_TOKENS: Final = 1_000
USED_EVERY_MS: Final = 60_000
# An expired token is still shown for so long, so that whoever wonders why it is refused finds out.
SHOWN_EXPIRED_MS: Final = 30 * 24 * 3_600_000


class TooManyTokens(Exception):  # noqa: N818 - a state, not a mistake of the caller
    """There are as many tokens as there may be; some must be revoked first."""


class Tokens:
    """Makes, finds and revokes tokens."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._used = scripts.load(redis, "access/scripts/used.lua")
        self._rotate = scripts.load(redis, "access/scripts/rotate.lua")

    def create(
        self,
        name: str,
        scopes: Iterable[str],
        now_ms: int,
        *,
        project_id: str | None = None,
        expires_ms: int | None = None,
    ) -> tuple[Token, Secret]:
        """Make a token; its text is told here and never again.

        Args:
            name: for people.
            scopes: one or more.
            now_ms: the time.
            project_id: the only project that it shall reach; None for all.
            expires_ms: from when on it is refused; None for never.

        Raises:
            TooManyTokens: there are a thousand.
        """
        if self._redis.scard(keys.tokens()) >= MOST_TOKENS:
            raise TooManyTokens
        token_id, text = make()
        token = Token(token_id, name, in_order(scopes), project_id, now_ms, expires_ms)
        with self._redis.pipeline() as pipeline:
            pipeline.hset(keys.token(token_id), mapping=_encode(token, digest_of(text.reveal())))
            if expires_ms is not None:
                pipeline.pexpireat(keys.token(token_id), expires_ms + SHOWN_EXPIRED_MS)
            pipeline.execute()
        # After the hash: an id without one is that of a token that is gone, and is dropped.
        self._redis.sadd(keys.tokens(), token_id)
        return token, text

    def find(self, text: str) -> Token | None:
        """Return the token with this text, expired or not; None if there is none."""
        token_id = id_of(text)
        if token_id is None:
            return None
        return self._find(token_id, lambda digest: matches(text, digest))

    def recall(self, token_id: str, mark: str) -> Token | None:
        """Return the token that a session was begun with, expired or not; None if it is no more.

        Args:
            token_id: which.
            mark: of the secret that it had, by `mark_of`. One that rotating has put an end to is no more.
        """
        return self._find(token_id, lambda digest: hmac.compare_digest(mark_of(digest), mark))

    def _find(self, token_id: str, matching: Callable[[bytes], bool]) -> Token | None:
        stored = cast("dict[bytes, bytes]", self._redis.hgetall(keys.token(token_id)))
        if matching(stored.get(b"digest", b"")):
            return _decode(token_id, stored)
        if matching(stored.get(b"old_digest", b"")):
            return _by_old(_decode(token_id, stored))
        return None

    def rotate(self, token_id: str, old_until_ms: int) -> Secret | None:
        """Give a token another secret, which is told here and never again; None where there is no such token.

        Args:
            token_id: which.
            old_until_ms: until when the secret that it has is valid. One from before that is so no longer.
        """
        text = make_text(token_id)
        done = self._rotate(keys=[keys.token(token_id)], args=[digest_of(text.reveal()), old_until_ms])
        return text if done else None

    def get(self, token_id: str) -> Token | None:
        """Return the token with this id, expired or not; None if there is none."""
        stored = cast("dict[bytes, bytes]", self._redis.hgetall(keys.token(token_id)))
        return _decode(token_id, stored) if stored else None

    def note_use(self, token: Token, now_ms: int) -> None:
        """Remember that a token is used: once a minute at most, and only if Redis lets us."""
        name, used_ms = ("old_used_ms", token.old_used_ms) if token.by_old else ("used_ms", token.used_ms)
        if used_ms is None or now_ms - used_ms >= USED_EVERY_MS:
            with suppress(RedisError):
                self._used(keys=[keys.token(token.id)], args=[now_ms, name])

    def all(self) -> list[Token]:
        """Return every token, the oldest first."""
        ids = [each.decode() for each in cast("set[bytes]", self._redis.smembers(keys.tokens()))]
        pipeline = self._redis.pipeline(transaction=False)
        for token_id in ids:
            pipeline.hgetall(keys.token(token_id))
        stored = dict(zip(ids, pipeline.execute(), strict=True))
        gone = [token_id for token_id, fields in stored.items() if not fields]
        if gone:
            self._redis.srem(keys.tokens(), *gone)
        found = (_decode(token_id, fields) for token_id, fields in stored.items() if fields)
        return sorted(found, key=lambda token: (token.created_ms, token.id))

    def revoke(self, token_id: str) -> bool:
        """Refuse a token from now on, for good; say whether there was one."""
        there_was = bool(self._redis.delete(keys.token(token_id)))
        self._redis.srem(keys.tokens(), token_id)
        return there_was


def _encode(token: Token, digest: bytes) -> dict[Any, Any]:
    fields: dict[str, str | bytes | int | None] = {
        "digest": digest,
        "name": token.name,
        "scopes": " ".join(token.scopes),
        "project": token.project_id,
        "created_ms": token.created_ms,
        "expires_ms": token.expires_ms,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _decode(token_id: str, stored: dict[bytes, bytes]) -> Token:
    held = stored[b"scopes"].decode().split()
    project_id = stored.get(b"project")
    return Token(
        id=token_id,
        name=stored[b"name"].decode(),
        scopes=in_order(held),
        project_id=project_id.decode() if project_id is not None else None,
        created_ms=int(stored[b"created_ms"]),
        expires_ms=_optional(stored.get(b"expires_ms")),
        used_ms=_optional(stored.get(b"used_ms")),
        old_until_ms=_optional(stored.get(b"old_until_ms")),
        old_used_ms=_optional(stored.get(b"old_used_ms")),
    )


def _by_old(token: Token) -> Token:
    """Return a token as its old secret opens it: it expires with that."""
    ends = [end for end in (token.old_until_ms, token.expires_ms) if end is not None]
    return replace(token, expires_ms=min(ends), by_old=True)


def _optional(value: bytes | None) -> int | None:
    return None if value is None else int(value)
