"""Ask for resyncs, show how they stand, cancel them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, cast

import orjson
from redis import Redis

from app.cohorts.registry import Cohorts
from app.cohorts.resync import ENDED, Mode
from app.lanes.lanes import Lanes
from app.lanes.work import APPLY, RESYNC
from app.store import keys, scripts
from config.projects import Project

KEPT: Final = 1_000
"""Resyncs that can be listed, the newest of a project."""
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


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for.

    Attributes:
        mode: `replay` or `reconcile`.
        dry_run: only count.
        output_properties: to read with each member; only for `reconcile`.
        asked_by: who asks: a token's id, or the command line.
    """

    mode: Mode
    dry_run: bool = False
    output_properties: tuple[str, ...] = ()
    asked_by: str = ""


@dataclass(frozen=True, slots=True)
class ResyncState:
    """A resync as it stands; times in ms since 1970, 0 for not yet.

    Attributes:
        id: names it among all projects'.
        project_id, cohort_id: what it is about.
        mode, dry_run, output_properties: as asked for.
        state: `asked`, `reading`, `applying`, `completed`, `cancelled` or `failed`.
        reason: why it failed or waits, else nothing.
        cancelling: it is asked to stop, and has not yet.
        asked_by: who asked.
        asked_ms, began_ms, ended_ms: when.
        members: how many the cohort had as it began.
        expected: how many Mixpanel says that there are; 0 where it has not been asked.
        pages: read so far.
        read: members read so far.
        counts: what it has come to so far, by name.
        sample: ids by kind of difference; for a dry run.
    """

    id: str
    project_id: str
    cohort_id: str
    mode: str
    dry_run: bool
    output_properties: tuple[str, ...]
    state: str
    reason: str
    cancelling: bool
    asked_by: str
    asked_ms: int
    began_ms: int
    ended_ms: int
    members: int
    expected: int
    pages: int
    read: int
    counts: Mapping[str, int] = field(default_factory=dict)
    sample: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def ended(self) -> bool:
        """Whether nothing more will come of it."""
        return self.state in ENDED


class Resyncs:
    """The resyncs of all projects."""

    def __init__(self, redis: Redis, lanes: Lanes, cohorts: Cohorts) -> None:
        self._redis = redis
        self._lanes = lanes
        self._cohorts = cohorts
        self._ask = scripts.load(redis, "resync/scripts/ask.lua")
        self._cancel = scripts.load(redis, "resync/scripts/cancel.lua")

    def ask(self, project: Project, cohort_id: str, wanted: Wanted) -> ResyncState:
        """Ask for a resync; the lanes do it.

        Raises:
            UnknownCohort, UnderWay, NoQueryAccess, NotExported: nothing was asked for.
        """
        self._check(project, cohort_id, wanted)
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
        args: list[str | bytes | int] = [number, cohort_id, wanted.mode, KEPT]
        args += ["cohort_id", cohort_id, "mode", wanted.mode, "dry_run", int(wanted.dry_run)]
        args += ["output_properties", orjson.dumps(wanted.output_properties), "asked_by", wanted.asked_by]
        taken, *answer = cast("list[int]", self._ask(keys=names, args=[*args, "state", "asked"]))
        if not taken:
            raise UnderWay(_id(project.id, answer[0]))
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
        return _state(project_id, number, text)


def parse_id(resync_id: str) -> tuple[str, int] | None:
    """Return the project's id and the resync's number that an id names, None for no id."""
    project_id, _, number = resync_id.rpartition("-")
    most = 15  # digits of what Redis and JSON count exactly
    return (project_id, int(number)) if _is_number(number) and len(number) <= most else None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _id(project_id: str, number: int) -> str:
    return f"{project_id}-{number}"


def _state(project_id: str, number: int, text: Mapping[str, str]) -> ResyncState:
    def whole(name: str) -> int:
        return int(text.get(name) or 0)

    return ResyncState(
        id=_id(project_id, number),
        project_id=project_id,
        cohort_id=text["cohort_id"],
        mode=text["mode"],
        dry_run=text["dry_run"] == "1",
        output_properties=tuple(orjson.loads(text["output_properties"])),
        state=text["state"],
        reason=text.get("reason", ""),
        cancelling="cancel" in text and text["state"] not in ENDED,
        asked_by=text.get("asked_by", ""),
        asked_ms=whole("asked_ms"),
        began_ms=whole("began_ms"),
        ended_ms=whole("ended_ms"),
        members=whole("members"),
        expected=whole("expected"),
        pages=whole("pages"),
        read=whole("read"),
        counts=orjson.loads(text.get("counts", "{}")),
        sample=orjson.loads(text.get("sample", "{}")),
    )
