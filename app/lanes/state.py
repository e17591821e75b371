"""Read how a lane stands; only the lane scripts change it."""

from dataclasses import dataclass
from typing import Final, Literal, cast

from redis import Redis

from app.store import keys

_FIELDS: Final = ("state", "reason", "due", "lease", "since", "hindered")
State = Literal["idle", "queued", "waiting", "running"]


@dataclass(frozen=True, slots=True)
class LaneState:
    """One lane as it stands, times by Redis's clock.

    Attributes:
        name: which lane.
        state: `idle`, `queued` (a worker is asked for), `waiting` (for a time) or `running`.
        reason: why it waits, else empty.
        since_ms: since when it is in this state; waiting: since when it does not get on, with whatever tries
            there were between. None where it is not known.
        until_ms: waiting: when it is tried again; running: when its lease ends; else None.
    """

    name: str
    state: State
    reason: str
    since_ms: int | None
    until_ms: int | None


def read_lane(redis: Redis, project_id: str, name: str) -> LaneState:
    """Return how a project's lane stands; one that never ran is idle."""
    stored = redis.hmget(keys.lane(project_id, name), _FIELDS)
    state, reason, due, lease, since, hindered = cast("list[bytes | None]", stored)
    found = cast("State", (state or b"idle").decode())
    since = {"waiting": hindered, "queued": due}.get(found, since)
    until = {"waiting": due, "running": lease}.get(found)
    return LaneState(
        name=name,
        state=found,
        reason=(reason or b"").decode() if found == "waiting" else "",
        since_ms=int(since) if since else None,
        until_ms=int(until) if until else None,
    )
