"""What is stored in Redis, counted: keys and what they hold, by project and kind.

Everything is walked with SCAN and asked with commands of constant cost, so it may be done at any time. What
changes meanwhile may be counted or not.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

from redis import Redis

from app.store.keys import OF_NO_PROJECT, Place
from app.store.slices import slices

SCANNED: Final = 1_000
"""Keys that one SCAN looks at."""
ASKED: Final = 250
"""Keys that are asked about in one round trip."""
NO_PROJECT: Final = ""

KINDS: Final[Mapping[str, str]] = {
    "aside": "pages set aside",
    "budget": "budgets of requests",
    "c": "cohorts",
    "cohorts": "list of cohorts",
    "d": "destinations",
    "dead": "dead letters",
    "due": "cohorts that are due",
    "held": "who holds it",
    "identity": "identity links",
    "inbox": "inbox",
    "lane": "lanes",
    "log": "change log",
    "m": "members",
    "outbox": "outboxes",
    "quarantine": "quarantine",
    "resync": "resyncs",
    "resyncs": "lists of resyncs",
    "s": "syncs",
    "size-limit": "learned size limit",
    "trust": "what the sender has proven",
    "waiting": "waiting rooms",
}
"""What the first words of key names stand for, where that does not say it."""

_PROJECT_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_LENGTH: Final = {b"hash": "HLEN", b"stream": "XLEN", b"set": "SCARD", b"zset": "ZCARD", b"list": "LLEN"}

Seen = Callable[[int], None]
"""Says that so many more keys were counted."""


@dataclass(frozen=True, slots=True)
class Amount:
    """How much there is: keys, and entries in them (fields, members, letters; a string is one)."""

    keys: int = 0
    entries: int = 0

    def __add__(self, other: "Amount") -> "Amount":
        """Add up."""
        return Amount(self.keys + other.keys, self.entries + other.entries)


Amounts = Mapping[str, Amount]
"""By kind, in the order of their names."""


def is_project_id(text: str) -> bool:
    """Say whether a text can be a project's id."""
    return _PROJECT_ID.fullmatch(text) is not None and text not in OF_NO_PROJECT


def total(amounts: Amounts) -> Amount:
    """Add up all kinds."""
    return sum(amounts.values(), Amount())


def scan(redis: Redis, project_id: str | None = None) -> Iterator[list[bytes]]:
    """Give the keys of a project, or all of ours, in portions; what is there all the time at least once."""
    if project_id is not None and not is_project_id(project_id):
        raise ValueError("no project's id")  # it could match the keys of others
    cursor = 0
    while True:
        cursor, found = cast(
            "tuple[int, list[bytes]]", redis.scan(cursor, match=Place.pattern(project_id), count=SCANNED)
        )
        if found:
            yield found
        if not cursor:
            return


def count(redis: Redis, project_id: str | None = None, seen: Seen | None = None) -> dict[str, Amounts]:
    """Count what is stored.

    Args:
        redis: where.
        project_id: only this project's.
        seen: told of progress.

    Returns:
        The amounts by project; under an empty id what is of no project.
    """
    found: dict[str, dict[str, Amount]] = defaultdict(lambda: defaultdict(Amount))
    known: set[bytes] = set()  # SCAN may give a key twice while Redis's table grows or shrinks
    for some in scan(redis, project_id):
        new = [key for key in dict.fromkeys(some) if key not in known]
        known.update(new)
        for key, entries in zip(new, _lengths(redis, new), strict=True):
            place = Place.of(key)
            if place and entries is not None:
                found[place.project_id][place.kind] += Amount(1, entries)
        if seen:
            seen(len(new))
    return {project: dict(sorted(kinds.items())) for project, kinds in sorted(found.items())}


def stored_projects(redis: Redis) -> set[str]:
    """Return the ids of all projects of which there is anything."""
    places = (Place.of(key) for some in scan(redis) for key in some)
    return {place.project_id for place in places if place and place.project_id}


def _lengths(redis: Redis, names: Sequence[bytes]) -> Iterator[int | None]:
    """Say how many entries each key holds; None for one that has gone."""
    for some in slices(names, ASKED):
        pipeline = redis.pipeline(transaction=False)
        for name in some:
            pipeline.type(name)
        kinds = cast("list[bytes]", pipeline.execute())
        for name, kind in zip(some, kinds, strict=True):
            if command := _LENGTH.get(kind):
                pipeline.execute_command(command, name)  # type: ignore[no-untyped-call]  # redis-py leaves it so
        lengths = iter(cast("list[int | Exception]", pipeline.execute(raise_on_error=False)))
        for kind in kinds:
            length = next(lengths) if kind in _LENGTH else 1
            yield None if kind == b"none" or isinstance(length, Exception) else length
