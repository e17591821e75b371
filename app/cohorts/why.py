"""Why somebody is in cohorts: since when, by which syncs, and what of that is still in doubt.

A member's entry holds two epochs: that by which the person came in, and that which last said something of
the person. An epoch's sync is noted; which of its pages it was is known only while the session is kept, and
where just one page can have been it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

import orjson
from redis import Redis

from app.cohorts.buckets import bucket_of
from app.cohorts.epoch_times import Began, EpochTimes
from app.cohorts.epochs import ADD, MEMBERS, REMOVE, Entry, Machine
from app.cohorts.packing import pack_id, unpack_entry
from app.cohorts.sessions import Sessions
from app.store import keys

MOST_PAGES: Final = 1_000
"""Of a session, that are looked through for the one."""
_LISTING: Final = (MEMBERS, ADD)
_DOUBTS: Final[Mapping[tuple[bool, str], str]] = {
    (True, "open"): "brought in by a sync of which pages are still missing; it counts meanwhile",
    (True, "done"): "brought in by a complete sync, which a later one will confirm or refute",
    (
        True,
        "failed",
    ): "brought in by a sync that was given up half-way; a later one decides whether it counts",
    (False, "open"): "taken out by a sync of which pages are still missing; it counts meanwhile",
    (False, "done"): "taken out by a complete sync, which a later one will confirm or refute",
    (
        False,
        "failed",
    ): "taken out by a sync that was given up half-way; a later one decides whether it counts",
}


@dataclass(frozen=True, slots=True)
class Named:
    """A sync that said something of a person.

    Attributes:
        session_id: the export.
        time_ms: when the newest of its pages was accepted.
        state: `open`, `completed` or `superseded`; None once the session is forgotten.
        page: (action, number) of the page, where it is known.
    """

    session_id: str
    time_ms: int
    state: str | None
    page: tuple[str, int] | None


@dataclass(frozen=True, slots=True)
class Why:
    """Why somebody is in a cohort, or was until a sync that is still in doubt.

    Attributes:
        cohort_id, cohort_name: which.
        member: whether the person is in it now.
        brought: the sync by which the person came in; None for who is out, and where it is not known.
        last_named: the sync that last said something of the person, or settled what others had said.
        doubts: what is not certain yet, in words; empty where all is.
    """

    cohort_id: str
    cohort_name: str
    member: bool
    brought: Named | None
    last_named: Named | None
    doubts: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Cohort:
    id: str
    name: str
    buckets: int
    suspect: str
    partial: str


class Whys:
    """Looks somebody up in all cohorts of a project.

    Args:
        redis: where.
        sessions: of the cohorts.
    """

    def __init__(self, redis: Redis, sessions: Sessions) -> None:
        self._redis = redis
        self._sessions = sessions
        self._times = EpochTimes(redis)

    def of(self, project_id: str, distinct_id: str) -> list[Why]:
        """Return the cohorts that somebody is in, or may be in again, by name."""
        cohorts = self._cohorts(project_id)
        found = self._entries(project_id, pack_id(distinct_id), cohorts)
        return [self._why(project_id, cohort, found[cohort.id]) for cohort in cohorts if cohort.id in found]

    def _cohorts(self, project_id: str) -> list[_Cohort]:
        ids = [each.decode() for each in cast("set[bytes]", self._redis.smembers(keys.cohorts(project_id)))]
        pipeline = self._redis.pipeline(transaction=False)
        for cohort_id in ids:
            pipeline.hmget(keys.cohort(project_id, cohort_id), ("name", "buckets", "suspect", "partial"))
        found = [
            _Cohort(cohort_id, name.decode(), int(buckets), suspect.decode(), partial.decode())
            for cohort_id, (name, buckets, suspect, partial) in zip(ids, pipeline.execute(), strict=True)
            if name is not None
        ]
        return sorted(found, key=lambda cohort: (cohort.name, cohort.id))

    def _entries(self, project_id: str, packed_id: bytes, cohorts: Sequence[_Cohort]) -> dict[str, Entry]:
        """Return the person's entries by cohort; asked again where a bucket may have been split meanwhile."""
        entries: dict[str, Entry] = {}
        asking = {cohort.id: cohort.buckets for cohort in cohorts}
        while asking:
            pipeline = self._redis.pipeline(transaction=False)
            for cohort_id, buckets in asking.items():
                pipeline.hget(keys.bucket(project_id, cohort_id, bucket_of(packed_id, buckets)), packed_id)
                pipeline.hget(keys.cohort(project_id, cohort_id), "buckets")
            answers = iter(pipeline.execute())
            again: dict[str, int] = {}
            for (cohort_id, buckets), packed, after in zip(asking.items(), answers, answers, strict=False):
                if int(after or buckets) != buckets:
                    again[cohort_id] = int(after)
                elif packed:
                    entries[cohort_id] = unpack_entry(packed)
            asking = again
        return entries

    def _why(self, project_id: str, cohort: _Cohort, entry: Entry) -> Why:
        times = self._times.of(project_id, cohort.id, {entry.entered, entry.epoch})
        brought = times.get(entry.entered) if entry.now else None
        last = times.get(entry.epoch)
        naming = _LISTING if entry.now else (REMOVE,)
        return Why(
            cohort_id=cohort.id,
            cohort_name=cohort.name,
            member=entry.now,
            brought=self._named(project_id, cohort.id, brought, entry.entered, _LISTING),
            last_named=self._named(project_id, cohort.id, last, entry.epoch, naming),
            doubts=[*self._doubts(project_id, cohort, entry)],
        )

    def _named(
        self, project_id: str, cohort_id: str, began: Began | None, epoch: int, actions: Sequence[str]
    ) -> Named | None:
        if began is None:
            return None
        session = self._sessions.get(project_id, cohort_id, began.session_id)
        page = self._page(keys.session_pages(project_id, cohort_id, began.session_id), epoch, actions)
        return Named(began.session_id, began.time_ms, session.state if session else None, page)

    def _page(self, key: str, epoch: int, actions: Sequence[str]) -> tuple[str, int] | None:
        """Return the page, if just one can have been it.

        A page that was sent again is noted under its newest epoch, so those of later ones can have been it.
        """
        if not 0 < self._redis.hlen(key) <= MOST_PAGES:
            return None
        stored = cast("dict[bytes, bytes]", self._redis.hgetall(key))
        pages = [
            (action, int(number))
            for action, _, number in (name.decode().partition(":") for name in stored)
            if action in actions and orjson.loads(stored[f"{action}:{number}".encode()])[1] >= epoch
        ]
        return pages[0] if len(pages) == 1 else None

    def _doubts(self, project_id: str, cohort: _Cohort, entry: Entry) -> Iterator[str]:
        if entry.changed and (state := self._attempt_in_doubt(project_id, cohort.id, entry)):
            yield _DOUBTS[entry.now, state]
        if cohort.suspect:
            yield f"the copy of the cohort may differ from Mixpanel's: {cohort.suspect}"
        elif cohort.partial == "proven":
            yield "the copy of the cohort is partial: people left it whom it did not know"

    def _attempt_in_doubt(self, project_id: str, cohort_id: str, entry: Entry) -> str:
        """Return the state of the attempt that would take the entry back if it fell; empty once settled."""
        stored = cast("bytes | None", self._redis.hget(keys.cohort(project_id, cohort_id), "machine"))
        machine = Machine.from_json(orjson.loads(stored)) if stored else Machine()
        owner = machine.by_epoch().get(entry.epoch) if entry.epoch > machine.prev else None
        return owner[0].state if owner else ""
