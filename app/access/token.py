"""A token: what it looks like, and what is kept of it.

`crt_<id>_<secret>`: a fixed prefix and fixed lengths, so that secret scanners recognise one that leaked (the
pattern below is what to give them); letters and digits only, so that a double click selects all of it. The
secret has 256 random bits. So its plain SHA-256 is as good as any slow hash: there is nothing to guess.
"""

import hashlib
import hmac
import re
import secrets
import string
from dataclasses import dataclass
from typing import Final

from app.access.scopes import allows
from config.secret import Secret

PATTERN: Final = re.compile(r"crt_([0-9A-Za-z]{12})_[0-9A-Za-z]{43}")
_ALPHABET: Final = string.digits + string.ascii_letters
_ID_LENGTH: Final = 12  # 71 bits: never twice
_SECRET_LENGTH: Final = 43  # 256 bits


@dataclass(frozen=True, slots=True)
class Token:
    """What is known about a token.

    Attributes:
        id: the part of it that is no secret.
        name: for people: who uses it, and for what.
        scopes: what it may do.
        project_id: the only project that it reaches; None if it reaches all.
        created_ms: when it was made.
        expires_ms: from when on it is refused; None if never.
        used_ms: when it was last used, to the minute; None if never.
        old_until_ms: until when the secret before the last rotation is valid; None without a rotation.
        old_used_ms: when that was last used since, to the minute; None if never.
        by_old: whether it was found by that secret, and so expires with it.
    """

    id: str
    name: str
    scopes: tuple[str, ...]
    project_id: str | None
    created_ms: int
    expires_ms: int | None = None
    used_ms: int | None = None
    old_until_ms: int | None = None
    old_used_ms: int | None = None
    by_old: bool = False

    def expired(self, now_ms: int) -> bool:
        """Say whether its time is over."""
        return self.expires_ms is not None and now_ms >= self.expires_ms

    def allows(self, needed: str) -> bool:
        """Say whether it may do this."""
        return allows(self.scopes, needed)

    def reaches(self, project_id: str) -> bool:
        """Say whether it may speak for this project."""
        return self.project_id in (None, project_id)


def make() -> tuple[str, Secret]:
    """Make a new token's id and its whole text."""
    token_id = _random(_ID_LENGTH)
    return token_id, make_text(token_id)


def make_text(token_id: str) -> Secret:
    """Make a new text for a token: another secret under its id."""
    return Secret(f"crt_{token_id}_{_random(_SECRET_LENGTH)}")


def id_of(text: str) -> str | None:
    """Return the id within a token's text; None if the text cannot be a token."""
    found = PATTERN.fullmatch(text)
    return found[1] if found else None


def is_id(text: str) -> bool:
    """Say whether this can be a token's id."""
    return len(text) == _ID_LENGTH and text.isalnum() and text.isascii()


def digest_of(text: str) -> bytes:
    """Return what is kept instead of the token: 64 hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest().encode()


def matches(text: str, digest: bytes) -> bool:
    """Say whether this is the token whose digest is kept; takes the same time however much of it is right."""
    return hmac.compare_digest(digest_of(text), digest)


def mark_of(digest: bytes) -> str:
    """Return what a session remembers of the token that began it; nobody can enter with that."""
    return hashlib.sha256(b"session:" + digest).hexdigest()[:32]


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
