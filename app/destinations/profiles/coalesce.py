"""Collapse one profile's operations: what a later one makes pointless is not sent.

`fold` keeps this true: what is left, applied in order, ends as all operations in order would have (an empty
list counts as no list, the order of a list's values does not count). It takes the same few steps for each
operation, however many there are.
`tests/unit/destinations/test_coalesce.py` holds it against a model of Mixpanel's profiles.
"""

from collections.abc import Iterable

from app.destinations.profiles.operations import ASSIGNS, COUNTS, LISTS, Op


def fold(ops: Iterable[Op]) -> tuple[Op, ...]:
    """Drop what later operations replace."""
    ops = tuple(ops)
    if len(ops) <= 1:
        return ops
    folding = _Folding()
    for op in ops:
        folding.take(op)
    return tuple(folding.ops.values())


class _Segment:
    """The operations on one property that may still be replaced: those behind its last `$add` or `$append`.

    Attributes:
        places: where they stand.
        keyed: where the list operation on a value stands, by the value's key.
        last: the kind of the last one; empty if there is none.
        listed: whether the list operations since the last other one include a `$union`, also a replaced one.
    """

    __slots__ = ("keyed", "last", "listed", "places")

    def __init__(self) -> None:
        self.places: dict[int, None] = {}
        self.keyed: dict[bytes, int] = {}
        self.last = ""
        self.listed = False

    def add(self, place: int, op: Op) -> None:
        self.places[place] = None
        self.last = op.kind
        if op.kind in LISTS:
            self.keyed[op.key] = place
            self.listed = self.listed or op.kind == "$union" or op.after_union
        else:
            self.listed = False


class _Folding:
    """What is left so far.

    Attributes:
        ops: by their place, in order; a place is never used again.
    """

    def __init__(self) -> None:
        self.ops: dict[int, Op] = {}
        self._segments: dict[str, _Segment] = {}
        self._next = 0

    def take(self, new: Op) -> None:
        if new.kind == "$delete":
            self.ops.clear()
            self._segments.clear()
        elif new.kind in COUNTS:
            self._segments.pop(new.property, None)
        else:
            self._take_replaceable(new)
            return
        self._append(new)

    def _take_replaceable(self, new: Op) -> None:
        segment = self._segments.get(new.property)
        if segment is None:
            segment = self._segments[new.property] = _Segment()
        elif new.kind in ASSIGNS:
            for place in segment.places:
                del self.ops[place]
            segment = self._segments[new.property] = _Segment()
        elif new.kind in LISTS:
            new = self._without_same_value(segment, new)
        elif segment.last == "$unset":
            self._drop(segment, next(reversed(segment.places)))
            new = new._replace(kind="$set")
        elif segment.last and (segment.last != "$remove" or segment.listed):
            return  # `$set_once` does nothing once the property is known to exist
        segment.add(self._append(new), new)

    def _without_same_value(self, segment: _Segment, new: Op) -> Op:
        """Drop the operation on the same value; those on other values commute and may stay where they are."""
        place = segment.keyed.get(new.key)
        if place is None:
            return new
        old = self._drop(segment, place)
        return new._replace(after_union=old.after_union or old.kind == "$union")

    def _drop(self, segment: _Segment, place: int) -> Op:
        del segment.places[place]
        return self.ops.pop(place)

    def _append(self, op: Op) -> int:
        place = self._next
        self._next += 1
        self.ops[place] = op
        return place
