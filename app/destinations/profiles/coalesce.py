"""Collapse one profile's operations: what a later one makes pointless is not sent.

`fold` keeps this true: what is left, applied in order, ends as all operations in order would have (an empty
list counts as no list, the order of a list's values does not count).
`tests/unit/destinations/test_coalesce.py` holds it against a model of Mixpanel's profiles.
"""

from collections.abc import Iterable, Iterator

from app.destinations.profiles.operations import ASSIGNS, COUNTS, LISTS, Op


def fold(before: tuple[Op, ...], new: Iterable[Op]) -> tuple[Op, ...]:
    """Put new operations behind those that were left so far, and drop what they replace."""
    ops = list(before)
    for op in new:
        _fold_one(ops, op)
    return tuple(ops)


def _fold_one(ops: list[Op], new: Op) -> None:
    if new.kind == "$delete":
        ops.clear()
    elif new.kind in ASSIGNS:
        for place in list(_segment(ops, new.property)):
            del ops[place]
    elif new.kind == "$set_once":
        _fold_set_once(ops, new)
        return
    elif new.kind in LISTS:
        new = _fold_list(ops, new)
    ops.append(new)


def _segment(ops: list[Op], name: str) -> Iterator[int]:
    """Walk back over the operations on a property that may be replaced: to the last `$add` or `$append`."""
    for place in range(len(ops) - 1, -1, -1):
        if ops[place].property == name:
            if ops[place].kind in COUNTS:
                return
            yield place


def _fold_set_once(ops: list[Op], new: Op) -> None:
    """Keep the first: once the property is known to exist, `$set_once` does nothing."""
    last = next(_segment(ops, new.property), None)
    if last is None:
        ops.append(new)
    elif ops[last].kind == "$unset":
        del ops[last]
        ops.append(new._replace(kind="$set"))
    elif ops[last].kind == "$remove" and not _listed(ops, new.property):
        ops.append(new)


def _listed(ops: list[Op], name: str) -> bool:
    """Say whether the list operations since the last other one include a `$union`, also a replaced one."""
    for place in _segment(ops, name):
        if ops[place].kind not in LISTS:
            return False
        if ops[place].kind == "$union" or ops[place].after_union:
            return True
    return False


def _fold_list(ops: list[Op], new: Op) -> Op:
    """Drop the operation on the same value; those on other values commute and may stay where they are."""
    for place in _segment(ops, new.property):
        old = ops[place]
        if old.key == new.key:  # a list operation: the others have an empty key
            del ops[place]
            return new._replace(after_union=old.after_union or old.kind == "$union")
    return new
