"""What a turn writes: how far a subscription has come, or why it has not, fenced by the turn's token."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from redis import Redis

from app.feed.position import Position
from app.store import keys, scripts
from app.subscriptions import deliveries
from app.subscriptions.deliveries import Delivery
from app.subscriptions.subscription import place_of
from app.subscriptions.turns import AWAY, FAILING, Turn

_TROUBLE: Final[tuple[str, ...]] = ("state", "why", "since_ms", "tries")
"""Fields that go once a message is taken, or is not wanted any more."""


class TurnLost(Exception):  # noqa: N818 - an event, not an error of the caller
    """The turn is somebody else's, or a person paused, moved or deleted the subscription."""


@dataclass(frozen=True, slots=True)
class Taken:
    """An event that was taken.

    Attributes:
        after: the place behind it.
        event_id: its id, the next one's `previous`.
        pending: the place behind the event that comes next, if that is known.
        gaps: whether it told of a gap.
        lost: log entries of which it told that they are gone.
    """

    after: Position
    event_id: str
    pending: Position | None
    gaps: bool
    lost: int


@dataclass(frozen=True, slots=True)
class _Next:
    """What comes after: the turn goes `on`, or it is over; in how many ms, or at which sequence."""

    kind: Literal["on", "away", "failing", "ready", "out"]
    value: int = 0


@dataclass(frozen=True, slots=True)
class _Write:
    """What a turn writes: its place, the request, fields of the subscription's hash, and counts in it."""

    comes: _Next
    place: int | Literal["none"] | None = None
    delivery: Delivery | None = None
    fields: Mapping[str, str | int] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()


class Settling:
    """Write on behalf of one project's turns.

    Args:
        redis: where.
        lease_s: how long a turn goes on without a word.
        now_ms: the time.
    """

    def __init__(
        self, redis: Redis, lease_s: float, now_ms: Callable[[], int] = lambda: int(time.time() * 1000)
    ) -> None:
        self._settle = scripts.load(redis, "subscriptions/scripts/settle.lua")
        self._on = _Next("on", int(lease_s * 1000))
        self._now_ms = now_ms

    def taken(self, project_id: str, turn: Turn, taken: Taken, delivery: Delivery) -> Turn:
        """Note that an event was taken; the turn goes on.

        Raises:
            TurnLost: nothing was written.
        """
        fields: dict[str, str | int] = {
            "position": str(taken.after),
            "previous": taken.event_id,
            "taken_ms": self._now_ms(),
        }
        if taken.pending:
            fields["pending"] = str(taken.pending)
        dropped = _TROUBLE if taken.pending else (*_TROUBLE, "pending")
        counts = {"taken": 1, "gaps": int(taken.gaps), "lost": taken.lost}
        place = place_of(taken.after)
        return self._run(project_id, turn, _Write(self._on, place, delivery, fields, counts, dropped))

    def intends(self, project_id: str, turn: Turn, pending: Position) -> Turn:
        """Note which event is about to be sent; the turn goes on.

        Raises:
            TurnLost: nothing was written.
        """
        return self._run(project_id, turn, _Write(self._on, fields={"pending": str(pending)}))

    def passed(self, project_id: str, turn: Turn, after: Position) -> Turn:
        """Note a place behind events that are not wanted; the turn goes on.

        Raises:
            TurnLost: nothing was written.
        """
        fields = {"position": str(after)}
        return self._run(
            project_id, turn, _Write(self._on, place_of(after), fields=fields, dropped=("pending", *_TROUBLE))
        )

    def over(self, project_id: str, turn: Turn, at: Position, *, passed: bool) -> None:
        """End the turn at what there was to tell; the next one comes with what is new.

        Args:
            project_id: whose.
            turn: that ends.
            at: the place it has come to.
            passed: whether that is still to be noted.

        Raises:
            TurnLost: nothing was written.
        """
        comes = _Next("ready", place_of(at))
        if not passed:
            self._run(project_id, turn, _Write(comes))
            return
        fields = {"position": str(at)}
        dropped = ("pending", *_TROUBLE)
        self._run(project_id, turn, _Write(comes, place_of(at), fields=fields, dropped=dropped))

    def put_off(self, project_id: str, turn: Turn, wait_s: float) -> None:
        """End the turn although there is more; the next one comes after a pause, behind those that wait.

        Raises:
            TurnLost: nothing was written.
        """
        self._run(project_id, turn, _Write(_Next("away", int(wait_s * 1000))))

    def failed(
        self, project_id: str, turn: Turn, pending: Position, delivery: Delivery, retry_s: float
    ) -> None:
        """Note that an event was not taken, end the turn, and try that event again after a pause.

        Raises:
            TurnLost: nothing was written.
        """
        fields: dict[str, str | int] = {
            "state": "failing",
            "why": delivery.reason,
            "pending": str(pending),
            "tries": delivery.tries,
        }
        if delivery.tries == 1:
            fields["since_ms"] = self._now_ms()
        comes = _Next("failing", int(retry_s * 1000))
        self._run(project_id, turn, _Write(comes, None, delivery, fields, {"failed": 1}))

    def given_up(
        self, project_id: str, turn: Turn, state: Literal["paused", "ended"], why: str, delivery: Delivery
    ) -> None:
        """Note that nothing is sent any more until a person acts, and end the turn.

        One that has ended holds the log no longer.

        Raises:
            TurnLost: nothing was written.
        """
        fields: dict[str, str | int] = {"state": state, "why": why, "by": "relay", "since_ms": self._now_ms()}
        place: Literal["none"] | None = "none" if state == "ended" else None
        write = _Write(_Next("out"), place, delivery, fields, {"failed": 1}, ("tries",))
        self._run(project_id, turn, write)

    def _run(self, project_id: str, turn: Turn, write: _Write) -> Turn:
        name = turn.subscription_id
        token = self._settle(
            keys=[
                keys.subscription_turns(project_id),
                keys.subscription_places(project_id),
                keys.subscription(project_id, name),
                keys.subscription_deliveries(project_id, name),
                keys.subscription_counts(project_id),
            ],
            args=[
                *(name, turn.token, write.comes.kind, write.comes.value),
                "" if write.place is None else write.place,
                write.delivery.encoded() if write.delivery else "",
                *(deliveries.KEPT, deliveries.KEPT_MS, AWAY, FAILING, len(write.fields)),
                *(part for pair in write.fields.items() for part in pair),
                len(write.counts),
                *(part for pair in write.counts.items() for part in pair),
                *write.dropped,
            ],
        )
        if token < 0:
            raise TurnLost(name)
        return replace(turn, token=int(token))
