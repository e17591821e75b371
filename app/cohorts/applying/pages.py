"""Apply one page: decide whose it is, name its people, commit it chunk by chunk.

A page that is applied again from its start (the worker died between two chunks) changes nothing more: its
people carry the attempt's epoch by then. The attempt that took it in is kept from the first chunk on, or the
page would be taken in twice and count as two.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any, cast

import orjson
from redis import Redis
from structlog.contextvars import bind_contextvars
from structlog.stdlib import get_logger

from app.cohorts import buckets
from app.cohorts.applying.changes import Step
from app.cohorts.applying.reconciling import note_page
from app.cohorts.applying.renaming import begin_rename
from app.cohorts.applying.tasks import Tasks
from app.cohorts.applying.work import Work
from app.cohorts.commit import CHUNK, Commit
from app.cohorts.epochs import REMOVE, Attempt, Entry, Page, Sighting
from app.cohorts.epochs.naming import Naming
from app.cohorts.epochs.routing import admit, arrived, begins, expire, twins, yield_halves
from app.cohorts.exporting import export
from app.cohorts.inbox import Waiting
from app.cohorts.membership import Membership
from app.cohorts.packing import fingerprint, pack_id, unpack_id
from app.cohorts.pages import InvalidPayload, PageHead, Quarantined, parse, usable_members
from app.cohorts.quarantine import KEPT_S
from app.cohorts.record import CohortRecord
from app.store import keys

log = get_logger(__name__)

SET_ASIDE = "a page could not be applied and was set aside"
SET_ASIDE_CAP = 100
LIVES_S = KEPT_S + 86_400
"""The clock takes out what is too old, and says so; what nobody looks after any more goes a day later."""
QUARANTINE_CAP = 10_000
QUARANTINED_A_PAGE = 100
"""Kept with their reason; all are counted."""
PAGES_AT_MOST = 10_000
"""Of 1,000 members: Mixpanel's largest cohort. More announced pages are not believed beforehand."""
MEMBERS_A_PAGE = 1_000
SPLITS_AT_ONCE = 8
STEPS_AT_ONCE = 16
"""A larger page than any of Mixpanel's goes out in several parts, or its lease would run out meanwhile."""

People = dict[bytes, Mapping[str, Any]]
"""Packed id -> member as sent."""


