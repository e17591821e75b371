"""The subscriptions that there are: made, looked up, paused, moved and deleted."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final, Literal, cast

from redis import Redis
from redis.exceptions import RedisError

from app.feed.position import Position
from app.store import keys, scripts
from app.subscriptions.signing import SigningSecret, make_secret
from app.subscriptions.subscription import Standing, Subscription, place_of
from app.subscriptions.turns import AWAY, FAILING
from config.secret import Secret

MOST_SUBSCRIPTIONS: Final = 5_000


class TooManySubscriptions(Exception):  # noqa: N818 - a state, not a mistake of the caller
    """There are as many as there may be; some must be deleted first."""


class Subscriptions:
    """Keeps them. What an owner wants is kept once; how far it has come, in each project.

    Args:
        redis: where.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._steer = scripts.load(redis, "subscriptions/scripts/steer.lua")
        self._replace = scripts.load(redis, "subscriptions/scripts/replace.lua")

    def create(self, wanted: Subscription, starts: Mapping[str, Position]) -> None:
        """Keep a new one.

        Args:
            wanted: with its id and a secret.
            starts: for each of its projects, the place behind which it begins.

        Raises:
            TooManySubscriptions: there are 5,000.
        """
        if self._redis.hlen(keys.subscriptions()) >= MOST_SUBSCRIPTIONS:
            raise TooManySubscriptions
        try:
            self._redis.hset(keys.subscriptions(), wanted.id, wanted.encoded())
            for project_id in wanted.projects:
                start = starts[project_id]
                place = place_of(start)
                self._steered(project_id, wanted.id, _Step("new", place, place, {"position": str(start)}))
        except RedisError:  # it is full, or does not answer: half a subscription must not stay
            with suppress(RedisError):
                self.delete(wanted)
            raise

    def get(self, subscription_id: str) -> Subscription | None:
        """Return one; None if there is none with this id."""
        stored = cast("bytes | None", self._redis.hget(keys.subscriptions(), subscription_id))
        return Subscription.decoded(stored) if stored else None

    def all(self) -> list[Subscription]:
        """Return all, the oldest first."""
        found = [
            Subscription.decoded(cast("bytes", stored))
            for _, stored in self._redis.hscan_iter(keys.subscriptions(), count=500)
        ]
        return sorted(found, key=lambda each: (each.created_ms, each.id))

    def edit(
        self, subscription_id: str, change: Callable[[Subscription], Subscription]
    ) -> Subscription | None:
        """Keep what an owner wants now, and return it; None where there is none with this id.

        Args:
            subscription_id: which.
            change: makes it of what is kept; called again where somebody else changed that meanwhile.
        """
        while (
            stored := cast("bytes | None", self._redis.hget(keys.subscriptions(), subscription_id))
        ) is not None:
            changed = change(Subscription.decoded(stored))
            if self._replace(keys=[keys.subscriptions()], args=[subscription_id, stored, changed.encoded()]):
                return changed
        return None

    def rotate(self, wanted: Subscription, old_until_ms: int) -> Secret | None:
        """Give a subscription a new secret, and return it; None where it was deleted.

        Args:
            wanted: the subscription.
            old_until_ms: until when messages are signed with the one before, too.
        """
        secret = make_secret()
        return secret if self.edit(wanted.id, lambda found: found.rotated(secret, old_until_ms)) else None

    def standings(self, wanted: Iterable[Subscription]) -> list[dict[str, Standing]]:
        """Return where subscriptions stand, by project."""
        wanted = list(wanted)
        pipeline = self._redis.pipeline(transaction=False)
        for each in wanted:
            for project_id in each.projects:
                pipeline.hgetall(keys.subscription(project_id, each.id))
        stored = iter(pipeline.execute())
        return [
            {
                project_id: Standing.decoded(found)
                for project_id in each.projects
                if (found := next(stored)) and b"position" in found
            }
            for each in wanted
        ]

    def pause(self, wanted: Subscription, by: str, why: str, now_ms: int) -> None:
        """Send nothing more until it is resumed. What comes meanwhile waits in the log, while it can."""
        step = _Step("old", None, None, {"state": "paused", "by": by, "why": why, "since_ms": now_ms})
        for project_id in wanted.projects:
            self._steered(project_id, wanted.id, step)

    def resume(self, wanted: Subscription) -> None:
        """Send again, at once, and begin anew with the tries of the message that comes next."""
        for project_id, standing in self.standings([wanted])[0].items():
            place = place_of(standing.position)
            self._steered(project_id, wanted.id, _Step("old", place, place, dropped=_ALL_IS_WELL))

    def move(self, wanted: Subscription, project_id: str, position: Position) -> bool:
        """Tell everything behind a position (again), paused or not; say whether it is for that project."""
        place = place_of(position)
        step = _Step("old", place, place, {"position": str(position)}, ("pending", *_ALL_IS_WELL))
        return self._steered(project_id, wanted.id, step)

    def delete(self, wanted: Subscription) -> None:
        """Forget it. A message that is on its way may still arrive.

        What it is goes last: after a crash in between it is still listed, and can be deleted.
        """
        for project_id in wanted.projects:
            self.forget(project_id, wanted.id)
        self._redis.hdel(keys.subscriptions(), wanted.id)

    def leave(self, project_id: str) -> None:
        """Let no subscription be for a project any more; those that were for this one only are deleted."""
        for each in self.all():
            if project_id not in each.projects:
                continue
            others = tuple(other for other in each.projects if other != project_id)
            if others:
                self.edit(each.id, partial(replace, projects=others))
            else:
                self.delete(each)

    def forget(self, project_id: str, subscription_id: str) -> None:
        """Drop what is kept of one in a project."""
        pipeline = self._redis.pipeline()
        pipeline.zrem(keys.subscription_turns(project_id), subscription_id)
        pipeline.zrem(keys.subscription_places(project_id), subscription_id)
        pipeline.unlink(
            keys.subscription(project_id, subscription_id),
            keys.subscription_deliveries(project_id, subscription_id),
        )
        pipeline.execute()

    def lowest_place(self, project_id: str) -> tuple[str, int] | None:
        """Return who stands furthest behind, and up to which sequence it was told everything."""
        found = cast(
            "list[tuple[bytes, float]]",
            self._redis.zrange(keys.subscription_places(project_id), 0, 0, withscores=True),
        )
        return (found[0][0].decode(), int(found[0][1])) if found else None

    def _steered(self, project_id: str, subscription_id: str, step: "_Step") -> bool:
        words = ("" if at is None else at for at in (step.turn, step.place))
        pairs = (part for pair in step.fields.items() for part in pair)
        return bool(
            self._steer(
                keys=[
                    keys.subscription_turns(project_id),
                    keys.subscription_places(project_id),
                    keys.subscription(project_id, subscription_id),
                ],
                args=[
                    subscription_id,
                    step.kind,
                    *words,
                    AWAY,
                    FAILING,
                    len(step.fields),
                    *pairs,
                    *step.dropped,
                ],
            )
        )


@dataclass(frozen=True, slots=True)
class _Step:
    """What a person does with a subscription in a project.

    Attributes:
        kind: `new` if there must be none yet, `old` if there must be one.
        turn: score of its turn; None for no turn.
        place: up to which sequence it was told everything; None to keep that.
        fields, dropped: of its hash.
    """

    kind: Literal["new", "old"]
    turn: int | None
    place: int | None
    fields: Mapping[str, str | int] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()


_ALL_IS_WELL: Final = ("state", "by", "why", "since_ms", "tries")
"""Fields that a subscription has only while something keeps it from being sent to."""


def first_secret() -> tuple[SigningSecret, ...]:
    """Make the secret of a new subscription."""
    return (SigningSecret(make_secret()),)
