"""The shape of an event's properties that Mixpanel takes: how many, how deep, how long.

Source: Mixpanel's documentation of `/import`: fewer than 255 properties, nesting of at most 3, arrays of
fewer than 255 elements. How deep a value is counts its objects, and lists within lists: `{a: 1}` is 1 deep,
`{a: {b: [{c: 1}]}}` is 3, `[[1]]` is 1. The objects inside are held to the number of properties, too.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple

MAX_PROPERTIES: Final = 254
MAX_DEPTH: Final = 3
MAX_ELEMENTS: Final = 254
# What Mixpanel cuts texts at; a longer name of an event or a property would become another one.
MAX_NAME: Final = 255
# They change who is who, irreversibly, and can fail the ordinary events beside them.
IDENTITY_VERBS: Final = frozenset({"$identify", "$create_alias", "$merge"})

ShapeRule = Literal["properties", "property_name", "nesting", "array_elements"]
Path = tuple[str | int, ...]
_SCALARS: Final = frozenset({str, int, float, bool, type(None)})


class Misshape(NamedTuple):
    """Something of a shape that Mixpanel does not take.

    Attributes:
        path: where, from the properties on; names and indices.
        rule: which limit it breaks.
        message: the limit, without any value.
    """

    path: Path
    rule: ShapeRule
    message: str


def misshapes(properties: Mapping[str, Any], most: int = MAX_PROPERTIES) -> Iterator[Misshape]:
    """Find what is out of shape in an event's properties, of which there may be `most`."""
    if len(properties) > most:
        yield Misshape((), "properties", f"has more than {most} properties")
    for name, value in properties.items():
        if len(name) > MAX_NAME:
            yield _too_long_a_name((name,))
        if type(value) not in _SCALARS:
            yield from _within((name,), value, 0)


def _within(path: Path, value: Any, depth: int) -> Iterator[Misshape]:
    if isinstance(value, dict):
        depth += 1
    if depth > MAX_DEPTH:
        yield Misshape(path, "nesting", f"is nested more than {MAX_DEPTH} deep")
    elif isinstance(value, dict):
        yield from _within_object(path, value, depth)
    elif isinstance(value, list):
        yield from _within_list(path, value, depth)


def _within_list(path: Path, value: list[Any], depth: int) -> Iterator[Misshape]:
    if len(value) > MAX_ELEMENTS:
        yield Misshape(path, "array_elements", f"has more than {MAX_ELEMENTS} elements")
    for index, item in enumerate(value):
        if type(item) not in _SCALARS:
            yield from _within((*path, index), item, depth + 1 if isinstance(item, list) else depth)


def _within_object(path: Path, value: dict[str, Any], depth: int) -> Iterator[Misshape]:
    if len(value) > MAX_PROPERTIES:
        yield Misshape(path, "properties", f"has more than {MAX_PROPERTIES} properties")
    for name, item in value.items():
        if len(name) > MAX_NAME:
            yield _too_long_a_name((*path, name))
        if type(item) not in _SCALARS:
            yield from _within((*path, name), item, depth)


def _too_long_a_name(path: Path) -> Misshape:
    return Misshape(path, "property_name", f"has a name of more than {MAX_NAME} characters")
