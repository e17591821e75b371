"""Where a list goes on, in words that only the relay reads."""

import base64
import binascii
import re
from typing import Any, Final, NamedTuple

from marshmallow import ValidationError, fields

from app.feed.position import Position

_DESCRIPTION: Final = "`next_cursor` of the answer before, to go on."
_WRONG: Final = "must be next_cursor of the answer before"
_PLACE: Final = re.compile(r"([0-9a-f]{16})\.([0-9a-z]{1,32}-[0-9]{1,18})")


class Place(NamedTuple):
    """Where a cohort's members go on, and where in the log the list as a whole is true."""

    place: int
    position: Position


def text_cursor(text: str | None) -> str | None:
    """Write the text behind which a list goes on."""
    return None if text is None else base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def place_cursor(place: int | None, position: Position) -> str | None:
    """Write the place at which a cohort's members go on, and the position that the list began at."""
    return None if place is None else f"{place:016x}.{position}"


class TextCursor(fields.String):
    """Reads what `text_cursor` wrote."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        written = super()._deserialize(value, attr, data, **kwargs) or ""
        try:
            padded = written.encode("ascii") + b"=" * (-len(written) % 4)
            text = base64.b64decode(padded, altchars=b"-_", validate=True).decode()
        except (UnicodeError, binascii.Error) as err:
            raise ValidationError(_WRONG) from err
        if not text:
            raise ValidationError(_WRONG)
        return text


class PlaceCursor(fields.String):
    """Checks what `place_cursor` wrote, and leaves it text, as the schema says."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        written = super()._deserialize(value, attr, data, **kwargs) or ""
        if not _PLACE.fullmatch(written):
            raise ValidationError(_WRONG)
        return written


def text_cursor_field() -> TextCursor:
    """Make the field of a query."""
    return TextCursor(load_default=None, metadata={"description": _DESCRIPTION})


def place_cursor_field() -> PlaceCursor:
    """Make the field of a query; `place_of_cursor` reads it."""
    return PlaceCursor(load_default=None, metadata={"description": _DESCRIPTION})


def place_of_cursor(written: str | None) -> Place | None:
    """Return what a cursor stands for; None without one."""
    found = _PLACE.fullmatch(written) if written else None
    return Place(int(found[1], 16), Position.parse(found[2])) if found else None
