"""Marshmallow fields of the projects file. Their messages never repeat a secret's value."""

import re
from collections.abc import Mapping
from typing import Any, Final

from marshmallow import ValidationError, fields

from config.references import Reference
from config.secret import Secret

_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
# What HTTP headers and Basic credentials can carry: printable, without control characters.
_PRINTABLE: Final = re.compile(r"[^\x00-\x1f\x7f]+")
# Source: Mixpanel's documentation of user profiles, limits.
MAX_PROPERTY_NAME: Final = 255
# Marshmallow's type of error messages.
Messages = dict[str, str | list[Any] | dict[Any, Any]]
REQUIRED: Final[Messages] = {"required": "is missing", "null": "is empty"}


def _resolved(value: Any) -> Any:
    """Take what a reference stands for; anything else is given back as it is."""
    if not isinstance(value, Reference):
        return value
    if value.value is None:
        raise ValidationError(f"the environment variable {value.variable} is not set")
    return value.value.reveal()


class Text(fields.Field[str]):
    """A non-empty text; a number is taken as its digits where `numbers` says so (ids)."""

    default_error_messages = REQUIRED

    def __init__(
        self, *, pattern: re.Pattern[str] = _PRINTABLE, hint: str = "", numbers: bool = False, **kwargs: Any
    ) -> None:
        """Take `pattern` for the whole text, and the `hint` that says so to a person."""
        super().__init__(**kwargs)
        self._pattern = pattern
        self._hint = hint or "must be text without line breaks or control characters"
        self._numbers = numbers

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> str:
        del attr, data
        value = _resolved(value)
        if self._numbers and isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            raise ValidationError("must be text (in quotes)")
        text = value.strip()
        if not text:
            raise ValidationError("is empty")
        if not self._pattern.fullmatch(text):
            raise ValidationError(self._hint)
        return text


def project_id_field() -> Text:
    """Make the field of a project's id, which is part of every Redis key's hash tag."""
    return Text(
        required=True, numbers=True, pattern=_ID, hint="must be up to 64 letters, digits, '-' and '_'"
    )


def username_field() -> Text:
    """Make the field of a Basic credential's username, which a colon would cut."""
    pattern = re.compile(r"[^\x00-\x1f\x7f:]+")
    return Text(required=True, pattern=pattern, hint="must not contain ':' or control characters")


class SecretText(fields.Field[Secret]):
    """A secret, given by `${NAME}` only, so that no file ever holds one."""

    default_error_messages = REQUIRED

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> Secret:
        del data
        if not isinstance(value, Reference):
            name = (attr or "secret").upper()
            raise ValidationError(
                f"must name an environment variable, such as ${{MY_{name}}}, never hold the value itself"
            )
        secret = _resolved(value)
        if not _PRINTABLE.fullmatch(secret):
            raise ValidationError(f"the environment variable {value.variable} holds a control character")
        return Secret(secret)


class Choice(fields.Field[str]):
    """One of some words, in any case."""

    default_error_messages = REQUIRED

    def __init__(self, choices: tuple[str, ...], **kwargs: Any) -> None:
        """Take the `choices`, in lower case."""
        super().__init__(**kwargs)
        self._choices = choices

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> str:
        del attr, data
        word = str(_resolved(value)).strip().lower()
        if word not in self._choices:
            raise ValidationError(f"must be one of {', '.join(self._choices)}")
        return word


class Flag(fields.Field[bool]):
    """True or false, spelled so."""

    default_error_messages = REQUIRED

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> bool:
        del attr, data
        if not isinstance(value, bool):
            raise ValidationError("must be true or false")
        return value


class Copies(fields.Field[dict[str, str]]):
    """An object of member properties and the profile properties that they are copied to."""

    default_error_messages = REQUIRED

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any
    ) -> dict[str, str]:
        del attr, data
        if not isinstance(value, dict):
            raise ValidationError(
                "must be an object: member property to profile property, such as {email: $email}"
            )
        wrong = {
            str(key): ["both names must be text of 1 to 255 characters"]
            for key, target in value.items()
            if not (_is_property_name(key) and _is_property_name(target))
        }
        if wrong:
            raise ValidationError(wrong)
        return dict(value)


def _is_property_name(name: Any) -> bool:
    return isinstance(name, str) and bool(name.strip()) and len(name) <= MAX_PROPERTY_NAME
