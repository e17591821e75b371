"""The syncs of a cohort, page by page of the list, with the pages that each is missing."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, cast

from redis import Redis

from app.cohorts.registry import Session, read_session
from app.store import keys

MISSING_SHOWN: Final = 100
"""Page numbers; more are counted."""
_LOOKED_AT: Final = 1_000


@dataclass(frozen=True, slots=True)
class Call:
    """The pages of one action.

    Attributes:
        seen, announced: how many came, and how many there are by the sender's word.
        missing: numbers of pages that did not come: the first hundred.
    """

    seen: int
    announced: int
    missing: Sequence[int]


@dataclass(frozen=True, slots=True)
class Sync:
    """A session, and its calls by their actions."""

    session: Session
    calls: Mapping[str, Call]


class Sessions:
    """Reads what is remembered of the syncs.

    Args:
        redis: where.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def page(
        self, project_id: str, cohort_id: str, after: str | None, limit: int
    ) -> tuple[list[Sync], str | None]:
        """Return some syncs, the newest first, and the session after which to go on; None at the end.

        Args:
            project_id: whose cohort.
            cohort_id: which.
            after: the last session of the page before; what is forgotten by now has nothing older behind it.
            limit: how many at most.
        """
        index = keys.sessions(project_id, cohort_id)
        first = 0
        if after is not None:
            rank = cast("int | None", self._redis.zrevrank(index, after))
            if rank is None:
                return [], None
            first = rank + 1
        stored = cast("list[bytes]", self._redis.zrevrange(index, first, first + limit))
        ids = [each.decode() for each in stored]
        syncs = [
            self._sync(project_id, cohort_id, session)
            for session in self._read(project_id, cohort_id, ids[:limit])
        ]
        return syncs, ids[limit - 1] if len(ids) > limit else None

    def get(self, project_id: str, cohort_id: str, session_id: str) -> Session | None:
        """Return one session; None where it is forgotten."""
        return next(iter(self._read(project_id, cohort_id, [session_id])), None)

    def _read(self, project_id: str, cohort_id: str, ids: Sequence[str]) -> list[Session]:
        pipeline = self._redis.pipeline(transaction=False)
        for session_id in ids:
            pipeline.hgetall(keys.session(project_id, cohort_id, session_id))
        stored = cast("list[dict[bytes, bytes]]", pipeline.execute())
        return [
            read_session(session_id, {name.decode(): value for name, value in fields.items()})
            for session_id, fields in zip(ids, stored, strict=True)
            if b"began_ms" in fields  # its state alone can outlive it
        ]

    def _sync(self, project_id: str, cohort_id: str, session: Session) -> Sync:
        pages = keys.session_pages(project_id, cohort_id, session.id)
        calls = {
            action: Call(seen, announced, self._missing(pages, action, seen, announced))
            for action, (seen, announced) in sorted(session.calls.items())
        }
        return Sync(session, calls)

    def _missing(self, key: str, action: str, seen: int, announced: int) -> list[int]:
        """Return the numbers of the first pages that did not come; none is looked for where all came.

        Pages count from 1. Where one came that is number 0, they count from 0.
        """
        if seen >= announced:
            return []
        first = 0 if self._redis.hexists(key, f"{action}:0") else 1

        def missing() -> Iterator[int]:
            for begin in range(first, first + announced, _LOOKED_AT):
                numbers = range(begin, min(begin + _LOOKED_AT, first + announced))
                came = self._redis.hmget(key, [f"{action}:{number}" for number in numbers])
                yield from (number for number, page in zip(numbers, came, strict=True) if page is None)

        return list(islice(missing(), min(MISSING_SHOWN, announced - seen)))
