"""Identity links: two ids that are one person's, as they wait in the outbox and as Mixpanel is told."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final

import orjson

from config.links import DEVICE_PREFIX, Verb

UUID4: Final = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE
)

Key = tuple[str, str, str]
"""What makes two links the same: the verb and the two ids, of a merge in either order."""


@dataclass(frozen=True, slots=True)
class Link:
    """One link.

    Attributes:
        verb: what to do in Mixpanel.
        first, second: the two ids, by verb: (user_id, device_id), (identified_id, anon_id),
            (distinct_id, alias), or the two of a merge. A device's id is without its `$device:`.
        allow_merge: of a merge: somebody knows that it cannot be undone.
        time_ms: when it was asked for. It goes to Mixpanel, so that every try carries the same.
        why: who asked for it: a rule and the change that made it apply, or an API token's id.
    """

    verb: Verb
    first: str
    second: str
    allow_merge: bool
    time_ms: int
    why: Mapping[str, Any] = field(hash=False)

    @property
    def nodes(self) -> tuple[str, str]:
        """The two distinct_ids that become one: a device's profile is at `$device:<device id>`."""
        return self.first, DEVICE_PREFIX + self.second if self.verb == "device" else self.second

    @property
    def key(self) -> Key:
        """What it is compared by: once done, the same link is not done again."""
        first, second = self.nodes
        if self.verb == "merge" and second < first:
            first, second = second, first
        return self.verb, first, second

    @property
    def insert_id(self) -> str:
        """What Mixpanel knows repetitions by: 32 characters of `0-9a-f`, the same for the same link."""
        return blake2b(orjson.dumps(self.key), digest_size=16).hexdigest()

    def to_json(self) -> bytes:
        """Encode, on one line."""
        return orjson.dumps(
            {
                "verb": self.verb,
                "first": self.first,
                "second": self.second,
                "allow_merge": self.allow_merge,
                "time_ms": self.time_ms,
                "why": self.why,
                "insert_id": self.insert_id,
            }
        )

    @classmethod
    def from_json(cls, encoded: bytes) -> "Link":
        """Decode what `to_json` encoded."""
        stored = orjson.loads(encoded)
        return cls(
            verb=stored["verb"],
            first=stored["first"],
            second=stored["second"],
            allow_merge=stored["allow_merge"],
            time_ms=stored["time_ms"],
            why=stored["why"],
        )
