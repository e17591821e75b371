"""Where a destination stands in a project's log, as its hash in Redis says."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, cast

import orjson
from redis import Redis

from app.destinations.dead_letters import Code
from app.destinations.held import NOT_HELD, Held, ProjectHeld, held_in, project_held
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
        paused: who holds it, or the whole project, whatever its state; None if nobody does.
        with_project: whether it is the whole project that is paused, and not this destination.
        void: of a waiting room: sequences, from and to, of what is not to be sent any more.
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
    paused: Held | None = None
    with_project: bool = False
    void: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, stored: Mapping[bytes, bytes], project: ProjectHeld = NOT_HELD) -> "Position":
        """Read the hash; an empty one is a destination that has not begun.

        Args:
            stored: the hash.
            project: how the project is held.
        """

        def number(name: str) -> int:
            return int(stored.get(name.encode(), 0))

        def text(name: str) -> str:
            return stored.get(name.encode(), b"").decode()

        window = None
        if b"window_end" in stored:
            dead = orjson.loads(stored.get(b"window_dead", b"{}"))
            window = Window(number("window_end"), stored[b"window_rules"], stored[b"window_known"], dead)
        paused = held_in(stored, "paused", "paused")
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
            paused=paused or project.paused,
            with_project=paused is None and project.paused is not None,
            void=tuple(_ranges(text("void"))),
        )


def read_position(redis: Redis, project_id: str, name: str) -> Position:
    """Read where the destination of this name stands, and whether it or its project is paused."""
    pipeline = redis.pipeline(transaction=False)
    pipeline.hgetall(keys.destination(project_id, name))  # two dozen fields
    pipeline.hgetall(keys.held(project_id))
    stored, held = pipeline.execute()
    return Position.of(stored, project_held(held))


def _ranges(text: str) -> Iterator[tuple[int, int]]:
    """Read ranges as the script wrote them: `3-5,9-9`."""
    for each in filter(None, text.split(",")):
        first, _, last = each.partition("-")
        yield int(first), int(last)
