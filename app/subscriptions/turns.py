"""Whose turn it is, among the subscriptions of a project.

One sorted set a project holds them all, in three ranges of scores:

- *ready*: the sequence up to which it was told everything. It has a turn as soon as the log is longer.
- *away*: when (ms) its time comes, and `AWAY`. It is being sent to, until its lease ends; or it waits, for
  its rate, or because others come first: there was more to tell than fits into a turn.
- *failing*: when (ms) it is tried again, and `FAILING`.

A score is also the token that fences: a turn gets the score under which its lease was noted, and what it
writes is refused once there is another. So nothing but this set decides who may send, and a script needs to
know no subscription's key before it has looked.
"""

from dataclasses import dataclass
from itertools import count
from typing import Final, cast

from redis import Redis

from app.store import keys, scripts

AWAY: Final = 1_000_000_000_000_000
FAILING: Final = 2 * AWAY
"""Sequences and times in ms stay far below; three times as much is still a whole number in a double."""


@dataclass(frozen=True, slots=True)
class Turn:
    """The right to send to one subscription's receiver for a while.

    Attributes:
        subscription_id: whose turn it is.
        token: the score under which it was noted.
        failing: whether the last try failed.
    """

    subscription_id: str
    token: int
    failing: bool


class Turns:
    """Give turns."""

    def __init__(self, redis: Redis) -> None:
        self._take = scripts.load(redis, "subscriptions/scripts/take.lua")
        self._odd = count()

    def take(self, project_id: str, most: int, most_failing: int, lease_s: float) -> list[Turn]:
        """Give turns to those that have something to be told and whose time has come.

        Args:
            project_id: whose.
            most: turns at most.
            most_failing: of them, to those whose last try failed.
            lease_s: how long each may take, if it is not renewed.
        """
        found = cast(
            "list[list[bytes | int]]",
            self._take(
                keys=[keys.subscription_turns(project_id), keys.log_meta(project_id)],
                args=[most, most_failing, int(lease_s * 1000), AWAY, FAILING, next(self._odd) % 2],
            ),
        )
        return [
            Turn(cast("bytes", name).decode(), int(token), bool(failing)) for name, token, failing in found
        ]


def waiting_turns(redis: Redis, project_id: str, end: int) -> int:
    """Return how many turns have come that nobody has taken yet.

    Args:
        redis: where.
        project_id: whose.
        end: the log's last sequence.
    """
    seconds, micros = redis.time()
    now_ms, turns = seconds * 1000 + micros // 1000, keys.subscription_turns(project_id)
    pipeline = redis.pipeline(transaction=False)
    pipeline.zcount(turns, 0, f"({end}")
    for begin in (AWAY, FAILING):
        pipeline.zcount(turns, begin, begin + now_ms)
    return sum(pipeline.execute())
