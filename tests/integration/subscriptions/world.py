"""Subscriptions of one project, its log, and a poster that a test answers for."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from redis import Redis

from app.feed.encoding import Encoder
from app.feed.position import Position
from app.feed.reading import Feed
from app.store import keys
from app.subscriptions.posting import Posted
from app.subscriptions.sending import Sending
from app.subscriptions.settling import Settling
from app.subscriptions.subscription import Standing, Subscription, make_id
from app.subscriptions.subscriptions import Subscriptions, first_secret
from app.subscriptions.turns import AWAY, Turns
from tests.integration.feed.written_log import P, WrittenLog

TAKEN = Posted(204, None, "answered 204", None, 0.01)


def answered(status: int, retry_after: str | None = None) -> Posted:
    return Posted(status, None, f"answered {status}", retry_after, 0.01)


@dataclass
class Message:
    """What a receiver got."""

    url: str
    body: bytes
    headers: Mapping[str, str]

    @property
    def event(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


@dataclass
class FakePoster:
    """Stands in for the network."""

    answer: Callable[[Message], Posted] = lambda _message: TAKEN
    messages: list[Message] = field(default_factory=list)

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Posted:
        message = Message(url, body, headers)
        self.messages.append(message)
        return self.answer(message)


class World:
    """One project."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self.log = WrittenLog(redis)
        self.feed = Feed(redis)
        self.subscriptions = Subscriptions(redis)
        self.turns = Turns(redis)
        self.poster = FakePoster()
        self.settling = Settling(redis, lease_s=30)
        self.sending = Sending(
            redis,
            self.feed,
            self.subscriptions,
            encoder=Encoder("https://relay.example.com"),
            settling=self.settling,
            poster=self.poster,  # type: ignore[arg-type]
            changelog=self.log.changelog,
        )

    def subscribe(self, start: Position | None = None, **wanted: Any) -> Subscription:
        made = Subscription(
            id=make_id(),
            url=wanted.pop("url", "https://hooks.example.com/in"),
            projects=(P,),
            signing=first_secret(),
            created_ms=1,
            **wanted,
        )
        self.subscriptions.create(made, {P: start if start is not None else self.feed.end(P)})
        return made

    def turn(self, most: int = 10, most_failing: int = 10) -> int:
        """Give every turn that has come, and do it; say how many there were."""
        turns = self.turns.take(P, most, most_failing, 30)
        for turn in turns:
            self.sending.run(P, turn)
        return len(turns)

    def standing(self, wanted: Subscription) -> Standing:
        return self.subscriptions.standings([wanted])[0][P]

    def told(self) -> list[dict[str, Any]]:
        return [message.event for message in self.poster.messages]

    def score(self, wanted: Subscription) -> float | None:
        return self.redis.zscore(keys.subscription_turns(P), wanted.id)

    def let_time_pass(self, wanted: Subscription, seconds: float) -> None:
        """Move a waiting subscription's time to the past."""
        if (self.score(wanted) or 0) >= AWAY:
            self.redis.zincrby(keys.subscription_turns(P), -seconds * 1000, wanted.id)
