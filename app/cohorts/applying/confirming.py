"""Do what a person says about a full list that is held: confirm it, or refuse it.

Only this lane writes cohorts, so whoever says it leaves a field in a hash (`app/cohorts/holds.py`) and wakes
the lane. A word about a list that is not held any more, since another took its place, comes to nothing.
"""

from collections.abc import Mapping
from typing import Final, cast

import orjson
from redis import Redis

from app.cohorts.applying.tasks import Tasks
from app.cohorts.applying.work import Work
from app.cohorts.record import CohortRecord
from app.store import keys

REFUSED: Final = "a full list that removed many was refused; reconcile it"


class Confirming:
    """Answers holds under a held lane."""

    def __init__(self, redis: Redis, tasks: Tasks) -> None:
        self._redis = redis
        self._tasks = tasks

    def said(self, project_id: str) -> Mapping[str, tuple[int, str]]:
        """Return what was said, by cohort: about which list, and `confirm` or `refuse`."""
        found = cast("dict[bytes, bytes]", self._redis.hgetall(keys.holds_answered(project_id)))
        return {cohort_id.decode(): tuple(orjson.loads(said)) for cohort_id, said in found.items()}

    def answer(self, work: Work, record: CohortRecord, said: tuple[int, str]) -> None:
        """Do what was said, once what the cohort is in the middle of is done."""
        if not self._tasks.run(work, record):
            return
        number, word = said
        machine, held = record.machine, record.machine.held
        commit = work.begin(record)
        commit.do(keys.holds_answered(work.project_id), "HDEL", record.cohort_id)
        if held and held.attempt == number:
            if word == "confirm":
                machine.confirm()
            elif not held.refused:
                machine.refuse()
                record.suspect = REFUSED
                work.pending.append(work.hold_ended(record, held, "refused"))
        work.commit(work.seal(commit))
        self._tasks.run(work, record)
