"""Whether this relay may take pages: is what it acknowledges safe, and will somebody work on it."""

from collections.abc import Callable, Iterator, Mapping

from redis import Redis, RedisError

from app.status.checks import Check
from app.status.processes import all_living, processes
from app.status.redis_checks import keeps, persistent, writable
from app.status.redis_facts import RedisFacts
from app.store.faults import redis_word
from app.store.format import OtherFormatError


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
        facts = RedisFacts.read(redis)
        alive = processes(beats())
    except RedisError as err:
        found = f"not reachable: {redis_word(err) or type(err).__name__}"
        yield Check("redis", "fail", str(err) if isinstance(err, OtherFormatError) else found)
        return
    yield writable(facts)
    yield persistent(facts, allow_volatile=allow_volatile)
    yield keeps(facts, allow_volatile=allow_volatile)
    yield from all_living(alive)
