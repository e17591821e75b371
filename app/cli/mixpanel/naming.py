"""How options are called: as Mixpanel calls the parameters, in the command line's spelling."""

import re
from typing import Final

from app.mixpanel.calling import arguments
from app.mixpanel.catalog.row import Endpoint, Parameter

_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_DECIDED: Final = frozenset({"content-type", "content-encoding", "accept-encoding"})
_SHORT: Final = {"from_date": "--from", "to_date": "--to", "funnel_id": "--funnel"}


def flag(name: str) -> str:
    """Give the option of a parameter: `$distinct_id` is `--distinct-id`, `entityType` is `--entity-type`."""
    return "--" + _HUMP.sub("-", name.lstrip("$")).replace("_", "-").lower()


def flags(row: Endpoint, parameter: Parameter) -> tuple[str, ...]:
    """Give all spellings of a parameter's option, the usual one first."""
    short = _SHORT.get(parameter.name)
    if row.family == "pipelines" and parameter.name == "name":
        short = "--pipeline"
    return (flag(parameter.name), short) if short else (flag(parameter.name),)


def offered(row: Endpoint) -> tuple[Parameter, ...]:
    """Give the parameters that are left to the caller.

    What the configuration knows is put in by the client, what body and transport decide is no choice, and a
    name that two parts of a request share is one option for both.
    """
    found: dict[str, Parameter] = {}
    for one in arguments.parameters(row):
        if one.filled is None and not (one.where == "header" and one.name.lower() in _DECIDED):
            found.setdefault(one.name, one)
    return tuple(found.values())
