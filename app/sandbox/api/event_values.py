"""Check the values of an event's properties against Mixpanel's limits. Pure.

Source: https://docs.mixpanel.com/reference/import-events: "Each event must have fewer than 255 properties.
All nested object properties must have fewer than 255 keys and max nesting depth is 3. All array properties
must have fewer than 255 elements. [...] We truncate all strings down to 255 characters." Depth is counted in
objects: `{"a": 1}` is one deep; an array counts nothing of its own.
"""

from collections.abc import Mapping
from typing import Any

from app.sandbox.api.records import RefusedRecordError
from app.sandbox.config import Limits


def checked_properties(properties: Mapping[str, Any], limits: Limits) -> dict[str, Any]:
    """Return an event's properties with long strings cut.

    Raises:
        RefusedRecordError: They break a limit; the field is the property's.
    """
    if len(properties) > limits.max_event_properties:
        message = f"must have fewer than {limits.max_event_properties + 1} properties"
        raise RefusedRecordError("properties", message)
    return {
        name[: limits.max_chars]: value[: limits.max_chars]
        if isinstance(value, str)
        else _checked(f"properties.{name}", value, limits, 0)
        for name, value in properties.items()
    }


def _checked(field: str, value: Any, limits: Limits, depth: int) -> Any:
    if isinstance(value, str):
        return value[: limits.max_chars]
    if isinstance(value, list):
        if len(value) > limits.max_array:
            raise RefusedRecordError(field, f"arrays must have fewer than {limits.max_array + 1} elements")
        return [_checked(field, one, limits, depth) for one in value]
    if isinstance(value, dict):
        return _checked_object(field, value, limits, depth + 1)
    return value


def _checked_object(field: str, value: Mapping[str, Any], limits: Limits, depth: int) -> dict[str, Any]:
    if depth > limits.max_nesting:
        raise RefusedRecordError(field, f"must not be nested deeper than {limits.max_nesting}")
    if len(value) > limits.max_nested_keys:
        raise RefusedRecordError(field, f"objects must have fewer than {limits.max_nested_keys + 1} keys")
    return {name[: limits.max_chars]: _checked(field, inner, limits, depth) for name, inner in value.items()}
