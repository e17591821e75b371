"""Checking what a rule does on an occasion: `enter`, `exit` and `update` of the projects file."""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from marshmallow import ValidationError, fields

from config.checking import Problems, TextCheck, json_problems, name_problems, nested, text_check
from config.event_checks import event_problems
from config.events import Event
from config.rules import KINDS, Operation
from config.templates import TemplateError, parse

_EVENT: Final = "event"


class Happening(NamedTuple):
    """What entering, leaving or changing causes: operations on the profile, and an event."""

    operations: tuple[Operation, ...] = ()
    event: Event | None = None


class Occasion(fields.Field[Happening]):
    """What one occasion causes: an object of kinds of operations, each with its properties, and `event`."""

    default_error_messages = {"null": "is empty"}  # noqa: RUF012  (marshmallow's own way to declare them)

    def __init__(self, *, members: bool, **kwargs: Any) -> None:
        """Take whether `{member[...]}` may be used."""
        super().__init__(load_default=Happening(), **kwargs)
        self._check = text_check(members=members)

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any
    ) -> Happening:
        del attr, data
        found = list(_problems(value, self._check))
        if found:
            raise ValidationError(nested(found))
        event = value.get(_EVENT)
        operations = (
            operation for kind in value if kind != _EVENT for operation in _operations(kind, value[kind])
        )
        return Happening(
            tuple(operations), None if event is None else Event(event["name"], event.get("properties", {}))
        )


def _operations(kind: str, value: Any) -> Iterator[Operation]:
    if kind == "$delete":
        yield Operation(kind, "")
    elif kind == "$unset":
        yield from (Operation(kind, name) for name in value)
    else:
        yield from (Operation(kind, name, item) for name, item in value.items())


def _problems(value: Any, check: TextCheck) -> Problems:
    if not isinstance(value, dict):
        yield (), "must be an object of operations, such as {$set: {Plan: Pro}}"
        return
    if not value:
        yield (), "names neither an operation nor an event"
    for kind, item in value.items():
        if kind == _EVENT:
            yield from event_problems((_EVENT,), item, check)
        elif kind not in KINDS:
            yield (str(kind),), f"unknown operation; known are {', '.join(KINDS)}, and event"
        elif kind == "$delete":
            yield from _delete_problems(value)
        elif kind == "$unset":
            yield from _unset_problems(item, check)
        else:
            yield from _property_problems(kind, item, check)


def _delete_problems(value: dict[str, Any]) -> Problems:
    if value["$delete"] is not True:
        yield ("$delete",), "must be true"
    elif value.keys() - {"$delete", _EVENT}:
        yield ("$delete",), "deletes the whole profile, so no other operation can stand beside it"


def _unset_problems(value: Any, check: TextCheck) -> Problems:
    if not isinstance(value, list) or not value:
        yield ("$unset",), "must be a list of property names"
        return
    for index, name in enumerate(value):
        yield from name_problems(("$unset", index), name, check)


def _property_problems(kind: str, value: Any, check: TextCheck) -> Problems:
    if not isinstance(value, dict) or not value:
        yield (kind,), "must be an object of property names and values"
        return
    for name, item in value.items():
        path = (kind, str(name))
        yield from name_problems(path, name, check)
        wrong = _VALUE_CHECKS[kind](item)
        if wrong:
            yield path, wrong
        else:
            yield from json_problems(path, item, check)


def _one_member(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        parts = parse(value)
    except TemplateError:
        return False
    return len(parts) == 1 and not isinstance(parts[0], str) and parts[0].member is not None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _set_problem(value: Any) -> str | None:
    return "is empty; use $unset to remove a property" if value is None else None


def _add_problem(value: Any) -> str | None:
    return None if _is_number(value) or _one_member(value) else "must be a number or one {member[...]}"


def _union_problem(value: Any) -> str | None:
    if (isinstance(value, list) and value) or _one_member(value):
        return None
    return 'must be a list of values, such as ["{cohort_name}"], or one {member[...]}'


def _remove_problem(value: Any) -> str | None:
    return None if isinstance(value, str | int | float) else "must be a single value, neither list nor object"


_VALUE_CHECKS: Final[Mapping[str, Callable[[Any], str | None]]] = {
    "$set": _set_problem,
    "$set_once": _set_problem,
    "$append": _set_problem,
    "$add": _add_problem,
    "$union": _union_problem,
    "$remove": _remove_problem,
}
