"""Put one profile's operations into rounds and records.

A round is sent in any order, concurrently; the next one begins when it is finished. What exits cause goes
first (round 0), what entering causes after it (round 1): when a user logs in, `$device:X` leaves a cohort and
`U1` enters it, and both name ONE profile in Mixpanel, which we cannot know. Operations on one property that
do not commute keep their order by going to later rounds.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import orjson

from app.destinations.profiles.operations import COUNTS, LISTS, Op


class Part(NamedTuple):
    """One record without its head (token and distinct_id), which profiles with the same history share.

    Attributes:
        round: when it is sent.
        tail: the rest of the record's JSON, from the comma on.
        mark: of an operation that must not be done twice; else empty.
    """

    round: int
    tail: bytes
    mark: str


class _Order:
    """The rounds of one property: a run of operations that commute, and the last round before it."""

    __slots__ = ("before", "family", "last")

    def __init__(self, floor: int) -> None:
        self.before = floor - 1
        self.last = floor - 1
        self.family = ""

    def place(self, op: Op) -> int:
        family = "list" if op.kind in LISTS else op.kind
        if family != self.family or family not in ("list", "$add"):
            self.before = self.last
            self.family = family
        chosen = max(0 if op.leaving else 1, self.before + 1)
        self.last = max(self.last, chosen)
        return chosen


def in_rounds(ops: Iterable[Op]) -> Iterator[tuple[int, Op]]:
    """Give each operation (collapsed before, in order) its round."""
    floor = 0
    orders: dict[str, _Order] = {}
    for op in ops:
        if op.kind == "$delete":  # the first one, after collapsing
            floor = (0 if op.leaving else 1) + 1
            yield floor - 1, op
            continue
        order = orders.get(op.property)
        if order is None:
            order = orders[op.property] = _Order(floor)
        yield order.place(op), op


def parts(ops: Iterable[Op]) -> tuple[Part, ...]:
    """Make records of operations: one kind a record, as `/engage` wants it.

    Within a round `$set`s merge, `$union`s merge (of one property into one list), `$unset`s merge. `$remove`
    takes one value a record, and what counts (`$add`, `$append`) is never merged.
    """
    merged: dict[tuple[int, str], dict[str, Any]] = {}
    alone: list[Part] = []
    for number, op in in_rounds(ops):
        if op.kind in COUNTS or op.kind == "$remove":
            alone.append(Part(number, _tail(op.kind, {op.property: op.value}), op.mark))
        elif op.kind == "$union":
            merged.setdefault((number, op.kind), {}).setdefault(op.property, []).append(op.value)
        else:
            merged.setdefault((number, op.kind), {})[op.property] = op.value
    together = [
        Part(number, _tail(kind, _body(kind, values)), "") for (number, kind), values in merged.items()
    ]
    return (*together, *alone)


def _body(kind: str, values: dict[str, Any]) -> Any:
    if kind == "$unset":
        return list(values)
    return "" if kind == "$delete" else values  # what stands behind `$delete` is ignored


def _tail(kind: str, body: Any) -> bytes:
    return b',"%b":%b}' % (kind.encode(), orjson.dumps(body))
