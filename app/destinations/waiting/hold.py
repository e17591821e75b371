"""Who of a window waits, and what they take out of its plan. Pure."""

from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from app.destinations.plan import HeldBack, Round
from app.destinations.profiles.programs import History

PROFILES_A_PART: Final = 250
BYTES_A_PART: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Hold:
    """Whose updates of a window wait, pinned with the window, so that every try takes out the same ones.

    Attributes:
        ids: the distinct_ids, in order; also of profiles that the window does not update: later ones may.
        needs: the change-log sequence that lane `identity` must have come to; 0: what they wait for is in the
            identity outbox, or before them in the room.
        until_ms: when they go whatever became of their links, by Redis's clock.
    """

    ids: tuple[str, ...] = ()
    needs: int = 0
    until_ms: int = 0

    def to_json(self) -> dict[str, Any]:
        """Give what `from_json` takes; nothing where nobody waits."""
        held = {"ids": self.ids, "needs": self.needs, "until_ms": self.until_ms}
        return {"held": held} if self.ids else {}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Hold":
        """Find it in what a window's plan rests on."""
        held = stored.get("held")
        return cls(tuple(held["ids"]), held["needs"], held["until_ms"]) if held else NOBODY


NOBODY: Final = Hold()


def take_out(histories: MutableMapping[str, History], ids: Sequence[str]) -> tuple[HeldBack, ...]:
    """Take the updates of those who wait out of a window's.

    Args:
        histories: the window's, by distinct_id; those of `ids` are removed.
        ids: who waits, the same and in the same order at every try.

    Returns:
        In parts that one script may handle; none where nobody waits.
    """
    return tuple(_parts(ids, {each: histories.pop(each) for each in ids if each in histories}))


def _parts(ids: Sequence[str], histories: Mapping[str, History]) -> Iterator[HeldBack]:
    some: list[str] = []
    lines: list[bytes] = []
    size = 0
    for distinct_id in ids:
        new = _lines(distinct_id, histories[distinct_id]) if distinct_id in histories else []
        new_size = sum(map(len, new))
        if some and (len(some) == PROFILES_A_PART or size + new_size > BYTES_A_PART):
            yield HeldBack(tuple(some), b"\n".join(lines))
            some, lines, size = [], [], 0
        some.append(distinct_id)
        lines += new
        size += new_size
    if some:
        yield HeldBack(tuple(some), b"\n".join(lines))


def _lines(distinct_id: str, history: History) -> list[bytes]:
    """Write each record in a line of three, with tabs between: round, mark, and the record from its id on."""
    named = orjson.dumps(distinct_id)
    return [b"%d\t%b\t%b%b" % (number, mark.encode(), named, tail) for number, tail, mark in history.parts]


def put_back(updates: Sequence[bytes], start: bytes) -> tuple[Round, ...]:
    """Make rounds of what `take_out` took out.

    Args:
        updates: of each part, in order.
        start: what each record begins with, up to its distinct_id.
    """
    rounds: list[Round] = []
    for line in (line for some in updates if some for line in some.split(b"\n")):
        number, mark, rest = line.split(b"\t", 2)
        while int(number) >= len(rounds):
            rounds.append(Round())
        if mark:
            rounds[int(number)].once.append((mark.decode(), start + rest))
        else:
            rounds[int(number)].records.append(start + rest)
    return tuple(rounds)
