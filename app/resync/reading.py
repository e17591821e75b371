"""The lane `resync`: reads cohorts from Mixpanel, page by page, as far as the query budget goes.

It counts a cohort first, lets the apply lane note from when on pages win, reads, makes sure that all it read
is there, and hands over. It changes no cohort. Each page is kept before the next is asked for, so a worker
that dies repeats one page; and what is not read to its end is never compared.
"""

import time
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from random import Random
from typing import Final

import orjson
from redis import Redis
from structlog.stdlib import get_logger

from app.cohorts import buckets
from app.cohorts.exporting import export
from app.cohorts.members import usable_members
from app.cohorts.membership import Membership
from app.cohorts.packing import fingerprint, pack_id
from app.cohorts.page_json import DISTINCT_ID
from app.cohorts.read_members import ReadMembers
from app.cohorts.registry import Cohorts
from app.cohorts.resync import ENDED
from app.cohorts.suppression import Suppressed
from app.destinations.held import read_held
from app.lanes.lanes import HeldLane
from app.lanes.outcome import Outcome
from app.mixpanel.errors import MixpanelError, Retryable, SessionExpired, Throttled
from app.mixpanel.query_answers import MembersPage
from app.mixpanel.retry import delay_s
from app.resync.asking import Asking, Query
from app.resync.audit.auditing import AUDIT, Auditing
from app.resync.progress import NotReading, Progress, Values
from app.store import keys
from config.projects import Project

log = get_logger(__name__)

DROPPED_AT_ONCE: Final = 250
MOST_BEGINNINGS: Final = 20
Known = Mapping[str, str]


class Unreadable(Exception):  # noqa: N818 - what it comes to
    """The cohort cannot be read whole, for the reason that it says."""


