"""Checking the operations of a rule: `enter`, `exit` and `update` of the projects file."""

import math
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from marshmallow import ValidationError, fields

from config.document import Path
from config.fields import MAX_PROPERTY_NAME
from config.rules import KINDS, Operation
from config.templates import TemplateError, members_used, parse

TextCheck = Callable[[str], object]
Problems = Iterator[tuple[Path, str]]
# The key of an object's own messages, which no property name can equal.
HERE: Final = None
_MAX_INTEGER: Final = 2**63 - 1


class Operations(fields.Field[tuple[Operation, ...]]):
    """The operations of one occasion: an object of kinds, each with its properties."""

    default_error_messages = {"null": "is empty"}  # noqa: RUF012  (marshmallow's own way to declare them)

    def __init__(self, *, members: bool, **kwargs: Any) -> None:
        """Take whether `{member[...]}` may be used."""
        super().__init__(**kwargs)
        self._members = members

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any
    ) -> tuple[Operation, ...]:
        del attr, data
        found = list(_problems(value, parse if self._members else _no_members))
        if found:
            raise ValidationError(_nested(found))
        return tuple(operation for kind in value for operation in _operations(kind, value[kind]))


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
        yield (), "names no operation"
    for kind, item in value.items():
        if kind not in KINDS:
            yield (str(kind),), f"unknown operation; known are {', '.join(KINDS)}"
        elif kind == "$delete":
            yield from _delete_problems(value)
        elif kind == "$unset":
            yield from _unset_problems(item, check)
        else:
            yield from _property_problems(kind, item, check)


def _delete_problems(value: dict[str, Any]) -> Problems:
    if value["$delete"] is not True:
        yield ("$delete",), "must be true"
    elif len(value) > 1:
        yield ("$delete",), "deletes the whole profile, so no other operation can stand beside it"


def _unset_problems(value: Any, check: TextCheck) -> Problems:
    if not isinstance(value, list) or not value:
        yield ("$unset",), "must be a list of property names"
        return
    for index, name in enumerate(value):
        yield from _name_problems(("$unset", index), name, check)


def _property_problems(kind: str, value: Any, check: TextCheck) -> Problems:
    if not isinstance(value, dict) or not value:
        yield (kind,), "must be an object of property names and values"
        return
    for name, item in value.items():
        path = (kind, str(name))
        yield from _name_problems(path, name, check)
        wrong = _VALUE_CHECKS[kind](item)
        if wrong:
            yield path, wrong
        else:
            yield from _json_problems(path, item, check)


def _name_problems(path: Path, name: Any, check: TextCheck) -> Problems:
    if not isinstance(name, str) or not name.strip():
        yield path, "a property name must be text (in quotes)"
    elif len(name) > MAX_PROPERTY_NAME:
        yield path, f"a property name has at most {MAX_PROPERTY_NAME} characters"
    else:
        yield from _text_problems(path, name, check)


def _json_problems(path: Path, value: Any, check: TextCheck) -> Problems:
    if value is None:
        yield path, 'is empty (a template such as "{cohort_name}" needs its quotes)'
    elif isinstance(value, str):
        yield from _text_problems(path, value, check)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _json_problems((*path, index), item, check)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _name_problems((*path, str(key)), key, check)
            yield from _json_problems((*path, str(key)), item, check)
    elif abs(value) > (_MAX_INTEGER if isinstance(value, int) else sys.float_info.max):
        yield path, "is too large a number"


def _text_problems(path: Path, text: str, check: TextCheck) -> Problems:
    try:
        check(text)
    except TemplateError as error:
        yield path, str(error)


def _no_members(text: str) -> None:
    if members_used(text):
        raise TemplateError(
            "{member[...]} cannot be used on exit: nothing of a member is stored that it could come from"
        )


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


def _nested(problems: list[tuple[Path, str]]) -> Any:
    """Arrange problems as marshmallow arranges errors: objects by key, with lists of messages."""
    tree: dict[str | int | None, Any] = {}
    for path, message in problems:
        place = tree
        for key in path:
            place = place.setdefault(key, {})
        place.setdefault(HERE, []).append(message)
    return tree
