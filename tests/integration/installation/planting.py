"""Plant a project: something under every key name that there is."""

import inspect
from collections.abc import Callable, Iterator
from typing import Any, cast

from redis import Redis

from app.store import keys

OF_PROJECT: dict[str, Callable[..., str]] = {
    name: function
    for name, function in inspect.getmembers(keys, inspect.isfunction)
    if not name.startswith("_")
    and function.__module__ == keys.__name__
    and "project_id" in inspect.signature(function).parameters
}
WORDS = ("7", "a:b é", "apply")


def planted(redis: Redis, project_id: str, *, but: tuple[str, ...] = ("leaving",)) -> set[bytes]:
    """Write something of the documented type under each name, for several ids; return the keys."""
    names = set()
    for function_name, function in OF_PROJECT.items():
        if function_name not in but:
            for key in set(_names(function, project_id)):
                _write(redis, key, cast("str", inspect.getdoc(function)))
                names.add(key.encode())
    return names


def everything(redis: Redis) -> dict[bytes, bytes]:
    """Return all there is, in Redis's own form."""
    return {key: cast("bytes", redis.dump(key)) for key in redis.scan_iter(count=1000)}


def _names(function: Callable[..., str], project_id: str) -> Iterator[str]:
    parameters = list(inspect.signature(function).parameters.values())[1:]
    for number, word in enumerate(WORDS):
        arguments: list[Any] = [
            number if parameter.annotation in (int, "int") else word for parameter in parameters
        ]
        yield function(project_id, *arguments)


def _write(redis: Redis, key: str, told: str) -> None:
    kind = told.split(maxsplit=1)[0].rstrip(":").lower()
    if told.startswith("Sorted set"):
        redis.zadd(key, {"one": 1, "two": 2})
    elif kind == "hash":
        redis.hset(key, mapping={"one": "1", "two": "2"})
    elif kind == "stream":
        redis.xadd(key, {"data": "x"}, id="1-0")
    elif kind == "set":
        redis.sadd(key, "one", "two")
    elif kind == "list":
        redis.rpush(key, "one", "two")
    else:
        redis.set(key, "1")
