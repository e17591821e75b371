"""The apply lane's share: members, lists of what attempts changed, samples, pages set aside, the log's entry.

Only this lane writes these, so it takes the person out of them, in commits like any other. From its share on
it leaves out whom the pages that still come name, so its look through the log finds everything that is there.
The entry that tells of the erasure, and the note that the share is done, are one commit, and the last.
"""

import secrets
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Final, cast

import orjson
from redis import Redis

from app.cohorts.applying.work import Work
from app.cohorts.changelog import ChangeLog
from app.cohorts.commit import CHUNK, Commit, Committer
from app.cohorts.epochs import Entry
from app.cohorts.membership import Membership
from app.cohorts.packing import pack_id, pack_ids, unpack_ids
from app.cohorts.record import CohortRecord
from app.erasure.asked import DONE, Asked, encoded
from app.erasure.logged import named_in_log
from app.erasure.pages import page_without
from app.erasure.person import Person
from app.lanes.lanes import HeldLane, Lanes
from app.store import keys
from app.store.slices import slices
from config.projects import Project

KIND: Final = "person.erased"
CAUSE: Final = "erased"
SEQUENCES_TOLD: Final = 1_000
_FOREVER: Final = float("inf")
_LISTS_AT_ONCE: Final = 50
_SAMPLES_AT_ONCE: Final = 100


