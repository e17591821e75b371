"""What all checks of a rule's JSON share: problems with their paths, names, templates."""

import sys
from collections.abc import Callable, Iterator
from typing import Any, Final

from config.document import Path
from config.fields import MAX_PROPERTY_NAME
from config.templates import TemplateError, members_used, parse

TextCheck = Callable[[str], object]
Problems = Iterator[tuple[Path, str]]
# The key of an object's own messages, which no property name can equal.
HERE: Final = None
_MAX_INTEGER: Final = 2**63 - 1


def text_check(*, members: bool) -> TextCheck:
    """Give the check of a template in which `{member[...]}` may be used or not."""
    return parse if members else _no_members


def name_problems(path: Path, name: Any, check: TextCheck) -> Problems:
    """Check the name of a property."""
    if not isinstance(name, str) or not name.strip():
        yield path, "a property name must be text (in quotes)"
    elif len(name) > MAX_PROPERTY_NAME:
        yield path, f"a property name has at most {MAX_PROPERTY_NAME} characters"
    else:
        yield from text_problems(path, name, check)


def json_problems(path: Path, value: Any, check: TextCheck) -> Problems:
    """Check a value: no null in it, no number that JSON cannot carry, templates that can be read."""
    if value is None:
        yield path, 'is empty (a template such as "{cohort_name}" needs its quotes)'
    elif isinstance(value, str):
        yield from text_problems(path, value, check)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from json_problems((*path, index), item, check)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from name_problems((*path, str(key)), key, check)
            yield from json_problems((*path, str(key)), item, check)
    elif abs(value) > (_MAX_INTEGER if isinstance(value, int) else sys.float_info.max):
        yield path, "is too large a number"


def text_problems(path: Path, text: str, check: TextCheck) -> Problems:
    """Check a template."""
    try:
        check(text)
    except TemplateError as error:
        yield path, str(error)


def nested(problems: list[tuple[Path, str]]) -> Any:
    """Arrange problems as marshmallow arranges errors: objects by key, with lists of messages."""
    tree: dict[str | int | None, Any] = {}
    for path, message in problems:
        place = tree
        for key in path:
            place = place.setdefault(key, {})
        place.setdefault(HERE, []).append(message)
    return tree


def _no_members(text: str) -> None:
    if members_used(text):
        raise TemplateError(
            "{member[...]} cannot be used on exit: nothing of a member is stored that it could come from"
        )
