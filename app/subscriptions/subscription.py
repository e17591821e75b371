"""A subscription: what its owner wants, and where it stands in a project."""

import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, Self

import orjson

from app.feed.filter import EventFilter
from app.feed.position import Position
from app.subscriptions.signing import SigningSecret
from config.secret import Secret

DEFAULT_BATCH: Final = 100
"""Members in an event: about 6 kB without properties. The signing scheme recommends less than 20 kB."""

State = Literal["active", "failing", "paused", "ended"]
_ALPHABET: Final = string.digits + string.ascii_letters
_ID_LENGTH: Final = 12
MOST_SECRETS: Final = 4
"""That messages are signed with: a header's length."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """What its owner wants.

    Attributes:
        id: given by the relay.
        url: of the receiver.
        projects: whose changes.
        types, cohorts: which of them; see `EventFilter`. None: all.
        batch: members in an event at most.
        rate: messages a second at most; 0 for as fast as they are taken.
        description: for people.
        signing: its secrets, the newest first.
        created_ms: when it was made.
    """

    id: str
    url: str
    projects: tuple[str, ...]
    signing: tuple[SigningSecret, ...]
    created_ms: int
    types: frozenset[str] = frozenset()
    cohorts: tuple[str, ...] = ()
    batch: int = DEFAULT_BATCH
    rate: float = 0.0
    description: str = ""

    @property
    def filter(self) -> EventFilter:
        """What it wants to be told."""
        return EventFilter(self.types, self.cohorts)

    def rotated(self, secret: Secret, old_until_ms: int) -> Self:
        """Return it with a new secret; those before are valid for a while, none for longer than it was.

        The receiver may know any of them: whoever got no answer to a rotation asks for it again.
        """
        old = (
            replace(each, until_ms=min(old_until_ms, each.until_ms or old_until_ms))
            for each in self.signing[: MOST_SECRETS - 1]
        )
        return replace(self, signing=(SigningSecret(secret), *old))

    def encoded(self) -> bytes:
        """Return it as it is kept, secrets included."""
        return orjson.dumps(
            {
                "id": self.id,
                "url": self.url,
                "projects": self.projects,
                "types": sorted(self.types),
                "cohorts": self.cohorts,
                "batch": self.batch,
                "rate": self.rate,
                "description": self.description,
                "created_ms": self.created_ms,
                "signing": [
                    {"secret": each.secret.reveal(), "until_ms": each.until_ms} for each in self.signing
                ],
            }
        )

    @classmethod
    def decoded(cls, stored: bytes) -> Self:
        """Read what `encoded` wrote."""
        found: dict[str, Any] = orjson.loads(stored)
        signing = tuple(
            SigningSecret(Secret(each["secret"]), each["until_ms"]) for each in found.pop("signing")
        )
        for name, made in (("projects", tuple), ("types", frozenset), ("cohorts", tuple)):
            found[name] = made(found[name])
        return cls(**found, signing=signing)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a subscription stands in one project.

    Attributes:
        position: behind what was taken, and behind what it does not want.
        previous: id of the event that was taken last; empty if there is none.
        pending: the place behind an event that was tried and not taken: that very event comes next.
        state: `active`, `failing` (a message was not taken and is tried again), `paused`, `ended` (the
            receiver said 410).
        why: the reason, in words, where it is not active.
        by: who paused it: `relay` after three days of failure, or a token's or user's name.
        since_ms: since when it fails, is paused, or has ended.
        tries: of the message that comes next.
        taken, failed: messages that were, and tries that were not, in all.
        lost: log entries that were gone before it was told.
        taken_ms: when one was taken last.
    """

    position: Position
    previous: str = ""
    pending: Position | None = None
    state: State = "active"
    why: str = ""
    by: str = ""
    since_ms: int | None = None
    tries: int = 0
    taken: int = 0
    failed: int = 0
    lost: int = 0
    taken_ms: int | None = None

    @classmethod
    def decoded(cls, stored: Mapping[bytes, bytes]) -> Self:
        """Read the hash."""
        found = {name.decode(): value.decode() for name, value in stored.items()}
        pending = found.get("pending")
        since_ms, taken_ms = found.get("since_ms"), found.get("taken_ms")
        state: Any = found.get("state", "active")
        return cls(
            position=Position.parse(found["position"]),
            previous=found.get("previous", ""),
            pending=Position.parse(pending) if pending else None,
            state=state,
            why=found.get("why", ""),
            by=found.get("by", ""),
            since_ms=int(since_ms) if since_ms else None,
            tries=int(found.get("tries", 0)),
            taken=int(found.get("taken", 0)),
            failed=int(found.get("failed", 0)),
            lost=int(found.get("lost", 0)),
            taken_ms=int(taken_ms) if taken_ms else None,
        )


def make_id() -> str:
    """Make the id of a new subscription: 71 random bits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_ID_LENGTH))


def place_of(position: Position) -> int:
    """Return the sequence up to which nothing lies before a position that was not told."""
    return position.next - 1
