"""Put one profile's operations into rounds and records.

A round is sent in any order, concurrently; the next one begins when it is finished. What exits cause goes
first (round 0), what entering causes after it (round 1): when a user logs in, `$device:X` leaves a cohort and
`U1` enters it, and both name ONE profile in Mixpanel, which we cannot know. Operations on one property that
do not commute keep their order by going to later rounds. `$append`s, of which there may be thousands, share
one: `app.destinations.batch` keeps them in order there.
"""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import orjson

from app.destinations.profiles.operations import COUNTS, LISTS, Op
from app.mixpanel.update_limits import MAX_PROPERTIES
from app.mixpanel.violations import MAX_RECORD_BYTES

MAX_TAIL_BYTES: Final = MAX_RECORD_BYTES - 8 * 1024
"""The most bytes that operations are merged to: room is left for a head, whose ids are short."""


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
        if family != self.family or family not in ("list", "$add", "$append"):
            self.before = self.last
            self.family = family
        earliest = self.last if family == "$append" else 0  # these keep their order, also within a round
        chosen = max(0 if op.leaving else 1, self.before + 1, earliest)
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

    Within a round `$set`s merge, `$union`s merge (of one property into one list), `$unset`s merge, up to what
    Mixpanel takes in one record. `$remove` takes one value a record, and what counts (`$add`, `$append`) is
    never merged; `$append`s to one property stand together, in order.
    """
    merging: dict[tuple[int, str], _Merging] = {}
    together: list[tuple[int, _Merging]] = []
    alone: list[Part] = []
    counting: list[tuple[Op, Part]] = []
    for number, op in in_rounds(ops):
        if op.kind in COUNTS or op.kind == "$remove":
            part = Part(number, _tail(op.kind, b"{%b}" % _pair(op.property, orjson.dumps(op.value))), op.mark)
            if op.mark:
                counting.append((op, part))
            else:
                alone.append(part)
            continue
        value = orjson.dumps(op.value)
        record = merging.get((number, op.kind))
        if record is None or not record.fits(op.property, value):
            record = merging[number, op.kind] = _Merging(op.kind)
            together.append((number, record))
        record.add(op.property, value)
    counting.sort(key=lambda pair: (pair[0].kind, pair[0].property))
    return (
        *(Part(number, record.tail, "") for number, record in together),
        *alone,
        *(part for _, part in counting),
    )


class _Merging:
    """Operations of one kind and round that become one record."""

    __slots__ = ("_kind", "_size", "_values")

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._values: dict[str, list[bytes]] = {}
        self._size = 0

    def fits(self, name: str, value: bytes) -> bool:
        """Say whether one more operation leaves the record within Mixpanel's limits."""
        if len(self._values) == MAX_PROPERTIES and name not in self._values:
            return False
        return self._size + self._size_of(name, value) <= MAX_TAIL_BYTES

    def add(self, name: str, value: bytes) -> None:
        self._size += self._size_of(name, value)
        self._values.setdefault(name, []).append(value)

    @property
    def tail(self) -> bytes:
        """The rest of the record's JSON, from the comma on."""
        if self._kind == "$delete":
            return _tail(self._kind, b'""')  # what stands behind it is ignored
        if self._kind == "$unset":
            return _tail(self._kind, b"[%b]" % b",".join(map(orjson.dumps, self._values)))
        lists = self._kind == "$union"
        pairs = (
            _pair(name, b"[%b]" % b",".join(values) if lists else values[-1])
            for name, values in self._values.items()
        )
        return _tail(self._kind, b"{%b}" % b",".join(pairs))

    def _size_of(self, name: str, value: bytes) -> int:
        """Count what an operation adds, or a few bytes more."""
        named = 0 if name in self._values else len(orjson.dumps(name)) + len(":[],")
        return named + len(value) + 1


def _pair(name: str, value: bytes) -> bytes:
    return b"%b:%b" % (orjson.dumps(name), value)


def _tail(kind: str, body: bytes) -> bytes:
    return b',"%b":%b}' % (kind.encode(), body)
