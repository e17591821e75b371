"""Say in our words what marshmallow finds wrong with a field: what it must be, behind its name."""

from types import MappingProxyType
from typing import Any, Final

UNKNOWN: Final = "Unknown field."
_WORDS: Final = MappingProxyType(
    {
        UNKNOWN: "is unknown: compare its name, or leave it out",
        "Missing data for required field.": "is missing",
        "Field may not be null.": "must not be null: leave it out",
        "Not a valid string.": "must be text",
        "Not a valid integer.": "must be a whole number",
        "Not a valid boolean.": "must be true or false",
        "Not a valid mapping type.": "must be an object",
        "Invalid type.": "must be an object",
        "Invalid input type.": "must be an object",
        "Not a valid list.": "must be a list",
    }
)


def worded(message: Any) -> str:
    """Return a message as what follows the field's name."""
    text = str(message)
    return _WORDS.get(text) or f"{text[:1].lower()}{text[1:].removesuffix('.')}"
