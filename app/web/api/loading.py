"""Read a body that is one JSON object of known fields."""

from collections.abc import Iterator
from typing import Any

from flask import Request
from marshmallow import Schema, ValidationError

from app.web.api.bodies import read_object
from app.web.api.kinds import INVALID_BODY
from app.web.api.problems import Fault, Problem, named
from app.web.api.wording import UNKNOWN, worded


def load_object(request: Request, schema: type[Schema], limit_bytes: int) -> dict[str, Any]:
    """Read the body by a schema; none at all is an empty object.

    Raises:
        Problem: as `read_object`, and 400 where a field is wrong or unknown.
    """
    empty = not request.content_length and "Transfer-Encoding" not in request.headers
    value = {} if empty else read_object(request, limit_bytes)
    try:
        loaded: dict[str, Any] = schema().load(value)
    except ValidationError as err:
        faults = list(_faults(_by_field(err.messages)))
        raise Problem(INVALID_BODY, f"Wrong: {named(faults)}.", faults) from err
    return loaded


def _by_field(messages: Any) -> dict[Any, Any]:
    return messages if isinstance(messages, dict) else {"body": messages}


def _faults(messages: dict[Any, Any], path: str = "") -> Iterator[Fault]:
    for name, found in messages.items():
        place = f"{path}.{name}" if path else str(name)
        if isinstance(found, dict):
            yield from _faults(found, place)
        else:
            for text in found:
                yield Fault(place, worded(text), "unknown" if text == UNKNOWN else "invalid")