class MembershipShare:
    """Takes a person out of everything that the apply lane writes.

    Args:
        redis, lanes, changelog: what it works with.
        session_days: how long what is known of an export is kept.
    """

    def __init__(self, redis: Redis, lanes: Lanes, changelog: ChangeLog, session_days: int) -> None:
        self._redis = redis
        self._committer = Committer(redis, lanes, changelog.readers)
        self._membership = Membership(redis)
        self._session_s = session_days * 86_400

    def do(self, lane: HeldLane, project: Project, asked: Asked) -> None:
        """Do it, to its end; done again after a crash it finds what is left.

        Raises:
            LaneLost: somebody else holds the lane.
        """
        work = self._work(lane, project)
        person = asked.person
        counts = Counter[str]()
        for cohort_id in self._cohort_ids(project.id):
            counts.update(self._leave(work, work.record(cohort_id), asked.ids))
        counts["samples"] = self._clear_samples(work, person)
        counts["pages"] = self._rewrite_pages(work, person)
        sequences = named_in_log(self._redis, project.id, person, lane.keep)
        counts["log_entries"] = len(sequences)
        self._tell(work, asked, counts, sequences)

    def _work(self, lane: HeldLane, project: Project) -> Work:
        return Work(
            redis=self._redis,
            committer=self._committer,
            is_ahead=lambda: False,
            is_busy=lambda: False,
            lane=lane,
            project=project,
            until=_FOREVER,
            session_s=self._session_s,
        )

    def _cohort_ids(self, project_id: str) -> Iterator[str]:
        found = self._redis.sscan_iter(keys.cohorts(project_id), count=_LISTS_AT_ONCE)
        yield from sorted(cohort_id.decode() for cohort_id in found)

    # --- one cohort ----------------------------------------------------------------------------------------

    def _leave(self, work: Work, record: CohortRecord, ids: Sequence[str]) -> Counter[str]:
        """Take the person out of one cohort."""
        packed = {pack_id(each) for each in ids}
        counts = Counter[str]()
        for some in slices(sorted(packed), CHUNK):
            entries = self._membership.entries(work.project_id, record.cohort_id, record.buckets, list(some))
            known = {packed_id: entry for packed_id, entry in entries.items() if not entry.gone}
            if known:
                counts["memberships"] += sum(entry.now for entry in known.values())
                work.commit(work.seal(_dropping(work, record, known)))
        commit = work.begin(record)
        if self._shorten_lists(work, commit, packed) + _shorten_sample(record, set(ids)):
            work.commit(work.seal(commit))
        return counts

    def _shorten_lists(self, work: Work, commit: Commit, packed: set[bytes]) -> int:
        """Take the person out of the lists of whom attempts changed."""
        record, found = commit.record, 0
        numbers = {each.number for each in record.machine.attempts}
        numbers |= {task.attempt for task in record.machine.tasks}
        for number in sorted(numbers):
            key = keys.named(work.project_id, record.cohort_id, number)
            for place, listed in self._lists(key):
                names = list(unpack_ids(listed))
                kept = [each for each in names if each not in packed]
                if len(kept) < len(names):
                    commit.do(key, "LSET", place, pack_ids(kept))
                    found += 1
        return found

    def _lists(self, key: str) -> Iterator[tuple[int, bytes]]:
        first = 0
        while some := cast("list[bytes]", self._redis.lrange(key, first, first + _LISTS_AT_ONCE - 1)):
            yield from enumerate(some, first)
            first += len(some)

    # --- what is shown, and set aside ----------------------------------------------------------------------

    def _clear_samples(self, work: Work, person: Person) -> int:
        """Take the person out of the ids that resyncs in dry runs show."""
        cleared = 0
        numbers = cast("list[bytes]", self._redis.zrange(keys.resyncs(work.project_id), 0, -1))  # 1,000
        for some in slices([int(number) for number in numbers], _SAMPLES_AT_ONCE):
            pipeline = self._redis.pipeline(transaction=False)
            for number in some:
                pipeline.hget(keys.resync(work.project_id, number), "sample")
            for number, sample in zip(some, pipeline.execute(), strict=True):
                if sample and person.is_in(sample):
                    kept = _sample_without(orjson.loads(sample), person.ids)
                    key = keys.resync(work.project_id, number)
                    work.lane.write(key, "HSET", "sample", orjson.dumps(kept))
                    cleared += 1
        return cleared

    def _rewrite_pages(self, work: Work, person: Person) -> int:
        """Take the person out of pages set aside; what cannot be read, and names them, goes whole."""
        key, rewritten, after = keys.set_aside(work.project_id), 0, "-"
        while found := self._redis.xrange(key, min=after, count=1):
            ((id_, stored),) = cast("list[tuple[bytes, dict[bytes, bytes]]]", found)
            after = f"({id_.decode()}"
            work.lane.keep()
            body = page_without(stored[b"body"], person)
            if body is not None:
                commit = work.begin(work.record(""))
                if body:
                    kept = {**stored, b"body": body}
                    commit.do(key, "XADD", "*", *(part for pair in kept.items() for part in pair))
                else:
                    commit.do(keys.quarantine_counts(work.project_id), "HINCRBY", "pages_discarded", 1)
                commit.do(key, "XDEL", id_)
                work.commit(commit)
                rewritten += 1
        return rewritten

    # --- the log -------------------------------------------------------------------------------------------

    def _tell(self, work: Work, asked: Asked, counts: Mapping[str, int], sequences: Sequence[int]) -> None:
        """Log that somebody was erased, with no more than whoever knows the person needs to do the same."""
        record = work.record("")
        salt = secrets.token_bytes(16)
        detail = {
            "erasure": f"{asked.project_id}-{asked.number}",
            "salt": salt.hex(),
            "digests": [sha256(salt + each.encode()).hexdigest() for each in asked.ids],
            "sequences": list(sequences[:SEQUENCES_TOLD]),
        }
        commit = work.begin(record)
        entry = work.entry(record, KIND, CAUSE, None, work.now_ms())
        commit.log.append(replace(entry, detail=detail))
        done = ("sequences", orjson.dumps(sequences), f"{DONE}{work.lane.name}", encoded(counts))
        commit.do(asked.key, "HSET", *done)
        work.commit(commit)


def _dropping(work: Work, record: CohortRecord, known: Mapping[bytes, Entry]) -> Commit:
    """Make the step that forgets some ids, members or not, as if they had never been named."""
    commit = work.begin(record)
    owners = record.machine.by_epoch()
    for packed_id, entry in known.items():
        record.machine.release(entry, owners)
        record.machine.count -= entry.now
        record.entries -= 1
        commit.drop(packed_id)
    return commit


def _shorten_sample(record: CohortRecord, ids: set[str]) -> int:
    """Take the person out of the sample that a resync under way has gathered."""
    resync = record.resync
    if resync is None or not any(not ids.isdisjoint(some) for some in resync.sample.values()):
        return 0
    resync.sample = _sample_without(resync.sample, ids)
    return 1


def _sample_without(
    sample: Mapping[str, Sequence[str]], ids: frozenset[str] | set[str]
) -> dict[str, list[str]]:
    return {kind: [each for each in some if each not in ids] for kind, some in sample.items()}