class Pages:
    """Applies pages under a held lane.

    Args:
        redis, membership, tasks: what it works with.
        refused_ids: distinct_ids that Mixpanel takes nothing for; their members are quarantined.
    """

    def __init__(
        self, redis: Redis, membership: Membership, tasks: Tasks, refused_ids: Collection[str]
    ) -> None:
        self._redis = redis
        self._refused_ids = refused_ids
        self._membership = membership
        self._tasks = tasks

    def apply(self, work: Work, waiting: Waiting, *, aside: str = "") -> bool:
        """Apply a page and take it out of the inbox; False if the time was up before it could begin.

        Args:
            work: the run.
            waiting: the page.
            aside: why it is set aside, if it is: it names none of its people then, only counts as seen, and
                is kept whole elsewhere.
        """
        page = parse(waiting.body)
        bind_contextvars(session=page.head.session_id)  # the run unbinds it, with the page
        record = work.record(page.head.cohort_id)
        usable, quarantined = usable_members(page.members, self._refused_ids)
        people: People = {pack_id(distinct_id): member for distinct_id, member in usable}
        came = _page(page.head, waiting.at_ms, people)
        people = _without_erased(work, people)
        known = self._known(work, page.head)
        if not self._ready(work, record, came, known=known):
            return False
        attempt = _begun(record, waiting)
        if attempt is None:
            seen = self._sightings(work, record, came)
            self._make_room(work, record, page.head, len(people))
            attempt = admit(record.machine, work.trust, came, seen, known)
        if attempt:
            note_page(record, attempt)
        record.under_way = (waiting.entry_id.decode(), attempt.number) if attempt else None
        if attempt and attempt is record.machine.newest:  # an older export carries an older name
            begin_rename(work, record, page.head, came.at)
        if attempt and aside:
            attempt.blind = True
        commits: list[Commit] = []
        last = Step(work, record, attempt, "sync", came.at)
        if attempt and not aside:
            commits, last = self._name(work, record, attempt, came, people)
        record.under_way = None
        record.heard_ms = max(record.heard_ms, came.at)
        self._finish(work, last, came, page.head, quarantined)
        if aside:
            _set_aside(work, last.commit, waiting, page.head, aside)
        _take_out(work, last.commit, waiting)
        work.commit(*commits, last.sealed())
        self._split(work, record)
        self._tasks.run(work, record)
        return True

    def give_up(self, work: Work, waiting: Waiting, reason: str) -> None:
        """Set a page aside without applying anything of it: not even counting it works.

        Its cohort becomes suspect, if that can still be read.
        """
        head = None
        with suppress(InvalidPayload):
            head = parse(waiting.body).head
        commit = work.begin(work.record(head.cohort_id if head else ""))
        _set_aside(work, commit, waiting, head, reason)
        _take_out(work, commit, waiting)
        work.commit(work.seal(commit) if head else commit)

    def _ready(self, work: Work, record: CohortRecord, came: Page, *, known: bool) -> bool:
        """Do what must be done before the page: quiet halves, what the next attempt ends, their tasks."""
        expire(record.machine, work.trust, came.at)
        if begins(record.machine, work.trust, came, known):
            yield_halves(record.machine, work.trust, came.at)
        return self._tasks.run(work, record)

    def _known(self, work: Work, head: PageHead) -> bool:
        return bool(self._redis.exists(keys.session(work.project_id, head.cohort_id, head.session_id)))

    def _sightings(
        self, work: Work, record: CohortRecord, came: Page
    ) -> dict[tuple[str, str, int], Sighting]:
        wanted = twins(record.machine, came)
        pipeline = self._redis.pipeline(transaction=False)
        for session, action, number in wanted:
            pipeline.hget(
                keys.session_pages(work.project_id, record.cohort_id, session), f"{action}:{number}"
            )
        found = cast("list[bytes | None]", pipeline.execute())
        return {
            key: Sighting(*orjson.loads(stored)) for key, stored in zip(wanted, found, strict=True) if stored
        }

    def _make_room(self, work: Work, record: CohortRecord, head: PageHead, people: int) -> None:
        """Give an empty cohort its buckets at once, from the number of pages announced.

        A page larger than any of Mixpanel's gets its buckets beforehand too: to split one bucket that took it
        all would need a command of more arguments than a script can make.
        """
        pages = min(max(head.total, 1), PAGES_AT_MOST)
        large = people if people > MEMBERS_A_PAGE else 0
        wanted = buckets.wanted(max(pages * MEMBERS_A_PAGE if pages > 1 else 0, large))
        if record.entries == 0 and record.buckets < wanted:
            record.buckets = wanted
            work.commit(work.seal(work.begin(record)))
        elif large:
            self._split(work, record, more=large)

    def _name(
        self, work: Work, record: CohortRecord, attempt: Attempt, came: Page, people: People
    ) -> tuple[list[Commit], Step]:
        """Name the page's people in steps of a chunk each; all but the last, still open, are sealed.

        Of a large page, only the last part is returned; the parts before are committed.
        """
        names = list(people)
        naming = Naming(record.machine, attempt, came.action)
        exported = work.project.rules.exported(record.cohort_id, record.name) if came.action != REMOVE else ()
        commits: list[Commit] = []
        step = Step(work, record, attempt, "sync", came.at)
        for place, packed_id in enumerate(names):
            if place and place % CHUNK == 0:
                commits.append(step.sealed())
                step = Step(work, record, attempt, "sync", came.at)
            if place % (STEPS_AT_ONCE * CHUNK) == 0:
                work.commit(*commits)
                commits.clear()
                part = names[place : place + STEPS_AT_ONCE * CHUNK]
                entries = self._membership.entries(work.project_id, record.cohort_id, record.buckets, part)
            _name_one(step, naming, packed_id, entries[packed_id], export(people[packed_id], exported))
        return commits, step

    def _finish(
        self, work: Work, last: Step, came: Page, head: PageHead, quarantined: Sequence[Quarantined]
    ) -> None:
        """Note the page as seen, and complete its attempt if that was all."""
        record, commit = last.record, last.commit
        if last.attempt:
            self._remember(work, commit, last.attempt, came, head)
            arrived(record.machine, work.trust, last.attempt, came)
        kept = quarantined[:QUARANTINED_A_PAGE]
        for member in kept:
            commit.do(
                keys.quarantine(work.project_id),
                *("XADD", "MAXLEN", "~", QUARANTINE_CAP, "*"),
                *("cohort_id", head.cohort_id, "session_id", head.session_id, "action", head.action),
                *("page", head.number, "index", member.index, "reason", member.reason),
            )
        if quarantined:
            commit.do(keys.quarantine(work.project_id), "EXPIRE", LIVES_S)
            commit.do(keys.quarantine_counts(work.project_id), "HINCRBY", "members", len(kept))
        record.quarantined += len(quarantined)

    def _remember(self, work: Work, commit: Commit, attempt: Attempt, came: Page, head: PageHead) -> None:
        project_id, cohort_id = work.project_id, commit.record.cohort_id
        session = keys.session(project_id, cohort_id, came.session)
        seen = keys.session_pages(project_id, cohort_id, came.session)
        sighting = orjson.dumps([came.digest, attempt.round.epoch])
        commit.do(seen, "HSET", f"{came.action}:{came.number}", sighting)
        commit.do(seen, "EXPIRE", work.session_s)
        call = attempt.calls[came.action]
        commit.do(
            session,
            "HSET",
            *("action", head.action, "attempt", attempt.number, "began_ms", attempt.began_ms),
            *("newest_ms", came.at, f"{came.action}:pages", call.pages, f"{came.action}:total", call.total),
        )
        commit.do(session, "EXPIRE", work.session_s)
        index = keys.sessions(project_id, cohort_id)
        commit.do(index, "ZADD", "NX", came.at, came.session)
        commit.do(index, "ZREMRANGEBYSCORE", "-inf", came.at - work.session_s * 1000)
        epoch = orjson.dumps([came.session, came.at])
        commit.do(keys.epochs(project_id, cohort_id), "HSET", attempt.round.epoch, epoch)

    def _split(self, work: Work, record: CohortRecord, more: int = 0) -> None:
        """Let the number of buckets follow the number of entries (and `more`), a few buckets at a time."""
        while (missing := buckets.wanted(record.entries + more) - record.buckets) > 0:
            level = 1 << (record.buckets.bit_length() - 1)
            count = min(missing, SPLITS_AT_ONCE, 2 * level - record.buckets)
            sources = self._redis.pipeline(transaction=False)
            first = buckets.splits_from(record.buckets)
            for number in range(first, first + count):
                sources.hgetall(keys.bucket(work.project_id, record.cohort_id, number))
            commits = []
            for number, stored in enumerate(sources.execute(), start=first):
                commits.append(_split_one(work, record, number, stored))
            work.commit(*commits)


