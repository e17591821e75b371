"""What audits found, in one small hash a project: the resync lane writes it, under its fence."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Final, cast

import orjson
from redis import Redis

from app.cohorts.commit import NewEntry, candidate_generation
from app.lanes.lanes import HeldLane, LaneLost, Lanes
from app.lanes.work import Readers
from app.resync.audit.judging import Check
from app.store import keys, scripts

_OF_COHORT: Final = "cohort:"


@dataclass(frozen=True, slots=True)
class AuditState:
    """How a project's audit stands; times in ms since 1970, 0 for never.

    Attributes:
        next_ms: when counts are compared next.
        listed_ms: when they were last.
        reason: why they could not be compared, since then; else nothing.
        unlisted: cohorts of ours that Mixpanel does not list: deleted there.
        checks: cohorts whose counts differed, by id.
    """

    next_ms: int = 0
    listed_ms: int = 0
    reason: str = ""
    unlisted: tuple[str, ...] = ()
    checks: Mapping[str, Check] = field(default_factory=dict)

    @property
    def drifts(self) -> list[Check]:
        """What is raised now."""
        return [check for check in self.checks.values() if check.raised]


class Findings:
    """Reads and writes them."""

    def __init__(self, redis: Redis, lanes: Lanes, readers: Readers) -> None:
        self._redis = redis
        self._lanes = lanes
        self._readers = readers
        self._tell = scripts.load(redis, "resync/scripts/tell.lua")

    def read(self, project_id: str) -> AuditState:
        """Return what is known."""
        found = cast("dict[bytes, bytes]", self._redis.hgetall(keys.audit_of(project_id)))
        checks = [
            Check(**orjson.loads(value))
            for name, value in found.items()
            if name.startswith(_OF_COHORT.encode())
        ]
        return AuditState(
            next_ms=int(found.get(b"next_ms", 0)),
            listed_ms=int(found.get(b"listed_ms", 0)),
            reason=found.get(b"reason", b"").decode(),
            unlisted=tuple(orjson.loads(found.get(b"unlisted", b"[]"))),
            checks={check.cohort_id: check for check in checks},
        )

    def note(self, lane: HeldLane, **values: str | bytes | int) -> None:
        """Note something about the audit as a whole.

        Raises:
            LaneLost: the lane is somebody else's.
        """
        flat = [part for pair in values.items() for part in pair]
        lane.write(keys.audit_of(lane.project_id), "HSET", *flat)

    def put(
        self, lane: HeldLane, before: Check | None, after: Check | None, told: NewEntry | None = None
    ) -> None:
        """Replace what is known of a cohort, and tell the log of it in the same step; so it is told once.

        Raises:
            LaneLost: the lane is somebody else's.
        """
        known = after or before
        assert known is not None
        project_id, readers = lane.project_id, self._readers(lane.project_id)
        names = [lane.key, keys.audit_of(project_id), keys.log(project_id), keys.log_meta(project_id)]
        names += [keys.lane(project_id, reader.name) for reader in readers]
        args = [lane.token, candidate_generation(), f"{_OF_COHORT}{known.cohort_id}"]
        entry = told.encoded() if told else []
        ours, *wakes = cast(
            "list[int]", self._tell(keys=names, args=[*args, _written(before), _written(after), *entry])
        )
        if ours <= 0:
            raise LaneLost(lane.name)
        for reader, wake in zip(readers, wakes, strict=False):
            self._lanes.enqueue(project_id, reader.name, wake)


def _written(check: Check | None) -> bytes:
    return orjson.dumps(asdict(check)) if check else b""
