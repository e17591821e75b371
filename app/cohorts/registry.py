"""Which cohorts a project has, to read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from redis import Redis

from app.cohorts.record import CohortRecord
from app.store import keys


@dataclass(frozen=True, slots=True)
class Cohort:
    """A cohort as it stands.

    Attributes:
        id, name, description: as Mixpanel last sent them.
        members: how many are in it.
        partial: whether some members may be unknown (no full list has come yet), and how sure that is.
        suspect: why the copy may differ from Mixpanel, else nothing.
        synced_ms: when the last sync completed, 0 for never.
        renaming_from: names still being replaced on members.
        quarantined: members that could not be used, ever.
        buckets: over how many hashes the members are spread.
        tombstones: people remembered as gone while an attempt is in doubt.
    """

    id: str
    name: str
    description: str
    members: int
    partial: str
    suspect: str
    synced_ms: int
    renaming_from: tuple[str, ...]
    quarantined: int
    buckets: int
    tombstones: int


@dataclass(frozen=True, slots=True)
class Session:
    """One export of a cohort, while it is remembered.

    Attributes:
        id: `mixpanel_session_id`.
        state: `open`, `completed` or `superseded`.
        began_ms, newest_ms: when its first and its newest page were accepted.
        calls: action -> (pages seen, pages announced).
    """

    id: str
    state: str
    began_ms: int
    newest_ms: int
    calls: Mapping[str, tuple[int, int]]


class Cohorts:
    """Reads the cohorts' records; the apply lane writes them."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def list(self, project_id: str) -> list[Cohort]:
        """Return a project's cohorts by name."""
        found = cast("set[bytes]", self._redis.smembers(keys.cohorts(project_id)))
        cohorts = (self.get(project_id, cohort_id.decode()) for cohort_id in found)
        return sorted((cohort for cohort in cohorts if cohort), key=lambda cohort: (cohort.name, cohort.id))

    def get(self, project_id: str, cohort_id: str) -> Cohort | None:
        """Return one cohort, None if it was never heard of."""
        stored = cast("dict[bytes, bytes]", self._redis.hgetall(keys.cohort(project_id, cohort_id)))
        if not stored:
            return None
        record = CohortRecord.from_hash(cohort_id, stored)
        return Cohort(
            id=cohort_id,
            name=record.name,
            description=record.description,
            members=record.machine.count,
            partial=record.machine.partial,
            suspect=record.suspect,
            synced_ms=record.synced_ms,
            renaming_from=tuple(record.old_names),
            quarantined=record.quarantined,
            buckets=record.buckets,
            tombstones=record.entries - record.machine.count,
        )

    def sessions(self, project_id: str, cohort_id: str, newest: int = 20) -> Sequence[Session]:
        """Return the newest sessions of a cohort, the newest first."""
        ids = cast("list[bytes]", self._redis.zrevrange(keys.sessions(project_id, cohort_id), 0, newest - 1))
        found = []
        for session_id in (each.decode() for each in ids):
            stored = cast(
                "dict[bytes, bytes]", self._redis.hgetall(keys.session(project_id, cohort_id, session_id))
            )
            if stored:
                found.append(_session(session_id, {name.decode(): value for name, value in stored.items()}))
        return found


def _session(session_id: str, stored: Mapping[str, bytes]) -> Session:
    actions = [name.removesuffix(":pages") for name in stored if name.endswith(":pages")]
    return Session(
        id=session_id,
        state=stored.get("state", b"open").decode(),
        began_ms=int(stored["began_ms"]),
        newest_ms=int(stored["newest_ms"]),
        calls={each: (int(stored[f"{each}:pages"]), int(stored[f"{each}:total"])) for each in actions},
    )
