"""One profile operation, rendered for one person, and how the kinds behave.

Families: `$set`, `$unset` and `$set_once` decide what a property is; `$union` and `$remove` decide about one
value of a list; `$add` and `$append` count: doing them twice is a mistake, so they carry a mark by which a
repetition is noticed; `$delete` ends the profile.
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import orjson

LISTS: Final = frozenset({"$union", "$remove"})
ASSIGNS: Final = frozenset({"$set", "$unset"})
COUNTS: Final = frozenset({"$add", "$append"})


class Op(NamedTuple):
    """One operation on one property of one profile.

    Attributes:
        kind: `$set`, `$set_once`, `$add`, `$union`, `$remove`, `$append`, `$unset` or `$delete`.
        property: its name; empty for `$delete`.
        value: what to set, add or append; ONE value of the list for `$union` and `$remove`; else None.
        leaving: whether an exit caused it, so that it goes before what entering causes.
        key: tells equal values of `$union` and `$remove` from others.
        mark: names this very operation, for what must not be done twice; else empty.
        after_union: of a `$remove`: it stands for a `$union` followed by it, so the property exists.
    """

    kind: str
    property: str
    value: Any
    leaving: bool
    key: bytes = b""
    mark: str = ""
    after_union: bool = False


def value_key(value: Any) -> bytes:
    """Give equal bytes for equal JSON values (1, 1.0, "1" and true are four)."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def expand(kind: str, name: str, value: Any, *, leaving: bool, mark: str = "") -> Iterator[Op]:
    """Split what a rule says into operations: one a value for `$union` and `$remove`, else one."""
    if kind not in LISTS:
        yield Op(kind, name, value, leaving, mark=mark)
        return
    for one in value if isinstance(value, list) else [value]:
        yield Op(kind, name, one, leaving, value_key(one))
