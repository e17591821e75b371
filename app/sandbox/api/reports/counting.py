"""Count events by value and by stretch of time, in the three ways that reports know. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import orjson

from app.sandbox.api.answers import Answer
from app.sandbox.expressions.operators import string

Kind = Literal["general", "unique", "average"]
KINDS: tuple[Kind, ...] = ("general", "unique", "average")
UNDEFINED = "undefined"
Table = Mapping[str, Mapping[str, float]]


class Seen(NamedTuple):
    """One event as it is counted."""

    value: str
    label: str
    person: str


def table(seen: Iterable[Seen], labels: Sequence[str], kind: Kind) -> dict[str, dict[str, float]]:
    """Return counts by value and label: of events, of people, or of events a person. No label is left out."""
    events: dict[tuple[str, str], int] = defaultdict(int)
    people: dict[tuple[str, str], set[str]] = defaultdict(set)
    values = dict[str, None]()
    for one in seen:
        place = (one.value, one.label)
        values[one.value] = None
        events[place] += 1
        people[place].add(one.person)
    return {
        value: {label: _number(events[value, label], len(people[value, label]), kind) for label in labels}
        for value in values
    }


def largest(counted: Table, most: int) -> dict[str, dict[str, float]]:
    """Return the values that were counted most."""
    order = sorted(counted, key=lambda value: (-sum(counted[value].values()), value))
    return {value: dict(counted[value]) for value in order[:most]}


def shown(counted: Table, labels: Sequence[str], form: str = "json") -> Answer:
    """Answer with counts, as JSON or as CSV."""
    if form == "csv":
        return _as_csv(counted, labels)
    body = {"data": {"series": list(labels), "values": counted}, "legend_size": len(counted)}
    return Answer(200, orjson.dumps(body))


def named(value: Any) -> str:
    """Return what a property's value is called in a report."""
    if value is None:
        return UNDEFINED
    if isinstance(value, list | dict):
        return orjson.dumps(value).decode()
    return str(string(value))


def _number(events: int, people: int, kind: Kind) -> float:
    if kind == "unique":
        return people
    if kind == "general":
        return events
    return round(events / people, 4) if people else 0


def _as_csv(counted: Table, labels: Sequence[str]) -> Answer:
    rows = [["date", *counted]]
    rows += [[label, *(f"{counted[value].get(label, 0):g}" for value in counted)] for label in labels]
    text = "".join(",".join(_cell(one) for one in row) + "\n" for row in rows)
    return Answer(200, text.encode(), "text/csv")


def _cell(text: str) -> str:
    quoted = text.replace('"', '""')
    return f'"{quoted}"' if set(text) & set(',"\n') else text
