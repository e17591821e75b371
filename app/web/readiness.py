"""Whether this relay may take pages: is what it acknowledges safe, and will somebody work on it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from redis import Redis, RedisError, ResponseError

from app.lanes.work import QUEUES
from app.web.faults import redis_word

# Workers and the clock give a sign of life every 5 s; six of them missing is no hiccup of a busy machine.
ALIVE_WITHIN_S: Final = 30.0
WORKER: Final = "worker"
CLOCK: Final = "clock"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at.

    Attributes:
        name: Stable name.
        ok: Whether it is as it must be.
        reason: What was found; when not ok, what to do about it.
    """

    name: str
    ok: bool
    reason: str


def check_all(
    redis: Redis, beats: Callable[[], Mapping[str, float]], *, allow_volatile: bool
) -> Iterator[Check]:
    """Look at everything that readiness depends on.

    Args:
        redis: The store.
        beats: Gives seconds since the last sign of life, by process name.
        allow_volatile: Accept a Redis that may lose what it was given (ALLOW_VOLATILE_REDIS).
    """
    try:
        info = _info(redis)
        policy = _Policy.read(redis, info)
        alive = beats()
    except RedisError as err:
        yield Check("redis", ok=False, reason=f"not reachable: {redis_word(err) or type(err).__name__}")
        return
    yield _writable(info)
    yield _persistent(policy, info, allow_volatile)
    yield _keeps(policy, allow_volatile)
    for queue in QUEUES:
        yield _living(f"{WORKER}-{queue}", [age_s for name, age_s in alive.items() if queue in _queues(name)])
    yield _living(CLOCK, [age_s for name, age_s in alive.items() if _role(name) == CLOCK])


@dataclass(frozen=True, slots=True)
class _Policy:
    """Redis's settings as far as they can be known; None where CONFIG is forbidden and INFO does not tell."""

    appendonly: bool | None
    appendfsync: str | None
    maxmemory_policy: str | None

    @classmethod
    def read(cls, redis: Redis, info: Mapping[str, Any]) -> "_Policy":
        """Ask CONFIG, which managed services forbid, and then INFO."""
        found = {**_config(redis, "append*"), **_config(redis, "maxmemory-policy")}
        aof = info.get("aof_enabled")
        told = found.get("appendonly")
        return cls(
            appendonly=told == "yes" if told is not None else (None if aof is None else bool(aof)),
            appendfsync=found.get("appendfsync"),
            maxmemory_policy=found.get("maxmemory-policy") or info.get("maxmemory_policy"),
        )


def _info(redis: Redis) -> Mapping[str, Any]:
    try:
        info: Mapping[str, Any] = redis.info()
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


def _writable(info: Mapping[str, Any]) -> Check:
    if info.get("loading"):
        return Check("redis", ok=False, reason="loading its data after a start; wait")
    if info.get("role") == "slave":
        return Check(
            "redis", ok=False, reason="a replica, which takes no writes: REDIS_URL must name the primary"
        )
    if info.get("aof_last_write_status", "ok") != "ok":
        return Check("redis", ok=False, reason="cannot write its append-only file: look at its disk")
    return Check("redis", ok=True, reason="reachable and writable")


def _persistent(policy: _Policy, info: Mapping[str, Any], allow_volatile: bool) -> Check:
    if policy.appendonly:
        found = f"append-only file on, appendfsync {policy.appendfsync or 'unknown (CONFIG is forbidden)'}"
        return Check("persistence", ok=True, reason=found)
    found = "append-only file off" if policy.appendonly is False else "unknown: CONFIG and INFO do not tell"
    if info.get("rdb_last_save_time") and info.get("rdb_saves"):
        found += ", snapshots only"
    return _volatile("persistence", found, "set appendonly yes", allow_volatile)


def _keeps(policy: _Policy, allow_volatile: bool) -> Check:
    found = f"maxmemory-policy {policy.maxmemory_policy or 'unknown'}"
    if policy.maxmemory_policy == "noeviction":
        return Check("eviction", ok=True, reason=found)
    return _volatile("eviction", found, "set maxmemory-policy noeviction", allow_volatile)


def _volatile(name: str, found: str, remedy: str, allow_volatile: bool) -> Check:
    if allow_volatile:
        return Check(name, ok=True, reason=f"{found}; accepted by ALLOW_VOLATILE_REDIS")
    return Check(name, ok=False, reason=f"{found}: acknowledged pages could be lost; {remedy}")


def _role(name: str) -> str:
    """Return what a process does: its name goes on with its machine, after an @."""
    return name.partition("@")[0]


def _queues(name: str) -> list[str]:
    """Return the queues that a worker serves; its role is `worker-` and their names, joined by dashes."""
    kind, *queues = _role(name).split("-")
    return queues if kind == WORKER else []


def _living(name: str, ages_s: list[float]) -> Check:
    living = [age_s for age_s in ages_s if age_s <= ALIVE_WITHIN_S]
    if living:
        return Check(name, ok=True, reason=f"{len(living)} alive, last sign {min(living):.0f} s ago")
    last = f"last sign {min(ages_s):.0f} s ago" if ages_s else "no sign of life"
    return Check(name, ok=False, reason=f"{last}: start the process; what arrives is kept meanwhile")