class ReadingLane:
    """Reads what resyncs need to compare with.

    Args:
        redis, query, cohorts, membership, progress: what it works with.
        refused_ids: distinct_ids that Mixpanel takes nothing for.
        auditing: takes the audit's steps; None for a lane that has none.
        random: for the jitter of waits.
    """

    def __init__(
        self,
        redis: Redis,
        query: Query,
        cohorts: Cohorts,
        membership: Membership,
        progress: Progress,
        *,
        refused_ids: Collection[str],
        auditing: Auditing | None = None,
        random: Random | None = None,
    ) -> None:
        self._redis = redis
        self._redis = redis
        self._query = query
        self._cohorts = cohorts
        self._membership = membership
        self._progress = progress
        self._read = ReadMembers(redis)
        self._asking = Asking()
        self._refused_ids = refused_ids
        self._auditing = auditing
        self._random = random or Random()  # noqa: S311 - a jitter, no secret

    def run(self, lane: HeldLane, project: Project, until: float) -> Outcome:
        """Go on with the resyncs that there are, one after the other.

        Args:
            lane: the project's resync lane, held.
            project: whose.
            until: monotonic seconds.
        """
        while time.monotonic() < until:
            paused = read_held(self._redis, project.id).paused
            if paused:
                return Outcome.stopped(paused.sentence)
            number = self._progress.next(project.id)
            if number is None:
                return Outcome.drained()
            if number == AUDIT:
                self._audit(lane, project)
                continue
            known = self._progress.read(project.id, number)
            try:
                self._go_on(lane, project, number, known)
            except (Retryable, Throttled) as error:
                outcome = self._wait(lane, number, known, error)
                if not known.get("background"):
                    return outcome
                self._progress.postpone(lane, number, outcome.delay_s)
            except SessionExpired:
                self._begin_anew(lane, number, known)
            except NotReading:
                log.debug("resync_not_reading", project_id=project.id, resync=number)
            except (Unreadable, MixpanelError, ValueError) as error:
                self._fail(lane, number, known, str(error))
        return Outcome.more()

    def _audit(self, lane: HeldLane, project: Project) -> None:
        if self._auditing:
            self._auditing.go_on(lane, project)
        else:
            self._progress.done(lane, AUDIT)

    def _go_on(self, lane: HeldLane, project: Project, number: int, known: Known) -> None:
        """Do the next thing for a resync."""
        state = known.get("state", "")
        if state in ENDED or not known:
            self._tidy(lane, number, known)
        elif known.get("cancel"):
            self._progress.ring(lane, number, known["cohort_id"], {})
        elif state == "asked":
            self._count(lane, project, number, known)
        elif state == "reading" and known.get("dropping"):
            self._drop_some(lane, number, known)
        elif state == "reading" and known.get("last"):
            self._hand_over(lane, number, known)
        elif state == "reading":
            self._read_page(lane, project, number, known)
        else:
            self._leave(lane, number)

    def _count(self, lane: HeldLane, project: Project, number: int, known: Known) -> None:
        """Ask how large the cohort is, and whether it is there at all."""
        listed = self._asking.ask(lane, partial(self._query.cohorts, project))
        found = [each for each in listed if each.id == known["cohort_id"]]
        if not found:
            raise Unreadable(
                "Mixpanel lists no cohort with this id: it was deleted, or is hidden from the account"
            )
        ours = self._cohorts.get(project.id, known["cohort_id"])
        most = max(found[0].count, ours.members if ours else 0)
        why: Values = {
            "state": "counted",
            "expected": found[0].count,
            "buckets": buckets.wanted(most),
            "tries": 0,
        }
        self._progress.ring(lane, number, known["cohort_id"], {**why, "reason": ""})

    def _read_page(self, lane: HeldLane, project: Project, number: int, known: Known) -> None:
        page = int(known.get("page", 0))
        names = tuple(orjson.loads(known["output_properties"]))
        read = self._asking.ask(
            lane,
            partial(
                self._query.page,
                project,
                known["cohort_id"],
                page,
                known.get("session_id") or None,
                names,
                page_size=int(known.get("page_size", 0)) or None,
                spare=self._auditing.spare if self._auditing and known.get("background") else 0,
            ),
        )
        if read.last and not page and not read.entries and int(known["expected"]):
            raise Unreadable("Mixpanel lists people in the cohort and names nobody")
        members = self._members(project, known, read, names)
        behind: Values = {
            "page": page + 1,
            "pages": page + 1,
            "session_id": read.session_id,
            "page_size": read.page_size,
            "read": int(known.get("read", 0)) + read.entries,
            "last": int(read.last) or "",
            "tries": 0,
            "reason": "",
        }
        self._progress.keep(lane, number, page, members=members, buckets=int(known["buckets"]), behind=behind)

    def _members(
        self, project: Project, known: Known, read: MembersPage, names: Sequence[str]
    ) -> dict[bytes, bytes]:
        """Return whom a page names, with the exported properties that may have to be told."""
        as_sent = [{**properties, DISTINCT_ID: distinct_id} for distinct_id, properties in read.members]
        usable, _ = usable_members(as_sent, self._refused_ids)
        erased = Suppressed.read(self._redis, project.id)
        people = {pack_id(distinct_id): member for distinct_id, member in usable if distinct_id not in erased}
        if not names:
            return dict.fromkeys(people, b"")
        cohort = self._cohorts.get(project.id, known["cohort_id"])
        if cohort is None:
            return dict.fromkeys(people, b"")
        everything = project.rules.exported(cohort.id, cohort.name) <= set(names)
        entries = self._membership.entries(project.id, cohort.id, cohort.buckets, list(people))
        kept: dict[bytes, bytes] = {}
        for packed_id, member in people.items():
            exported, encoded = export(member, names)
            entry = entries[packed_id]
            same = bool(encoded) and fingerprint(encoded) == entry.fingerprint
            told = exported and not (entry.now and (same or not everything))
            kept[packed_id] = orjson.dumps(exported) if told else b""
        return kept

    def _hand_over(self, lane: HeldLane, number: int, known: Known) -> None:
        """Make sure that nothing of what was read is missing, and let the apply lane compare."""
        counted = self._read.count(lane.project_id, number, int(known["buckets"]), lane.keep)
        if counted != int(known.get("kept", 0)):
            raise Unreadable("a part of what was read is gone from Redis")
        self._progress.ring(lane, number, known["cohort_id"], {"state": "read"})

    def _leave(self, lane: HeldLane, number: int) -> None:
        """Have nothing to do with what is with the apply lane, unless that gives it back at this moment."""
        self._progress.done(lane, number)
        if self._progress.read(lane.project_id, number).get("state") == "reading":
            self._progress.take_up(lane, number)

    def _wait(self, lane: HeldLane, number: int, known: Known, error: Retryable | Throttled) -> Outcome:
        """Wait as long as the budget or the error says."""
        tries = int(known.get("tries", 0)) + 1
        self._progress.note(lane, number, {"tries": tries, "reason": str(error)})
        return Outcome.later(delay_s(error, tries, self._random), str(error))

    def _fail(self, lane: HeldLane, number: int, known: Known, reason: str) -> None:
        log.warning("resync_failed", project_id=lane.project_id, resync=number, reason=reason)
        self._progress.ring(lane, number, known["cohort_id"], {"state": "failing", "reason": reason})

    def _begin_anew(self, lane: HeldLane, number: int, known: Known) -> None:
        """Read from the first page again: another session is another answer; nothing of the old counts."""
        beginnings = int(known.get("beginnings", 1)) + 1
        if beginnings > MOST_BEGINNINGS:
            self._fail(lane, number, known, "Mixpanel forgot the query too often before it was read")
            return
        anew: Values = {"page": 0, "session_id": "", "page_size": 0, "read": 0, "last": "", "kept": 0}
        self._progress.note(lane, number, {**anew, "beginnings": beginnings, "dropping": 1})

    def _drop_some(self, lane: HeldLane, number: int, known: Known) -> None:
        """Drop some buckets of a reading that does not count; `dropping` is the next one, and 1."""
        first, all_ = int(known["dropping"]) - 1, int(known["buckets"])
        behind = min(all_, first + DROPPED_AT_ONCE)
        names = [keys.resync_read(lane.project_id, number, bucket) for bucket in range(first, behind)]
        self._progress.drop(lane, number, names, {"dropping": behind + 1 if behind < all_ else ""})

    def _tidy(self, lane: HeldLane, number: int, known: Known) -> None:
        """Drop some of what an ended resync has read; be done with it once nothing is left."""
        first, all_ = int(known.get("tidied", 0)), int(known.get("buckets", 0))
        behind = min(all_, first + DROPPED_AT_ONCE // 2)
        names = [
            key(lane.project_id, number, bucket)
            for bucket in range(first, behind)
            for key in (keys.resync_read, keys.resync_gone)
        ]
        if names:
            self._progress.drop(lane, number, names, {"tidied": behind})
        if behind >= all_:
            self._progress.done(lane, number)
