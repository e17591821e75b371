"""Checking the `event` of a rule."""

from typing import Any, Final

from config.checking import Problems, TextCheck, json_problems, name_problems, text_problems
from config.document import Path
from config.event_shape import IDENTITY_VERBS, MAX_NAME, misshapes
from config.events import FILLED, FORBIDDEN, MAX_OWN_PROPERTIES

_KEYS: Final = ("name", "properties")


def event_problems(path: Path, value: Any, check: TextCheck) -> Problems:
    """Check one event, at its path within the rule's occasion."""
    if not isinstance(value, dict):
        yield path, 'must be an object with a name, such as {name: "Entered {cohort_name}"}'
        return
    for key in value.keys() - set(_KEYS):
        yield (*path, str(key)), f"unknown field; known are {', '.join(_KEYS)}"
    if "name" in value:
        yield from _event_name_problems((*path, "name"), value["name"], check)
    else:
        yield (*path, "name"), "is missing"
    if "properties" in value:
        yield from _properties_problems((*path, "properties"), value["properties"], check)


def _event_name_problems(path: Path, name: Any, check: TextCheck) -> Problems:
    if not isinstance(name, str) or not name.strip():
        yield path, "the name of an event must be text (in quotes)"
    elif len(name) > MAX_NAME:
        yield path, f"the name of an event has at most {MAX_NAME} characters"
    elif name in IDENTITY_VERBS:
        yield path, f"{name} would link identities, which only `links` does, after its checks"
    else:
        yield from text_problems(path, name, check)


def _properties_problems(path: Path, value: Any, check: TextCheck) -> Problems:
    if not isinstance(value, dict):
        yield path, "must be an object of property names and values"
        return
    found = [
        problem
        for name, item in value.items()
        for problem in (
            *name_problems((*path, str(name)), name, check),
            *_reserved_problems((*path, str(name)), name),
            *json_problems((*path, str(name)), item, check),
        )
    ]
    yield from found
    if not found:
        for at, _, message in misshapes(value, MAX_OWN_PROPERTIES):
            yield (*path, *at), message


def _reserved_problems(path: Path, name: Any) -> Problems:
    if name in FILLED:
        yield path, "is filled by the relay itself"
    elif name in FORBIDDEN:
        yield path, "cannot be part of a rule's event: it names a project or an identity"
