"""Make a table of an answer, whatever its shape.

Mixpanel's answers come in a few shapes: lists of objects; values by series and day; steps by day; lists by
day; names with numbers. What fits none of them is shown as names and values.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

_WRAPPERS: Final = ("results", "data", "events", "day_syncs", "values", "series")
_PERIOD: Final = re.compile(r"\d{4}-\d\d(-\d\d.*)?")
_MIDNIGHT: Final = re.compile(r"(\d{4}-\d\d-\d\d)T00:00:00\S*")
_FIRST: Final = ("date", "step", "id", "funnel_id", "name", "event", "$distinct_id")
_MOST_COLUMNS: Final = 6
_DEPTH: Final = 4


@dataclass(frozen=True, slots=True)
class Rows:
    """A table.

    Attributes:
        headers: The columns' names.
        rows: Their cells; None where there is nothing.
    """

    headers: Sequence[str]
    rows: Sequence[Sequence[Any]]

    @property
    def numbers(self) -> tuple[str, ...]:
        """Columns that hold nothing but numbers."""
        columns = ((name, [row[place] for row in self.rows]) for place, name in enumerate(self.headers))
        return tuple(name for name, cells in columns if all(_is_number(one) for one in cells))


def rows_of(answer: Any) -> Rows:
    """Make a table of what JSON gave."""
    value = _unwrapped(answer)
    if isinstance(value, list):
        if value and all(isinstance(one, Mapping) for one in value):
            return _objects([_flat(one) for one in value])
        return Rows(("value",), [(one,) for one in value])
    if not isinstance(value, Mapping):
        return Rows(("value",), [(value,)])
    if value and all(isinstance(one, Mapping) for one in value.values()):
        return _nested(value)
    if value and all(isinstance(one, list) for one in value.values()):
        return _listed(value)
    return Rows((_what(value), "value"), list(value.items()))


def text(cell: Any) -> str:
    """Write a cell."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return f"{cell:.6g}" if abs(cell) < 1_000_000 else f"{cell:.2f}"  # noqa: PLR2004 - what reads well
    if isinstance(cell, list | dict):
        return orjson.dumps(cell).decode()
    return str(cell)


def _unwrapped(value: Any) -> Any:
    """Take off what stands around the rows."""
    for _ in range(_DEPTH):
        if not isinstance(value, Mapping):
            break
        inner = next((value[one] for one in _WRAPPERS if _holds(value, one)), None)
        if inner is None and len(value) == 1 and isinstance(only := next(iter(value.values())), list):
            inner = only if all(isinstance(one, Mapping) for one in only) else None
        if inner is None:
            break
        value = inner
    return value


def _holds(value: Mapping[str, Any], name: str) -> bool:
    inner = value.get(name)
    if name == "series" and isinstance(inner, list):
        return False  # the days; the values stand beside it
    return isinstance(inner, list | Mapping) and not (
        name == "values" and isinstance(inner, list) and not inner
    )


def _nested(value: Mapping[str, Any]) -> Rows:
    if all(isinstance(one.get("steps"), list) for one in value.values()):
        return _objects([{"date": day, **step} for day, one in value.items() for step in _steps(one)])
    leaves = list(_leaves((), value))
    keys = list(dict.fromkeys(key for _, leaf in leaves for key in leaf))
    if keys and all(_PERIOD.fullmatch(str(key)) for key in keys):
        return _series(leaves, sorted(keys))
    what = _what(path[0] for path, _ in leaves)
    return _objects([{what: " / ".join(path), **_spread(leaf)} for path, leaf in leaves])


def _steps(funnel: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for number, step in enumerate(funnel["steps"], 1):
        yield {"step": number, **(step if isinstance(step, Mapping) else {"value": step})}


def _leaves(
    path: tuple[str, ...], value: Mapping[str, Any]
) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    inner = [one for one in value.values() if isinstance(one, Mapping)]
    if value and len(inner) == len(value) and len(path) < _DEPTH:
        for name, one in value.items():
            yield from _leaves((*path, str(name)), one)
    else:
        yield path, value


def _series(leaves: Sequence[tuple[tuple[str, ...], Mapping[str, Any]]], days: Sequence[str]) -> Rows:
    """Write days down and series across, unless there are many series."""
    names = [" / ".join(path) for path, _ in leaves]
    short = dict(zip(days, _days(days), strict=True))
    if len(names) > max(_MOST_COLUMNS, len(days)):
        return Rows(
            ("series", *short.values()),
            [(name, *map(leaf.get, days)) for name, (_, leaf) in zip(names, leaves, strict=True)],
        )
    return Rows(("date", *names), [(short[day], *(leaf.get(day) for _, leaf in leaves)) for day in days])


def _days(periods: Sequence[str]) -> list[str]:
    """Leave out the time of day where all of it is midnight."""
    found = [_MIDNIGHT.fullmatch(one) for one in periods]
    return [one[1] for one in found if one] if all(found) else list(periods)


def _what(names: Iterable[str]) -> str:
    """Say what a column of names holds."""
    return "date" if all(_PERIOD.fullmatch(name) for name in names) else "name"


def _listed(value: Mapping[str, Any]) -> Rows:
    """Write a line a name, a column a place in its list; objects a line each."""
    if any(isinstance(one, Mapping) for each in value.values() for one in each):
        return _objects(
            [
                {"name": name, **(_flat(one) if isinstance(one, Mapping) else {"value": one})}
                for name, each in value.items()
                for one in each
            ]
        )
    most = max(map(len, value.values()))
    rows = [(name, *each, *([None] * (most - len(each)))) for name, each in value.items()]
    return Rows((_what(value), *map(str, range(most))), rows)


def _spread(leaf: Mapping[str, Any]) -> dict[str, Any]:
    """Give lists of numbers, such as `counts`, a column each."""
    found: dict[str, Any] = {}
    for name, one in leaf.items():
        if isinstance(one, list) and one and all(_is_number(each) for each in one):
            found |= {f"{name} {place}": each for place, each in enumerate(one)}
        else:
            found[name] = one
    return found


def _flat(one: Mapping[str, Any]) -> dict[str, Any]:
    """Give the properties of a person or an event columns of their own."""
    found: dict[str, Any] = {}
    for name, value in one.items():
        if name in ("$properties", "properties") and isinstance(value, Mapping):
            found |= value
        else:
            found[name] = value
    return found


def _objects(objects: Sequence[Mapping[str, Any]]) -> Rows:
    found = dict.fromkeys(str(name) for one in objects for name in one)
    headers = sorted(found, key=lambda name: _FIRST.index(name) if name in _FIRST else len(_FIRST))
    return Rows(headers, [[one.get(name) for name in headers] for one in objects])


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
