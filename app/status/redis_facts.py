"""What a Redis says about itself, as far as it does: managed services forbid CONFIG and some of INFO."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from redis import Redis, ResponseError


@dataclass(frozen=True, slots=True)
class RedisFacts:
    """INFO, and the settings that matter; None where neither CONFIG nor INFO tells.

    Attributes:
        info: the fields of INFO.
        appendonly: whether it keeps an append-only file.
        appendfsync: how often that reaches the disk.
        maxmemory_policy: what it does when its memory is full.
    """

    info: Mapping[str, Any]
    appendonly: bool | None
    appendfsync: str | None
    maxmemory_policy: str | None

    @classmethod
    def read(cls, redis: Redis) -> "RedisFacts":
        """Ask INFO and CONFIG.

        Raises:
            RedisError: it cannot be asked at all.
        """
        info = _info(redis)
        found = {**_config(redis, "append*"), **_config(redis, "maxmemory-policy")}
        aof = info.get("aof_enabled")
        told = found.get("appendonly")
        return cls(
            info=info,
            appendonly=told == "yes" if told is not None else (None if aof is None else bool(aof)),
            appendfsync=found.get("appendfsync"),
            maxmemory_policy=found.get("maxmemory-policy") or info.get("maxmemory_policy"),
        )


@dataclass(frozen=True, slots=True)
class MemoryUse:
    """How much memory a Redis uses.

    Attributes:
        used_bytes: now.
        cap_bytes: at which it takes no more: its `maxmemory`, else the machine's memory.
        whose: which of these.
    """

    used_bytes: int
    cap_bytes: int
    whose: Literal["maxmemory", "the machine's memory"]

    @classmethod
    def of(cls, info: Mapping[str, Any]) -> "MemoryUse | None":
        """Read it in INFO; None where that does not tell."""
        used, limit = int(info.get("used_memory", 0)), int(info.get("maxmemory", 0))
        cap = limit or int(info.get("total_system_memory", 0))
        return cls(used, cap, "maxmemory" if limit else "the machine's memory") if used and cap else None

    @classmethod
    def read(cls, redis: Redis) -> "MemoryUse | None":
        """Ask for it; None where it is not told.

        Raises:
            RedisError: it cannot be asked at all.
        """
        return cls.of(_info(redis, "memory"))


def _info(redis: Redis, part: str | None = None) -> Mapping[str, Any]:
    try:
        info: Mapping[str, Any] = redis.info(part) if part else redis.info()
    except ResponseError:  # forbidden too; that it answers is known at least
        return {}
    return info


def _config(redis: Redis, pattern: str) -> dict[str, str]:
    try:
        answer: Mapping[Any, Any] = redis.config_get(pattern)
    except ResponseError:  # unknown command or no permission: the operator's choice, not a fault
        return {}
    return {_text(name): _text(value) for name, value in answer.items()}


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
