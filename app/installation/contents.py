"""A digest of what is stored, whatever server holds it and however that encodes it.

Equal contents have equal digests; the order in which keys and fields are met does not matter. Lifetimes are
not looked at: a copy that is some seconds younger is still the same.
"""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any, Final, cast

from redis import Redis

SCANNED: Final = 500
_STREAMED: Final = 20
_LISTED: Final = 200
_MODULUS: Final = 1 << 128


def digest(redis: Redis, key: bytes) -> int:
    """Return a number that stands for a key's name, type and contents; 0 for one that is not there."""
    kind = cast("bytes", redis.type(key.decode())).decode()
    if kind == "none":
        return 0
    parts = sum(_number(*part) for part in _parts(redis, key.decode(), kind)) % _MODULUS
    return _number(key, kind.encode(), parts.to_bytes(16, "big"))


def added(digests: Iterable[int]) -> int:
    """Return the digest of several keys."""
    return sum(digests) % _MODULUS


def _parts(redis: Redis, key: str, kind: str) -> Iterator[Iterable[bytes]]:
    """Give what a key holds, part by part, without a command that takes long."""
    if kind == "hash":
        yield from dict(redis.hscan_iter(key, count=SCANNED)).items()  # which may give some twice
    elif kind == "set":
        yield from ((member,) for member in set(redis.sscan_iter(key, count=SCANNED)))
    elif kind == "zset":
        scores = dict(redis.zscan_iter(key, count=SCANNED))
        yield from ((member, repr(score).encode()) for member, score in scores.items())
    elif kind == "list":
        for start in range(0, redis.llen(key), _LISTED):
            some = cast("list[bytes]", redis.lrange(key, start, start + _LISTED - 1))
            yield from ((b"%d" % (start + number), each) for number, each in enumerate(some))
    elif kind == "stream":
        yield from _entries(redis, key)
    else:
        yield (cast("bytes", redis.get(key)) or b"",)


def _entries(redis: Redis, key: str) -> Iterator[Iterable[bytes]]:
    after = "-"
    while True:
        some = cast("list[tuple[bytes, dict[bytes, bytes]]]", redis.xrange(key, after, count=_STREAMED))
        for entry_id, fields in some:
            yield (entry_id, *(part for pair in fields.items() for part in pair))
        if len(some) < _STREAMED:
            return
        after = f"({some[-1][0].decode()}"


def _number(*parts: Any) -> int:
    found = hashlib.blake2b(digest_size=16)
    for part in parts:
        found.update(len(part).to_bytes(8, "big"))
        found.update(part)
    return int.from_bytes(found.digest(), "big")
