"""Delete a project: everything of it, counted, in short steps, to be broken off at any time.

The first step is one script: it leaves a mark, and removes the lanes together with whatever gives them work.
From there on no page and no submission of the project is taken in (503, which never pauses a sync), no lane
of it starts, and the writes of a worker that still has one are refused by the fence. So what follows finds
nobody in its way: all keys are walked and removed, until a walk finds none but the mark. That goes last.

What stays: the audit log, which says who did this; jobs in RQ's queues, which do nothing and end by
themselves; whatever Mixpanel's profiles were told.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

from redis import Redis

from app.access.tokens import Tokens
from app.installation.stored import Amount, Amounts, count, is_project_id, scan
from app.lanes.work import LANES
from app.metrics.stored import StoredMetrics
from app.store import keys, scripts
from app.store.keys import Place
from app.store.slices import slices
from app.subscriptions.subscriptions import Subscriptions

AT_ONCE: Final = 100
"""Keys that one script removes."""
MOST_WALKS: Final = 20
_LEAVING: Final = "leaving"


class StillWritten(Exception):  # noqa: N818 - a state that only a fault of ours can bring about
    """Keys of the project appear as fast as they are removed."""


@dataclass(frozen=True, slots=True)
class Holdings:
    """What there is of a project, or what was.

    Attributes:
        amounts: keys and entries by kind.
        tokens: of the API, that reach this project only.
        metrics: numbers that name it.
        leaving_since_ms: when its deletion began, if one did.
    """

    amounts: Amounts
    tokens: int
    metrics: int
    leaving_since_ms: int | None = None

    def __bool__(self) -> bool:
        """Say whether there is anything."""
        return bool(self.amounts or self.tokens or self.metrics or self.leaving_since_ms is not None)


class Deleting:
    """Looks what there is of a project, and deletes it.

    Args:
        redis: where.
        tokens: revoked if they reach this project only.
        metrics: forgotten if they name it.
    """

    def __init__(self, redis: Redis, tokens: Tokens, metrics: StoredMetrics) -> None:
        self._redis = redis
        self._tokens = tokens
        self._metrics = metrics
        self._subscriptions = Subscriptions(redis)
        self._unlink = scripts.load(redis, "installation/scripts/unlink.lua")

    def look(self, project_id: str) -> Holdings:
        """Count what there is of a project, whether it is configured or not; changes nothing."""
        if not is_project_id(project_id):
            return Holdings({}, 0, 0)
        amounts = dict(count(self._redis, project_id).get(project_id, {}))
        amounts.pop(_LEAVING, None)
        return Holdings(
            amounts,
            sum(token.project_id == project_id for token in self._tokens.all()),
            len(self._metrics.fields_of(project_id)),
            self._leaving_since(project_id),
        )

    def knows(self, project_id: str) -> bool:
        """Say whether there is anything of a project; quicker than to count it where there is."""
        return is_project_id(project_id) and (
            any(token.project_id == project_id for token in self._tokens.all())
            or any(True for _ in scan(self._redis, project_id))
        )

    def run(self, project_id: str, by: str) -> Iterator[int]:
        """Delete a project, or go on with it where that was broken off; after the last step it is gone.

        Args:
            project_id: whose everything.
            by: who wants it, for whoever finds the deletion broken off.

        Yields:
            how many keys the step before has removed.

        Raises:
            StillWritten: something keeps writing.
        """
        if not is_project_id(project_id):
            raise ValueError("no project's id")
        yield self._remove(project_id, list(_heads(project_id)), by)
        for _ in range(MOST_WALKS):
            removed = 0
            for some in scan(self._redis, project_id):
                names = [name.decode() for name in some if name.decode() != keys.leaving(project_id)]
                for each in slices(names, AT_ONCE):
                    removed += (gone := self._remove(project_id, each, by))
                    yield gone
            if not removed:
                break
        else:
            raise StillWritten(project_id)
        self._forget_others(project_id, by)

    def finish(self, project_id: str) -> Holdings:
        """Take the mark away, and return what went: since the beginning, by however many runs."""
        key = keys.leaving(project_id)
        gone = holdings(cast("dict[bytes, bytes]", self._redis.hgetall(key)))
        self._redis.unlink(key)
        return gone

    def leaving(self, project_id: str) -> Holdings:
        """Return what of a project went so far."""
        return holdings(cast("dict[bytes, bytes]", self._redis.hgetall(keys.leaving(project_id))))

    def _remove(
        self, project_id: str, names: Sequence[str], by: str, tokens: int = 0, metrics: int = 0
    ) -> int:
        places = [Place.of(name.encode()) for name in names]
        kinds = [place.kind if place else "" for place in places]
        return cast(
            "int", self._unlink(keys=[keys.leaving(project_id), *names], args=[by, tokens, metrics, *kinds])
        )

    def _forget_others(self, project_id: str, by: str) -> None:
        """Revoke tokens, forget numbers, and count that, too; no subscription is for the project any more."""
        self._subscriptions.leave(project_id)
        own = [token.id for token in self._tokens.all() if token.project_id == project_id]
        tokens = sum(map(self._tokens.revoke, own))
        metrics = self._metrics.forget(self._metrics.fields_of(project_id))
        self._remove(project_id, [], by, tokens, metrics)

    def _leaving_since(self, project_id: str) -> int | None:
        since = cast("bytes | None", self._redis.hget(keys.leaving(project_id), "since_ms"))
        return int(since) if since else None


def holdings(stored: Mapping[bytes, bytes]) -> Holdings:
    """Read the mark of a project that is being deleted."""
    found: dict[str, Amount] = {}
    for name, value in sorted(stored.items()):
        what, _, kind = name.decode().partition(":")
        if what in ("keys", "entries"):
            found[kind] = found.get(kind, Amount()) + Amount(**{what: int(value)})
    since = stored.get(b"since_ms")
    return Holdings(
        dict(sorted(found.items())),
        int(stored.get(b"tokens", 0)),
        int(stored.get(b"metrics", 0)),
        int(since) if since else None,
    )


def _heads(project_id: str) -> Iterator[str]:
    """Give the lanes, and what gives them work: what has to go in one step."""
    names = [
        name
        for kind in LANES.values()
        for name in (keys.lane(project_id, kind.name), *kind.work_keys(project_id))
    ]
    return iter(dict.fromkeys(names))
