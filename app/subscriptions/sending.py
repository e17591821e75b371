"""One subscription's turn: the events that come next, posted one after the other, each noted once taken."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final, Literal, cast

from redis import Redis, RedisError
from structlog.stdlib import get_logger

from app.cohorts.changelog import ChangeLog
from app.feed.encoding import Encoder
from app.feed.event import Event
from app.feed.position import Position
from app.feed.reading import Feed, Window
from app.feed.types import GAP
from app.mixpanel.retry import retry_after_s
from app.store import keys
from app.store.faults import redis_word
from app.subscriptions.deliveries import Delivery
from app.subscriptions.posting import Posted, Poster
from app.subscriptions.schedule import retry_in_s
from app.subscriptions.settling import Settling, Taken, TurnLost
from app.subscriptions.signing import headers_of
from app.subscriptions.subscription import Standing, Subscription
from app.subscriptions.subscriptions import Subscriptions
from app.subscriptions.turns import Turn

TURN_S: Final = 5.0
"""How long a turn goes on while there is more: then others have theirs."""
EVENTS_A_READ: Final = 20
SLEEPS_S: Final = 0.25
"""A pause for a rate up to this long is slept through; for a longer one the turn is given back."""

log = get_logger(__name__)


@dataclass(slots=True)
class _Course:
    """A turn under way."""

    project_id: str
    wanted: Subscription
    turn: Turn
    position: Position
    previous: str
    sent: int = 0
    begun_s: float = field(default_factory=time.monotonic)

    @property
    def is_over(self) -> bool:
        return time.monotonic() - self.begun_s >= TURN_S

    @property
    def pause_s(self) -> float:
        """How long it has to wait with the next message, for the rate that its owner wants."""
        if not self.wanted.rate:
            return 0.0
        return max(0.0, self.begun_s + self.sent / self.wanted.rate - time.monotonic())


class Sending:
    """Do turns.

    Args:
        redis: where subscriptions stand.
        feed: what there is to tell.
        subscriptions: what their owners want.
        encoder: how events are written.
        settling: how a turn is noted.
        poster: how a message goes out.
        changelog: is told when a subscription is given up.
    """

    def __init__(
        self,
        redis: Redis,
        feed: Feed,
        subscriptions: Subscriptions,
        *,
        encoder: Encoder,
        settling: Settling,
        poster: Poster,
        changelog: ChangeLog,
    ) -> None:
        self._redis = redis
        self._feed = feed
        self._encoder = encoder
        self._subscriptions = subscriptions
        self._settling = settling
        self._poster = poster
        self._changelog = changelog

    def run(self, project_id: str, turn: Turn) -> None:
        """Send what comes next, until there is nothing more, its time is over, or a message is not taken.

        Whatever goes wrong is over with the turn: its lease runs out, and the next one begins where it stood.
        """
        try:
            self._run(project_id, turn)
        except TurnLost:
            log.info("subscription_turn_lost", project_id=project_id, subscription_id=turn.subscription_id)
        except RedisError as error:
            log.warning(
                "subscription_interrupted",
                project_id=project_id,
                subscription_id=turn.subscription_id,
                error=type(error).__name__,
                redis=redis_word(error),
            )
        except Exception:  # the thread's edge: the subscription must get its next turn whatever it was
            log.exception("subscription_failed", project_id=project_id, subscription_id=turn.subscription_id)

    def _run(self, project_id: str, turn: Turn) -> None:
        wanted = self._subscriptions.get(turn.subscription_id)
        stored = cast(
            "dict[bytes, bytes]",
            self._redis.hgetall(keys.subscription(project_id, turn.subscription_id)),
        )
        if wanted is None or b"position" not in stored:
            self._subscriptions.forget(project_id, turn.subscription_id)
            return
        standing = Standing.decoded(stored)
        course = _Course(project_id, wanted, turn, standing.position, standing.previous)
        if standing.pending is None or self._again(course, standing.pending, standing.tries):
            while self._go_on(course):
                pass

    def _again(self, course: _Course, pending: Position, tries: int) -> bool:
        """Send the very event that was tried before; say whether to go on."""
        window = self._read(course, pending, most=1)
        return all(self._send(course, event, None, tries) for event in window.events)

    def _go_on(self, course: _Course) -> bool:
        """Send the events that come next; say whether to go on."""
        window = self._read(course)
        # An event is noted before it is sent: after a crash in between, the log may have got more, which
        # would make it another event.
        coming = [*(event.after for event in window.events[1:]), None]
        for number, (event, pending) in enumerate(zip(window.events, coming, strict=False)):
            if number == 0:
                course.turn = self._settling.intends(course.project_id, course.turn, event.after)
            if not self._send(course, event, pending):
                return False
        passed = window.after != course.position
        course.position = window.after
        if not window.more:
            self._settling.over(course.project_id, course.turn, course.position, passed=passed)
            return False
        if passed:
            course.turn = self._settling.passed(course.project_id, course.turn, window.after)
        if course.is_over:
            self._settling.put_off(course.project_id, course.turn, 0)
            return False
        return True

    def _read(self, course: _Course, upto: Position | None = None, most: int = EVENTS_A_READ) -> Window:
        wanted = course.wanted
        return self._feed.read(
            course.project_id,
            course.position,
            wanted.filter,
            batch=wanted.batch,
            max_events=most,
            upto=upto,
        )

    def _send(self, course: _Course, event: Event, pending: Position | None, tries: int = 0) -> bool:
        """Send one event, note what came of it, and say whether to go on.

        Args:
            course: the turn.
            event: to be sent.
            pending: the place behind the event that comes next, if it was read already.
            tries: how often it was tried before.
        """
        body = self._encoder.encode(event, course.previous or None)
        headers = headers_of(event.id, body, course.wanted.signing, datetime.now(UTC))
        posted = self._poster.post(course.wanted.url, body, headers)
        course.sent += 1
        delivery = Delivery.of(event, tries + 1, posted)
        if not posted.taken:
            self._not_taken(course, event, delivery, posted)
            return False
        course.turn = self._settling.taken(
            course.project_id,
            course.turn,
            Taken(event.after, event.id, pending, event.type == GAP, _lost(event)),
            delivery,
        )
        course.position, course.previous = event.after, event.id
        return self._keeps_pace(course)

    def _keeps_pace(self, course: _Course) -> bool:
        """Wait as its rate asks for; say whether the turn goes on."""
        pause_s = course.pause_s
        if course.is_over or pause_s > SLEEPS_S:
            self._settling.put_off(course.project_id, course.turn, pause_s)
            return False
        time.sleep(pause_s)
        return True

    def _not_taken(self, course: _Course, event: Event, delivery: Delivery, posted: Posted) -> None:
        """Note when the event is tried again, or that it is not."""
        asked_s = retry_after_s(posted.retry_after, datetime.now(UTC))
        retry_s = retry_in_s(delivery.tries, asked_s)
        if posted.status == HTTPStatus.GONE:
            self._give_up(course, "ended", "the receiver answered 410: it wants nothing more", delivery)
        elif retry_s is None:
            why = f"{delivery.tries} tries in three days failed, the last one: {delivery.reason}"
            self._give_up(course, "paused", why, delivery)
        else:
            self._settling.failed(course.project_id, course.turn, event.after, delivery, retry_s)

    def _give_up(
        self, course: _Course, state: Literal["paused", "ended"], why: str, delivery: Delivery
    ) -> None:
        self._settling.given_up(course.project_id, course.turn, state, why, delivery)
        log.warning(
            "subscription_given_up",
            state=state,
            project_id=course.project_id,
            subscription_id=course.wanted.id,
            reason=why,
        )
        detail = {"subscription_id": course.wanted.id, "reason": why}
        self._changelog.append(course.project_id, f"subscription.{state}", detail)


def _lost(event: Event) -> int:
    """Return how many entries a gap tells of, as far as anybody knows."""
    if event.type != GAP or event.data["to"] is None:
        return 0
    return int(event.data["to"]) - int(event.data["from"]) + 1
