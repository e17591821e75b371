"""Environment variables: how each kind of value is read and checked."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, Final
from urllib.parse import urlsplit

from config.secret import Secret

_MIN_SECRET_KEY: Final = 16
_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_FALSE: Final = frozenset({"0", "false", "no", "off"})

Networks = tuple[IPv4Network | IPv6Network, ...]


class InvalidValueError(ValueError):
    """A variable's text is no value; the message says what it must be and never repeats the text."""


@dataclass(frozen=True, slots=True)
class Variable:
    """An environment variable, the field of Settings that it fills, and how its text is read.

    Without the variable the field keeps its default; `missing` is the problem's text where it has none.
    """

    name: str
    field: str
    read: Callable[[str], Any]
    missing: str | None = None


def whole(lowest: int, highest: int) -> Callable[[str], int]:
    """Make a reader of whole numbers within bounds."""

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = lowest - 1
        if not lowest <= number <= highest:
            raise InvalidValueError(f"must be a whole number from {lowest} to {highest}")
        return number

    return read


def seconds(lowest: float, highest: float) -> Callable[[str], float]:
    """Make a reader of durations in seconds within bounds."""

    def read(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not lowest <= number <= highest:
            raise InvalidValueError(f"must be a number of seconds from {lowest:g} to {highest:g}")
        return number

    return read


def share(text: str) -> float:
    """Read a part of a whole, from 0 to 1."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number <= 1:
        raise InvalidValueError("must be a number from 0 to 1")
    return number


def choice(*choices: str) -> Callable[[str], str]:
    """Make a reader of one of some words, in any case."""

    def read(text: str) -> str:
        for word in choices:
            if text.lower() == word.lower():
                return word
        raise InvalidValueError(f"must be one of {', '.join(choices)}")

    return read


def flag(text: str) -> bool:
    """Read yes or no."""
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise InvalidValueError("must be true or false")


def redis_url(text: str) -> str:
    """Read the URL of a Redis."""
    _checked_url(text, ("redis", "rediss", "unix"), "must be a URL such as redis://localhost:6379/0")
    return text


def http_url(text: str) -> str:
    """Read a base URL and take the slash at its end off."""
    hint = "must be a URL such as https://proxy.example.com/mixpanel, without credentials, query or fragment"
    url = _checked_url(text, ("http", "https"), hint)
    if url.username is not None or url.query or url.fragment:
        raise InvalidValueError(hint)
    return text.rstrip("/")


def _checked_url(text: str, schemes: tuple[str, ...], hint: str) -> Any:
    try:
        url = urlsplit(text)
        valid = url.scheme in schemes and bool(url.path if url.scheme == "unix" else url.hostname)
        _ = url.port
    except ValueError:
        valid = False
    if not valid or any(character.isspace() for character in text):
        raise InvalidValueError(hint)
    return url


def networks(text: str) -> Networks:
    """Read networks, separated by commas."""
    try:
        return tuple(ip_network(each.strip()) for each in text.split(","))
    except ValueError:
        raise InvalidValueError("must be networks such as 10.1.0.0/16, 192.168.7.5/32, fd00::/8") from None


def secret_key(text: str) -> Secret:
    """Read the key that signs sessions."""
    if len(text) < _MIN_SECRET_KEY:
        raise InvalidValueError(f"must have at least {_MIN_SECRET_KEY} characters")
    return Secret(text)
