"""Which entries of the log hold anything of a person."""

from collections.abc import Callable
from typing import Final, cast

from redis import Redis

from app.erasure.person import Person
from app.store import keys

_ENTRIES_AT_ONCE: Final = 50


def named_in_log(redis: Redis, project_id: str, person: Person, keep: Callable[[], None]) -> list[int]:
    """Return the sequences of the entries that hold anything of the person.

    Args:
        redis: where.
        project_id: whose log.
        person: whom to look for.
        keep: called now and then, to hold the lane.
    """
    key, found, after = keys.log(project_id), list[int](), "-"
    while True:
        some = cast(
            "list[tuple[bytes, dict[bytes, bytes]]]", redis.xrange(key, min=after, count=_ENTRIES_AT_ONCE)
        )
        for id_, stored in some:
            after = f"({id_.decode()}"
            if any(person.is_in(value) for value in stored.values()):
                found.append(int(id_.split(b"-")[0]))
        keep()
        if len(some) < _ENTRIES_AT_ONCE:
            return found
