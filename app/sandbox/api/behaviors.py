"""`behaviors` of a profile query: how often people did something lately, for its `where` to ask about.

A JSON array of `{"window": "30d", "name": "b", "event_selectors": [{"event": "Logged in", "selector":
"..."}]}`; `where` then says `behaviors["b"] > 2`. The published OpenAPI description has the parameter as an
integer; this is what https://docs.mixpanel.com/docs/export-methods#exporting-profiles-by-event describes. A
window is a number of hours, days or weeks up to `as_of_timestamp`, or up to now.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from app.sandbox.api.reports.reading import SHOWN_ALL, scope_of
from app.sandbox.expressions.reading import read_condition
from app.sandbox.store.events import Events, Selection

WINDOW = re.compile(r"([1-9]\d{0,4})([hdw])")
UNITS_MS = {"h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
FORM = 'a JSON array of {"window": "30d", "name": ..., "event_selectors": [{"event": ...}]}'
Counts = Mapping[str, Mapping[str, int]]  # by person and behavior


class BadBehaviorsError(Exception):
    """The parameter is not what it must be; the message says what."""


@dataclass(frozen=True)
class Behavior:
    """Something that people did.

    Attributes:
        name: What `where` calls it.
        window_ms: How far back it counts.
        selectors: Names of events, each with an expression or without.
    """

    name: str
    window_ms: int
    selectors: tuple[tuple[str, str | None], ...]


def read_behaviors(said: str) -> tuple[Behavior, ...]:
    """Read the parameter.

    Raises:
        BadBehaviorsError: It is not what it must be.
    """
    try:
        found = tuple(_behavior(one) for one in orjson.loads(said))
    except (ValueError, TypeError, KeyError, AttributeError) as err:
        raise BadBehaviorsError(f"must be {FORM}") from err
    if not found:
        raise BadBehaviorsError(f"must be {FORM}")
    return found


def counted(behaviors: tuple[Behavior, ...], events: Events, until_ms: int) -> Counts:
    """Count, by person, how often each behavior was seen."""
    found: dict[str, Counter[str]] = {}
    for behavior in behaviors:
        for person in _people(behavior, events, until_ms):
            found.setdefault(person, Counter())[behavior.name] += 1
    return found


def _people(behavior: Behavior, events: Events, until_ms: int) -> Iterator[str]:
    holding = {name: read_condition(expression) for name, expression in behavior.selectors}
    selection = Selection(names=list(holding), from_ms=until_ms - behavior.window_ms, before_ms=until_ms)
    for one in events.read(selection, "time", SHOWN_ALL):
        if holding[one.event](scope_of(one)):
            yield one.distinct_id


def _behavior(given: Any) -> Behavior:
    match = WINDOW.fullmatch(given["window"])
    if match is None:
        raise BadBehaviorsError("window: a number of hours, days or weeks, such as 30d")
    selectors = tuple((str(one["event"]), one.get("selector")) for one in given["event_selectors"])
    return Behavior(str(given["name"]), int(match[1]) * UNITS_MS[match[2]], selectors)
