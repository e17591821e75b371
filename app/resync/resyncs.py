"""Ask for resyncs, show how they stand, cancel them."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final, cast

import orjson
from redis import Redis

from app.cohorts import buckets
from app.cohorts.registry import Cohorts
from app.lanes.lanes import Lanes
from app.lanes.work import APPLY, RESYNC
from app.resync.state import AUDITOR, ResyncState, Wanted, id_of, parse_id, state_of
from app.store import keys, scripts
from config.projects import Project

KEPT: Final = 1_000
"""Resyncs that can be listed, the newest of a project."""
_YIELDS_WITHIN_S: Final = 3.0
"""How long somebody who asks waits for the audit to let go of a cohort."""
_YIELD_LOOK_S: Final = 0.05
_AUDIT_SAMPLES: Final = 100
_LANES: Final = {1: APPLY.name, 2: RESYNC.name}


class UnknownCohort(Exception):  # noqa: N818 - what is asked for is not there
    """No page of this cohort ever came."""


class UnderWay(Exception):  # noqa: N818 - a state of the cohort
    """The cohort has a resync under way, whose id is `resync_id`."""

    def __init__(self, resync_id: str) -> None:
        super().__init__(f"the resync {resync_id} of this cohort is under way")
        self.resync_id = resync_id


class NoQueryAccess(Exception):  # noqa: N818 - a state of the configuration
    """The project has no service account, so that Mixpanel cannot be asked."""


class NotExported(Exception):  # noqa: N818 - a mistake of the caller
    """No rule uses these member properties: `names`."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__("no rule uses these properties")
        self.names = tuple(names)


class Resyncs:
    """The resyncs of all projects."""

    def __init__(
        self, redis: Redis, lanes: Lanes, cohorts: Cohorts, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._pause = pause
        self._redis = redis
        self._lanes = lanes
        self._cohorts = cohorts
        self._ask = scripts.load(redis, "resync/scripts/ask.lua")
        self._cancel = scripts.load(redis, "resync/scripts/cancel.lua")

    def ask(self, project: Project, cohort_id: str, wanted: Wanted) -> ResyncState:
        """Ask for a resync; the lanes do it. One of the audit's gives way to it.

        Raises:
            UnknownCohort, UnderWay, NoQueryAccess, NotExported: nothing was asked for.
        """
        self._check(project, cohort_id, wanted)
        try:
            return self._ask_for(project, cohort_id, wanted)
        except UnderWay as under_way:
            if wanted.background or not self._gives_way(under_way.resync_id):
                raise
        return self._ask_for(project, cohort_id, wanted)

    def _gives_way(self, resync_id: str) -> bool:
        """Have one of the audit's stop; return whether it has."""
        found = self.get(resync_id)
        if found is None or found.asked_by != AUDITOR:
            return False
        self.cancel(resync_id)
        for _ in range(int(_YIELDS_WITHIN_S / _YIELD_LOOK_S)):
            found = self.get(resync_id)
            if found is None or found.ended:
                return True
            self._pause(_YIELD_LOOK_S)
        return False

    def _ask_for(self, project: Project, cohort_id: str, wanted: Wanted) -> ResyncState:
        number = self._redis.incr(keys.resync_numbers(project.id))
        names = [
            keys.resync(project.id, number),
            keys.resyncs_open(project.id),
            keys.resyncs(project.id),
            keys.resyncs_rung(project.id),
            keys.due(project.id),
            keys.resyncs_due(project.id),
            *(keys.lane(project.id, lane) for lane in _LANES.values()),
        ]
        counted = wanted.mode == "replay" or wanted.background
        args: list[str | bytes | int] = [number, cohort_id, "apply" if counted else "resync", KEPT]
        args += ["cohort_id", cohort_id, "mode", wanted.mode, "dry_run", int(wanted.dry_run)]
        args += ["output_properties", orjson.dumps(wanted.output_properties), "asked_by", wanted.asked_by]
        args += _counted(wanted) if wanted.background else ["state", "asked"]
        taken, *answer = cast("list[int]", self._ask(keys=names, args=args))
        if not taken:
            raise UnderWay(id_of(project.id, answer[0]))
        wake, lane = answer
        self._lanes.enqueue(project.id, _LANES[lane], wake)
        asked = self._read(project.id, number)
        assert asked is not None
        return asked

    def get(self, resync_id: str) -> ResyncState | None:
        """Return one resync; None where there is none, or none any more."""
        place = parse_id(resync_id)
        return self._read(*place) if place else None

    def cancel(self, resync_id: str) -> bool:
        """Ask a resync to stop; False if it has ended, or never was."""
        place = parse_id(resync_id)
        found = self._read(*place) if place else None
        if place is None or found is None:
            return False
        project_id, number = place
        names = [
            keys.resync(project_id, number),
            keys.resyncs_open(project_id),
            keys.resyncs_rung(project_id),
            keys.due(project_id),
            keys.lane(project_id, APPLY.name),
        ]
        under_way, wake = cast("list[int]", self._cancel(keys=names, args=[number, found.cohort_id]))
        self._lanes.enqueue(project_id, APPLY.name, wake)
        return bool(under_way)

    def list(
        self, project_id: str, *, cohort_id: str | None = None, before: int | None = None, limit: int = 20
    ) -> tuple[list[ResyncState], int | None]:
        """Return resyncs, the newest first.

        Args:
            project_id: whose.
            cohort_id: only this cohort's.
            before: a number; only older ones.
            limit: at most so many.

        Returns:
            The resyncs, and with which `before` to go on, None at the end.
        """
        found: list[ResyncState] = []
        for number in self._numbers(project_id, before):
            if len(found) == limit:
                return found, before
            each = self._read(project_id, number)
            if each and cohort_id in {None, each.cohort_id}:
                found.append(each)
            before = number
        return found, None

    def _check(self, project: Project, cohort_id: str, wanted: Wanted) -> None:
        cohort = self._cohorts.get(project.id, cohort_id)
        if cohort is None:
            raise UnknownCohort(cohort_id)
        if wanted.mode == "reconcile" and project.service_account is None:
            raise NoQueryAccess(project.id)
        exported = project.rules.exported(cohort_id, cohort.name)
        if unused := [name for name in wanted.output_properties if name not in exported]:
            raise NotExported(unused)

    def _numbers(self, project_id: str, before: int | None) -> Iterator[int]:
        highest = "+inf" if before is None else f"({before}"
        found = cast("list[bytes]", self._redis.zrevrangebyscore(keys.resyncs(project_id), highest, 0))
        return map(int, found)

    def _read(self, project_id: str, number: int) -> ResyncState | None:
        stored = cast("dict[bytes, bytes]", self._redis.hgetall(keys.resync(project_id, number)))
        if not stored:
            return None
        text = {name.decode(): value.decode() for name, value in stored.items()}
        return state_of(project_id, number, text)


def _counted(wanted: Wanted) -> list[str | bytes | int]:
    """Return what the resync lane finds out about others before it reads: the audit has counted already."""
    wide = buckets.wanted(max(wanted.expected, wanted.members))
    return [
        *("state", "counted", "expected", wanted.expected, "buckets", wide),
        *("background", 1, "sampled", _AUDIT_SAMPLES),
    ]
