"""Records that could not be delivered: kept with their reason, for a person to look at.

They hold personal data (the record itself), so they stay in Redis: reasons and records never go into a log.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from redis import Redis

from app.store import keys

Code = Literal["refused", "outcome_unknown", "unusable_id", "invalid", "link_refused"]


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that was given up.

    Attributes:
        code: `refused` (Mixpanel refused it), `outcome_unknown` (it may have been applied, and must not be
            twice), `unusable_id` (Mixpanel takes nothing for this distinct_id, so it was never sent),
            `invalid` (it breaks a limit of Mixpanel's, so it was never sent) or `link_refused` (an identity
            link that must not be made, so it was never sent).
        reason: one line.
        response: what Mixpanel answered, shortened; may be empty.
        record: the encoded record.
    """

    code: Code
    reason: str
    response: str
    record: bytes


@dataclass(frozen=True, slots=True)
class StoredLetter:
    """A dead letter as it is kept: its id in the stream, whose it was and when (ms) it was given up."""

    id: str
    destination: str
    time_ms: int
    letter: DeadLetter


class DeadLetters:
    """Read a project's dead letters. They are written by settle.lua, with the batch they belong to."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def count(self, project_id: str) -> int:
        """Count those that are kept."""
        return self._redis.xlen(keys.dead_letters(project_id))

    def counters(self, project_id: str) -> dict[str, int]:
        """Count all there ever were, as `<destination>:<code>`, and those `dropped` for the cap."""
        found = cast("dict[bytes, bytes]", self._redis.hgetall(keys.dead_letter_counts(project_id)))
        return {name.decode(): int(number) for name, number in found.items()}

    def read(self, project_id: str, after: str = "", limit: int = 100) -> list[StoredLetter]:
        """Give up to `limit` letters, oldest first, from the one behind the id `after` on."""
        first = f"({after}" if after else "-"
        found = self._redis.xrange(keys.dead_letters(project_id), min=first, count=limit)
        return [_stored(id_, fields) for id_, fields in cast("list[tuple[bytes, dict[bytes, bytes]]]", found)]


def _stored(id_: bytes, fields: Mapping[bytes, bytes]) -> StoredLetter:
    letter = DeadLetter(
        code=cast("Any", fields[b"code"].decode()),
        reason=fields[b"reason"].decode(),
        response=fields[b"response"].decode(),
        record=fields[b"record"],
    )
    return StoredLetter(id_.decode(), fields[b"destination"].decode(), int(fields[b"time_ms"]), letter)
