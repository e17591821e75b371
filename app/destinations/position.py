"""Where a destination stands in a project's log, as its hash in Redis says."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

import orjson
from redis import Redis

from app.destinations.dead_letters import Code
from app.store import keys

State = Literal["ok", "retrying", "stopped"]


@dataclass(frozen=True, slots=True)
class Window:
    """A window that was begun.

    Attributes:
        end: its last sequence.
        rules: the rules it was begun with, as JSON.
        known: what else its plan rests on, as the destination encoded it.
        dead: its dead letters by code.
    """

    end: int
    rules: bytes
    known: bytes
    dead: Mapping[Code, int]


@dataclass(frozen=True, slots=True)
class Pause:
    """That a person holds a destination: who, why and since when (ms)."""

    by: str
    why: str
    since_ms: int

    @property
    def sentence(self) -> str:
        """Say it to another operator."""
        return f"paused by {self.by}: {self.why}" if self.why else f"paused by {self.by}"


@dataclass(frozen=True, slots=True)
class Position:
    """Where a destination stands.

    Attributes:
        cursor: the last sequence whose every record is settled.
        state: `ok`, `retrying` (a window failed and is tried again) or `stopped` (a person is needed).
        reason: why it is not `ok`.
        since_ms: since when it has this state; 0 while it never had another.
        tries: how often the window has failed.
        refused: digest of the refused credential, when stopped for that.
        window: the window that was begun and is not done.
        delivered: records accepted so far, over all windows.
        dead_lettered: records given up so far, over all windows.
        advanced_ms: when the cursor last moved; 0 if never.
        paused: who holds it, whatever its state; None if nobody does.
    """

    cursor: int
    state: State
    reason: str
    since_ms: int
    tries: int
    refused: str
    window: Window | None
    delivered: int
    dead_lettered: int
    advanced_ms: int
    paused: Pause | None = None

    @classmethod
    def of(cls, stored: Mapping[bytes, bytes]) -> "Position":
        """Read the hash; an empty one is a destination that has not begun."""

        def number(name: str) -> int:
            return int(stored.get(name.encode(), 0))

        def text(name: str) -> str:
            return stored.get(name.encode(), b"").decode()

        window = None
        if b"window_end" in stored:
            dead = orjson.loads(stored.get(b"window_dead", b"{}"))
            window = Window(number("window_end"), stored[b"window_rules"], stored[b"window_known"], dead)
        paused = Pause(text("paused_by"), text("paused_why"), number("paused_ms"))
        return cls(
            cursor=number("cursor"),
            state=cast("State", text("state") or "ok"),
            reason=text("reason"),
            since_ms=number("since_ms"),
            tries=number("tries"),
            refused=text("refused"),
            window=window,
            delivered=number("delivered"),
            dead_lettered=number("dead_lettered"),
            advanced_ms=number("advanced_ms"),
            paused=paused if paused.since_ms else None,
        )


def read_position(redis: Redis, project_id: str, name: str) -> Position:
    """Read where the destination of this name stands."""
    stored = redis.hgetall(keys.destination(project_id, name))  # a dozen fields
    return Position.of(cast("dict[bytes, bytes]", stored))
