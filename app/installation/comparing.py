"""Compare what two servers hold: after a move, and of a backup with what it was made of."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from redis import Redis

from app.installation.contents import added, digest
from app.installation.stored import Amount, Seen, count, scan
from app.store.keys import Place

PASSING: Final = frozenset({"budget", "clock", "heartbeats", "logins", "metrics", "upgrade", "upgrade-lock"})
"""Kinds that change by themselves, or that end by themselves, and of which a copy need not have the same."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What two servers hold of a kind; `here` and `there` differ unless the contents alone do.

    Attributes:
        project_id: whose; empty for what is of no project.
        kind: the first word of the keys' names.
        here, there: how much each holds.
        contents: whether it is as much, but not the same; None if that was not looked at.
    """

    project_id: str
    kind: str
    here: Amount
    there: Amount
    contents: bool | None = None


def compare(
    here: Redis, there: Redis, *, contents: bool = False, seen: Seen | None = None
) -> list[Difference]:
    """Return what differs, of everything but what passes by itself.

    Args:
        here: the one; nothing may be at work on either, or what changes meanwhile differs.
        there: the other.
        contents: read everything, too; a second or so for every ten thousand keys.
        seen: told of keys that were looked at.
    """
    one, two = count(here, seen=seen), count(there, seen=seen)
    found = []
    for project_id, kind in sorted(
        {(each, kind) for side in (one, two) for each in side for kind in side[each]}
    ):
        ours, theirs = (side.get(project_id, {}).get(kind, Amount()) for side in (one, two))
        if kind not in PASSING and ours != theirs:
            found.append(Difference(project_id, kind, ours, theirs))
    if contents:
        differing = {(each.project_id, each.kind) for each in found}
        sums = [_digests(side, seen) for side in (here, there)]
        for place in sorted({*sums[0], *sums[1]} - differing):
            if sums[0].get(place) != sums[1].get(place):
                amount = one[place[0]][place[1]]
                found.append(Difference(*place, amount, amount, contents=True))
    return found


def _digests(redis: Redis, seen: Seen | None) -> dict[tuple[str, str], int]:
    """Return the digest of each kind of each project."""
    found: dict[tuple[str, str], int] = {}
    for key in _once(redis):
        place = Place.of(key)
        if place and place.kind not in PASSING:
            of = (place.project_id, place.kind)
            found[of] = added((found.get(of, 0), digest(redis, key)))
            if seen:
                seen(1)
    return found


def _once(redis: Redis) -> Iterator[bytes]:
    known: set[bytes] = set()
    for some in scan(redis):
        for key in some:
            if key not in known:
                known.add(key)
                yield key
