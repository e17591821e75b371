"""The JSON Schemas of the events' data, and an example of each, as they stand in `docs/events/`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from app.feed.types import PREFIX, TYPES, VERSION

FOLDER: Final = Path(__file__).resolve().parents[2] / "docs" / "events"
"""Part of what has to be installed: the relay serves them."""
_PARTS: Final = ("schema", "example")


@dataclass(frozen=True, slots=True)
class Schema:
    """What the data of a type is.

    Attributes:
        type: of the events.
        version: of the data.
        schema: JSON Schema (2020-12).
        example: a whole event.
    """

    type: str
    version: int
    schema: Mapping[str, Any]
    example: Mapping[str, Any]


def schemas() -> dict[tuple[str, int], Schema]:
    """Read all of them, by type without its prefix, and version."""
    found = {}
    for type_ in sorted(TYPES):
        name = type_.removeprefix(PREFIX)
        parts = (orjson.loads((FOLDER / f"{name}.v{VERSION}.{part}.json").read_bytes()) for part in _PARTS)
        found[name, VERSION] = Schema(type_, VERSION, *parts)
    return found
