"""Fields that several queries and bodies have: ages and times, and where to go on."""

from typing import Any

from marshmallow import ValidationError, fields

from app.destinations.dead_letters.filter import AGE_WANTED, is_letter_id, read_age


class Age(fields.String):
    """An age, or a time; stays the text that it is."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            read_age(text or "", 0)
        except ValueError as err:
            raise ValidationError(str(err)) from err
        return text or ""


class Flag(fields.Boolean):
    """Yes or no in a body: JSON's `true` and `false`, and no word or number that may mean it."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise ValidationError("must be true or false")
        return super()._deserialize(value, attr, data, **kwargs)


class WholeNumber(fields.Integer):
    """A whole number in a body; nothing is cut off to make it one, and no text read as one."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise ValidationError("must be a whole number")
        return super()._deserialize(value, attr, data, **kwargs)


def flag(description: str) -> Flag:
    """Make the field of a body that is `false` where it is left out."""
    return Flag(load_default=False, metadata={"description": description})


def older_than() -> Age:
    """Make the field that asks for what came before a time."""
    return Age(metadata={"description": f"Before: {AGE_WANTED} (UTC).", "example": "7d"})


def newer_than() -> Age:
    """Make the field that asks for what came at a time, or later."""
    return Age(metadata={"description": "Since; written as `older_than`.", "example": "12h"})


def list_cursor() -> fields.String:
    """Make the field that says where a list goes on."""
    return fields.String(
        validate=_entry_id, metadata={"description": "`next_cursor` of the answer before, to go on."}
    )


def _entry_id(text: str) -> None:
    if not is_letter_id(text):
        raise ValidationError("must be next_cursor of the answer before")
