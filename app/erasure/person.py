"""Find a person in what is stored, and take them out of it. Pure.

A record is *about* somebody whom one of its ids names; it goes whole. Where a record about somebody else only
carries the id as a value, the value is replaced: the other person's record stays.
"""

import re
from collections.abc import Iterable
from typing import Any, Final

import orjson

from app.cohorts.page_json import DISTINCT_ID
from config.links import DEVICE_PREFIX

ERASED: Final = "erased"
"""What stands in the place of an id that was a value in somebody else's record."""

_NAMING: Final = (
    *("$distinct_id", "distinct_id", DISTINCT_ID, "$group_id", "first", "second", "$user_id", "$device_id"),
    *("$identified_id", "$anon_id", "alias", "$distinct_ids"),
)
"""Fields, of a record or of its `properties`, by which it is about somebody."""


class Person:
    """The ids of one person, in the forms in which they are stored.

    Args:
        ids: distinct_ids; a device's has `$device:` before it, and is looked for without, too.
    """

    def __init__(self, ids: Iterable[str]) -> None:
        self.ids = frozenset(ids)
        self.words = self.ids | {each.removeprefix(DEVICE_PREFIX) for each in self.ids}
        self._quoted = [orjson.dumps(word) for word in sorted(self.words)]
        ends = r"(?<![\w$:@.-])(?:%s)(?![\w$:@-])"
        self._in_text = re.compile(ends % "|".join(map(re.escape, sorted(self.words))))

    def is_in(self, encoded: bytes) -> bool:
        """Say whether JSON that orjson wrote names the person as a whole text."""
        return any(quoted in encoded for quoted in self._quoted)

    def is_in_text(self, text: str) -> bool:
        """Say whether a sentence names the person."""
        return self._in_text.search(text) is not None

    def without(self, encoded: bytes) -> bytes:
        """Return a record of orjson's without the person: nothing where it is about them."""
        if not self.is_in(encoded):
            return encoded
        return b"" if self.is_about(orjson.loads(encoded)) else self.replaced(encoded)

    def replaced(self, encoded: bytes) -> bytes:
        """Return JSON of orjson's in which the person's ids are no values any more."""
        for quoted in self._quoted:
            encoded = encoded.replace(quoted, b'"%b"' % ERASED.encode())
        return encoded

    def is_about(self, record: Any) -> bool:
        """Say whether one of a record's ids is the person's."""
        if not isinstance(record, dict):
            return False
        return any(
            self._is_named(place.get(name))
            for place in (record, record.get("properties"))
            if isinstance(place, dict)
            for name in _NAMING
        )

    def _is_named(self, value: Any) -> bool:
        if isinstance(value, list):
            return any(map(self._is_named, value))
        return isinstance(value, str | int) and str(value) in self.words
