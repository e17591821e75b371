"""Put together what sends to subscribers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from redis import Redis

from app.cohorts.changelog import ChangeLog
from app.feed.encoding import Encoder
from app.feed.reading import Feed
from app.subscriptions.addresses import AddressPolicy
from app.subscriptions.dispatching import Threads, WebhookLane
from app.subscriptions.posting import Poster
from app.subscriptions.sending import Sending
from app.subscriptions.settling import Settling
from app.subscriptions.subscriptions import Subscriptions
from app.subscriptions.turns import Turn, Turns
from config.settings import Settings

_MORE_S: Final = 5.0
"""For the look-up of the host's name, and for noting what came of a message. Where a look-up takes longer,
somebody else may send the same message meanwhile: the receiver gets it twice, and one of the two is noted."""


@dataclass(frozen=True, slots=True)
class Sender:
    """What sends.

    Attributes:
        lane: runs in a worker.
        send: does one turn of a project.
        poster: makes requests.
    """

    lane: WebhookLane
    send: Callable[[str, Turn], None]
    poster: Poster


def build_sender(
    settings: Settings,
    redis: Redis,
    subscriptions: Subscriptions,
    *,
    changelog: ChangeLog,
    feed: Feed,
    encoder: Encoder,
) -> Sender:
    """Make it; no thread starts and nothing connects before there is something to send."""
    poster = Poster(
        AddressPolicy(settings.subscriber_networks),
        timeout_s=settings.subscriber_timeout_s,
        connections=settings.subscriber_threads,
    )
    lease_s = settings.subscriber_timeout_s + _MORE_S
    sending = Sending(
        redis,
        feed,
        subscriptions,
        encoder=encoder,
        settling=Settling(redis, lease_s),
        poster=poster,
        changelog=changelog,
    )
    lane = WebhookLane(Turns(redis), Threads(settings.subscriber_threads), sending.run, lease_s)
    return Sender(lane, sending.run, poster)
