"""What people do with subscriptions: the same for the HTTP API and for commands."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from threading import BoundedSemaphore
from typing import Final

from redis import Redis

from app.feed.encoding import Encoder
from app.feed.event import Event
from app.feed.position import InvalidPosition, Position
from app.feed.reading import Feed
from app.feed.types import TEST
from app.subscriptions.addresses import AddressPolicy
from app.subscriptions.deliveries import Noted, latest
from app.subscriptions.posting import Posted, Poster
from app.subscriptions.signing import headers_of
from app.subscriptions.subscription import Standing, Subscription, make_id
from app.subscriptions.subscriptions import Subscriptions, first_secret
from app.subscriptions.wish import InvalidWish, Wish
from config.secret import Secret
from config.settings import Settings

MOST_TESTS: Final = 2
"""At once in a process: a receiver that hangs keeps a thread for SUBSCRIBER_TIMEOUT_S."""
NOW: Final = "now"
OLDEST: Final = "oldest"


class TooManyTests(Exception):  # noqa: N818 - a state, not a mistake of the caller
    """As many test messages are under way as may be."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A subscription, and where it stands in each of its projects."""

    wanted: Subscription
    standings: dict[str, Standing]


class Desk:
    """Takes wishes.

    Args:
        settings: what may be wished.
        redis: where deliveries are noted.
        subscriptions: those that there are.
        feed: knows places in the log.
        encoder: writes test messages.
        poster: sends them.
    """

    def __init__(
        self,
        settings: Settings,
        redis: Redis,
        subscriptions: Subscriptions,
        *,
        feed: Feed,
        encoder: Encoder,
        poster: Poster,
    ) -> None:
        self._settings = settings
        self._policy = AddressPolicy(settings.subscriber_networks)
        self._redis = redis
        self._subscriptions = subscriptions
        self._feed = feed
        self._encoder = encoder
        self._poster = poster
        self._testing = BoundedSemaphore(MOST_TESTS)

    def create(self, wish: Wish, projects: Sequence[str], start: str = NOW) -> tuple[Subscription, Secret]:
        """Make a subscription; its secret is told here, and never again.

        Args:
            wish: what its owner chooses.
            projects: whose changes.
            start: `now`, `oldest`, an event's id, a sequence, or a snapshot's position (of one project only).

        Raises:
            InvalidWish: it cannot be had.
            TooManySubscriptions: there are too many.
        """
        chosen = wish.checked(self._policy, plain_http=self._settings.subscriber_http)
        projects = tuple(dict.fromkeys(projects))
        if not projects:
            raise InvalidWish("projects", "must name a project")
        starts = {project_id: self._place(project_id, start) for project_id in projects}
        if start not in (NOW, OLDEST) and len(projects) > 1:
            raise InvalidWish("from", f"must be {NOW} or {OLDEST}, since it is for several projects")
        signing = first_secret()
        wanted = Subscription(
            id=make_id(),
            url=wish.url,
            projects=projects,
            signing=signing,
            created_ms=_now_ms(),
            types=chosen.types,
            cohorts=chosen.cohorts,
            batch=wish.batch,
            rate=wish.rate,
            description=wish.description,
        )
        self._subscriptions.create(wanted, starts)
        return wanted, signing[0].secret

    def change(self, wanted: Subscription, wish: Wish) -> Subscription | None:
        """Let its owner choose anew; None where it was deleted meanwhile.

        Raises:
            InvalidWish: it cannot be had.
        """
        chosen = wish.checked(self._policy, plain_http=self._settings.subscriber_http)
        return self._subscriptions.edit(
            wanted.id,
            lambda found: replace(
                found,
                url=wish.url,
                types=chosen.types,
                cohorts=chosen.cohorts,
                batch=wish.batch,
                rate=wish.rate,
                description=wish.description,
            ),
        )

    def all(self) -> list[Seen]:
        """Return all, the oldest first, and where they stand."""
        return self.look(self.listed())

    def listed(self) -> list[Subscription]:
        """Return all, the oldest first."""
        return self._subscriptions.all()

    def look(self, wanted: Sequence[Subscription]) -> list[Seen]:
        """Look where some stand."""
        standings = self._subscriptions.standings(wanted)
        return [Seen(each, stands) for each, stands in zip(wanted, standings, strict=True)]

    def see(self, subscription_id: str) -> Seen | None:
        """Return one; None if there is none with this id."""
        wanted = self._subscriptions.get(subscription_id)
        return self.look([wanted])[0] if wanted else None

    def pause(self, wanted: Subscription, by: str, why: str) -> None:
        """Send nothing more until it is resumed."""
        self._subscriptions.pause(wanted, by, why, _now_ms())

    def resume(self, wanted: Subscription) -> None:
        """Send again, at once."""
        self._subscriptions.resume(wanted)

    def rotate(self, wanted: Subscription, overlap_s: float) -> Secret | None:
        """Give it a new secret; for a while, messages are signed with the one before, too."""
        return self._subscriptions.rotate(wanted, _now_ms() + int(overlap_s * 1000))

    def delete(self, wanted: Subscription) -> None:
        """Forget it."""
        self._subscriptions.delete(wanted)

    def test(self, wanted: Subscription) -> Posted:
        """Send it a test message now, and say what came of it; its place stays.

        Raises:
            TooManyTests: others are under way: each has a thread, of which a web server has few.
        """
        if not self._testing.acquire(blocking=False):
            raise TooManyTests
        try:
            return self._test(wanted)
        finally:
            self._testing.release()

    def _test(self, wanted: Subscription) -> Posted:
        place = Position("test", _now_ms())
        event = Event(wanted.projects[0], TEST, place, place, _now_ms(), "", {"subscription_id": wanted.id})
        body = self._encoder.encode(event)
        return self._poster.post(
            wanted.url, body, headers_of(event.id, body, wanted.signing, datetime.now(UTC))
        )

    def redeliver(self, wanted: Subscription, project_id: str, start: str) -> Position:
        """Tell everything behind a place again, and resume it if it is paused; return the place.

        Raises:
            InvalidWish: it is not for this project, or that is no place in its log.
        """
        if project_id not in wanted.projects:
            raise InvalidWish("project", "must be one that the subscription is for")
        place = self._place(project_id, start)
        if not self._subscriptions.move(wanted, project_id, place):
            raise InvalidWish("project", "must be one that the subscription is for")
        return place

    def deliveries(self, wanted: Subscription, project_id: str, most: int) -> list[Noted]:
        """Return the last requests in a project, the newest first."""
        return latest(self._redis, project_id, wanted.id, most)

    def distance(self) -> Callable[[str, Standing], int]:
        """Return what says how many log entries one has not been told of; it looks at each log's end once."""
        end = cache(self._feed.end)
        return lambda project_id, standing: max(0, end(project_id).sequence - standing.position.next + 1)

    def _place(self, project_id: str, start: str) -> Position:
        """Return the place that a word or an id stands for."""
        if start == NOW:
            return self._feed.end(project_id)
        if start == OLDEST:
            return self._feed.oldest(project_id)
        try:
            place = Position.parse(start)
        except InvalidPosition as error:
            raise InvalidWish(
                "from", f"must be {NOW}, {OLDEST}, a sequence or an event's id: {error}"
            ) from None
        if self._feed.end(project_id).is_before(place):
            raise InvalidWish("from", "lies behind the end of the log")
        return place


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
