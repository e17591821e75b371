"""Every entry that any of these tests lets the product log is made an event and held against its schema."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import orjson
from jsonschema import Draft202012Validator, FormatChecker

from app.cohorts.changelog import decode_entry
from app.cohorts.commit import Arg, NewEntry
from app.feed.encoding import Encoder
from app.feed.merging import events_of
from app.feed.position import Position
from app.feed.schemas import schemas
from app.feed.types import CHANGES, PREFIX, TYPES, VERSION

_ENCODER = Encoder("https://relay.example.com")
_seen: dict[Any, list[str]] = {}
"""What an entry says, but for its values -> what is wrong with its events."""


@contextmanager
def entries_conform(problems: list[str]) -> Iterator[None]:
    """Note what is wrong with any entry that is written meanwhile."""
    encoded = NewEntry.encoded

    def checked(self: NewEntry) -> list[Arg]:
        stored = encoded(self)
        problems.extend(_problems(stored))
        return stored

    NewEntry.encoded = checked  # type: ignore[method-assign]  # for the test
    try:
        yield
    finally:
        NewEntry.encoded = encoded  # type: ignore[method-assign]  # as it was


def _problems(stored: list[Arg]) -> list[str]:
    fields = {
        str(name).encode(): value if isinstance(value, bytes) else str(value).encode()
        for name, value in zip(stored[::2], stored[1::2], strict=True)
    }
    data = orjson.loads(fields[b"data"])
    if fields[b"kind"] != CHANGES.encode() and "detail" not in data:
        return []  # made up by a test, for which it is enough that there is an entry
    shape = (fields[b"kind"], fields[b"cause"], bool(fields[b"cohort_id"]), _shape(data))
    if shape not in _seen:
        entry = decode_entry(1, {b"generation": b"g", **fields})
        events = events_of("1", [entry], Position("g", 0))
        _seen[shape] = [each for event in events for each in _wrong(orjson.loads(_ENCODER.encode(event)))]
    return _seen[shape]


def _wrong(event: dict[str, Any]) -> list[str]:
    name = event["type"]
    if name not in TYPES:
        return []  # a test's own kind; that those of the product have types, is tested elsewhere
    return [
        f"{name}: {error.json_path}: {error.message}" for error in _validator(name).iter_errors(event["data"])
    ]


@cache
def _validator(name: str) -> Draft202012Validator:
    """Return a type's validator, which lets nothing pass that is not documented."""
    schema = schemas()[name.removeprefix(PREFIX), VERSION].schema
    return Draft202012Validator(_closed(schema), format_checker=FormatChecker())


def _closed(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(value) for key, value in schema.items()}
    if "properties" in schema and isinstance(schema.get("type"), str):
        closed.setdefault("additionalProperties", False)
    return closed


def _shape(value: Any) -> Any:
    """Say what a value is, but for its values; of a list, what there is in it."""
    if isinstance(value, dict):
        return tuple((key, _shape(each)) for key, each in value.items())
    if isinstance(value, list):
        return frozenset(map(_shape, value[:20]))
    return type(value).__name__
