"""An erasure as the lanes that have a share in it see it, and how they say that theirs is done."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

import orjson
from redis import Redis

from app.erasure.person import Person
from app.lanes.lanes import HeldLane
from app.store import keys

DONE: Final = "did:"
"""Begins the name of the field in which a lane notes what its share came to."""

WAITING: Final = frozenset({b"erasing", b"compacting"})
"""States in which an erasure waits for lanes."""

Counts = Mapping[str, int]
"""How much of what a share took out, by a few stable names."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An erasure that waits for the lanes.

    Attributes:
        project_id: whose person.
        number: its number among the project's.
        ids: every distinct_id of the person that the relay knows of.
        state: `erasing` or `compacting`.
        done: the lanes that have done their share.
    """

    project_id: str
    number: int
    ids: tuple[str, ...]
    state: str
    done: frozenset[str]

    @property
    def key(self) -> str:
        """Where it is kept."""
        return keys.erasure(self.project_id, self.number)

    @property
    def person(self) -> Person:
        """Whom to look for."""
        return Person(self.ids)


def waiting(redis: Redis, project_id: str) -> list[Asked]:
    """Return the erasures that wait for lanes; nearly always none, at one look."""
    states = cast("Mapping[bytes, bytes]", redis.hgetall(keys.erasures_open(project_id)))
    numbers = sorted(int(number) for number, state in states.items() if state in WAITING)
    return [read(redis, project_id, number) for number in numbers]


def read(redis: Redis, project_id: str, number: int) -> Asked:
    """Read what is asked for."""
    stored = cast("Mapping[bytes, bytes]", redis.hgetall(keys.erasure(project_id, number)))
    names = [name.decode() for name in stored]
    done = frozenset(name.removeprefix(DONE) for name in names if name.startswith(DONE))
    ids = tuple(orjson.loads(stored.get(b"ids", b"[]")))
    return Asked(project_id, number, ids, stored.get(b"state", b"").decode(), done)


def note_done(lane: HeldLane, asked: Asked, counts: Counts, what: str = "") -> None:
    """Note that a lane's share is done (or `what` else it has to do), and what it came to.

    Raises:
        LaneLost: somebody else holds the lane; the share is done again.
    """
    lane.write(asked.key, "HSET", f"{DONE}{lane.name}{what}", encoded(counts))


def encoded(counts: Counts) -> bytes:
    """Encode what a share came to."""
    return orjson.dumps({name: number for name, number in counts.items() if number})