def _without_erased(work: Work, people: People) -> People:
    """Leave out who was erased of late: the page was on its way, or Mixpanel still knows the person."""
    if not work.suppressed:
        return people
    kept: People = {
        packed_id: work.suppressed.values(member)
        for packed_id, member in people.items()
        if unpack_id(packed_id) not in work.suppressed
    }
    if len(kept) < len(people):
        log.info("erased_left_out", project_id=work.project_id, members=len(people) - len(kept))
    return kept


def _page(head: PageHead, at_ms: int, people: People) -> Page:
    """Return the page as the epochs know it; its digest stands for whom it names and for its total."""
    digest = hashlib.blake2b(str(head.total).encode(), digest_size=8)
    for packed_id in people:
        digest.update(len(packed_id).to_bytes(2, "big") + packed_id)
    return Page(head.session_id, head.action, head.number, head.total, digest.hexdigest(), at_ms, len(people))


def _begun(record: CohortRecord, waiting: Waiting) -> Attempt | None:
    """Return the attempt that took the page in before a worker died in the middle of it."""
    if record.under_way is None or record.under_way[0] != waiting.entry_id.decode():
        return None
    return record.machine.numbered(record.under_way[1])


def _name_one(
    step: Step, naming: Naming, packed_id: bytes, entry: Entry, picked: tuple[dict[str, Any], bytes]
) -> None:
    exported, encoded = picked
    existed = not entry.gone
    named = naming.name(entry)
    if entry.now and exported:
        mark = fingerprint(encoded)
        if named.change is None and mark != entry.fingerprint:
            step.update(packed_id, exported)
        entry.fingerprint = mark
    if named.change:
        step.change(packed_id, named.change, exported)
    if named.listed:
        step.listed.append(packed_id)
    step.store(packed_id, entry, existed=existed)


def _set_aside(work: Work, commit: Commit, waiting: Waiting, head: PageHead | None, reason: str) -> None:
    """Keep a page that cannot be applied, whole, and what it says about itself if that can be read."""
    commit.record.suspect = SET_ASIDE
    if commit.record.resync:
        commit.record.resync.doubted = True
    kept: list[str | bytes | int] = ["body", waiting.body, "at_ms", waiting.at_ms, "reason", reason]
    if head:
        kept += ["cohort_id", head.cohort_id, "session_id", head.session_id]
        kept += ["action", head.action, "page", head.number]
    key = keys.set_aside(work.project_id)
    commit.do(key, "XADD", "MAXLEN", SET_ASIDE_CAP, "*", *kept)
    commit.do(key, "EXPIRE", LIVES_S)
    commit.do(keys.quarantine_counts(work.project_id), "HINCRBY", "pages", 1)


def _take_out(work: Work, commit: Commit, waiting: Waiting) -> None:
    """Take an applied page out of the inbox, with all that was kept about it."""
    project_id = work.project_id
    commit.do(keys.inbox(project_id), "XDEL", waiting.entry_id)
    commit.do(keys.inbox_waiting(project_id), "HDEL", waiting.digest)
    commit.do(keys.inbox_tries(project_id), "HDEL", waiting.entry_id)
    commit.do(keys.inbox_meta(project_id), "HINCRBY", "bytes", -len(waiting.body))
    commit.do(keys.inbox_meta(project_id), "HINCRBY", "applied", 1)


def _split_one(work: Work, record: CohortRecord, source: int, stored: Mapping[bytes, bytes]) -> Commit:
    """Move the entries of one bucket that belong into the next new one."""
    commit = work.begin(record)
    new = record.buckets
    record.buckets += 1
    moved = {
        packed_id: packed
        for packed_id, packed in stored.items()
        if buckets.bucket_of(packed_id, record.buckets) == new
    }
    if moved:
        commit.puts[new] = moved
        commit.drops[source] = list(moved)
    return commit.seal()
