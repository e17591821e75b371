"""Who was erased of late: what still names these people, because it was on its way, must not bring them back.

Kept as digests under a salt of the project's own, so that the person's ids are nowhere. Whoever reads pages,
entries of the log or answers of Mixpanel looks here first; where nobody was erased of late, that is one
empty answer.
"""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Final, Self, cast

from redis import Redis

from app.store import keys

SALT: Final = b"salt"
"""The field beside the digests."""
DIGEST_BYTES: Final = 16


class Suppressed:
    """The people of a project who are not to come back for now.

    Args:
        stored: the hash: the salt, and digest -> number of the erasure.
    """

    def __init__(self, stored: Mapping[bytes, bytes] | None = None) -> None:
        self._salt = (stored or {}).get(SALT, b"")
        self._digests = frozenset(stored or ()) - {SALT}

    @classmethod
    def read(cls, redis: Redis, project_id: str) -> Self:
        """Read who it is now."""
        stored = redis.hgetall(keys.suppressed(project_id))  # a few fields, for a day
        return cls(cast("dict[bytes, bytes]", stored))

    def __bool__(self) -> bool:
        """Whether there is anybody."""
        return bool(self._digests)

    def __contains__(self, distinct_id: str) -> bool:
        """Say whether it is somebody of this id."""
        return bool(self._digests) and digest_of(self._salt, distinct_id) in self._digests

    def values(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        """Return somebody else's properties without those whose value is an id of the erased."""
        return {name: value for name, value in properties.items() if not self._is(value)}

    def _is(self, value: Any) -> bool:
        return isinstance(value, str) and value in self


NOBODY: Final = Suppressed()


def digest_of(salt: bytes, distinct_id: str) -> bytes:
    """Return what stands for an id."""
    return blake2b(distinct_id.encode(errors="surrogatepass"), digest_size=DIGEST_BYTES, key=salt).digest()
