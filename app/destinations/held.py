"""That a person holds something: a destination, a whole project, or what would come in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

from redis import Redis

from app.store import keys

What = Literal["paused", "closed"]
"""`paused`: nothing goes out; `closed`: nothing is taken in."""


@dataclass(frozen=True, slots=True)
class Held:
    """Who holds it, why and since when (ms).

    Attributes:
        what: in words: `paused`, or what else it is.
        by, why: of the person; why may be empty.
        since_ms: by Redis's clock.
    """

    what: str
    by: str
    why: str
    since_ms: int

    @property
    def sentence(self) -> str:
        """Say it to another operator."""
        return f"{self.what} by {self.by}: {self.why}" if self.why else f"{self.what} by {self.by}"


@dataclass(frozen=True, slots=True)
class ProjectHeld:
    """How a project is held.

    Attributes:
        paused: nothing of it is sent to Mixpanel, and nothing asked there.
        closed: no page and no submission is taken in.
        left: about how many changes were to be delivered when accepting was stopped.
    """

    paused: Held | None = None
    closed: Held | None = None
    left: int = 0


NOT_HELD = ProjectHeld()


def held_in(stored: Mapping[bytes, bytes], what: What, words: str) -> Held | None:
    """Find it in the fields of a hash."""
    since = stored.get(f"{what}_ms".encode())
    if since is None:
        return None
    by, why = (stored.get(f"{what}_{each}".encode(), b"").decode() for each in ("by", "why"))
    return Held(words, by, why, int(since))


def project_held(stored: Mapping[bytes, bytes]) -> ProjectHeld:
    """Read the project's hash."""
    return ProjectHeld(
        paused=held_in(stored, "paused", "the project is paused"),
        closed=held_in(stored, "closed", "accepting was stopped"),
        left=int(stored.get(b"closed_left", 0)),
    )


def read_held(redis: Redis, project_id: str) -> ProjectHeld:
    """Read how a project is held."""
    stored = redis.hgetall(keys.held(project_id))  # seven fields at the most
    return project_held(cast("dict[bytes, bytes]", stored))
