"""Which cohorts a project has, to read."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

import orjson
from redis import Redis

from app.cohorts.epochs.shrinking import Shrink
from app.store import keys

_FIELDS: Final = (
    *("name", "description", "members", "partial", "suspect", "synced_ms", "rename", "quarantined"),
    *("buckets", "entries", "syncs", "heard_ms", "assured_ms", "shrunk", "held"),
)
Stored = Sequence[bytes | None]
"""Fields of a cohort's hash, as `CohortRecord.to_hash` writes them; all None where there is none."""


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
        syncs: how many exports were ever complete.
        heard_ms: when the last page was accepted, of those that are applied; 0 for not known.
        assured_ms: when a full list or a reconcile last made the copy Mixpanel's.
        shrunk: the last full list that removed more than may go without a word, or would have.
        held: the full list whose removals wait for a person, or were refused.
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
    syncs: int = 0
    heard_ms: int = 0
    assured_ms: int = 0
    shrunk: Shrink | None = None
    held: Shrink | None = None


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
        ids = self._ids(project_id)
        cohorts = map(_cohort, ids, self._fields(project_id, ids, _FIELDS))
        return sorted((cohort for cohort in cohorts if cohort), key=lambda cohort: (cohort.name, cohort.id))

    def page(self, project_id: str, after: str | None, limit: int) -> tuple[Sequence[Cohort], str | None]:
        """Return some cohorts in the order of their ids, and the id after which to go on; None at the end."""
        ids = sorted(self._ids(project_id), key=_order)
        rest = [each for each in ids if after is None or _order(each) > _order(after)]
        found = map(_cohort, rest[:limit], self._fields(project_id, rest[:limit], _FIELDS))
        return [each for each in found if each], rest[limit - 1] if len(rest) > limit else None

    def names(self, project_id: str) -> Sequence[tuple[str, str]]:
        """Return (id, name) of a project's cohorts by name: what every window of the log asks for."""
        ids = self._ids(project_id)
        found = zip(ids, self._fields(project_id, ids, ("name",)), strict=True)
        named = ((cohort_id, name.decode()) for cohort_id, (name,) in found if name is not None)
        return sorted(named, key=lambda pair: (pair[1], pair[0]))

    def get(self, project_id: str, cohort_id: str) -> Cohort | None:
        """Return one cohort, None if it was never heard of."""
        (stored,) = self._fields(project_id, [cohort_id], _FIELDS)
        return _cohort(cohort_id, stored)

    def _ids(self, project_id: str) -> Sequence[str]:
        found = cast("set[bytes]", self._redis.smembers(keys.cohorts(project_id)))
        return [cohort_id.decode() for cohort_id in found]

    def _fields(self, project_id: str, cohort_ids: Iterable[str], names: Sequence[str]) -> Sequence[Stored]:
        """Return fields of these cohorts, in one round trip."""
        pipeline = self._redis.pipeline(transaction=False)
        for cohort_id in cohort_ids:
            pipeline.hmget(keys.cohort(project_id, cohort_id), names)
        return cast("Sequence[Stored]", pipeline.execute())

    def sessions(self, project_id: str, cohort_id: str, newest: int = 20) -> Sequence[Session]:
        """Return the newest sessions of a cohort, the newest first."""
        ids = cast("list[bytes]", self._redis.zrevrange(keys.sessions(project_id, cohort_id), 0, newest - 1))
        found = []
        for session_id in (each.decode() for each in ids):
            stored = cast(
                "dict[bytes, bytes]", self._redis.hgetall(keys.session(project_id, cohort_id, session_id))
            )
            if stored:
                found.append(
                    read_session(session_id, {name.decode(): value for name, value in stored.items()})
                )
        return found


def _order(cohort_id: str) -> tuple[int, str]:
    """Order ids, which are numbers, as numbers."""
    return len(cohort_id), cohort_id


def _cohort(cohort_id: str, stored: Stored) -> Cohort | None:
    """Read a cohort without its epoch machine, which can be large."""
    name, description, members, partial, suspect, synced_ms, rename, quarantined, buckets, *rest = stored
    entries, syncs, heard_ms, assured_ms, shrunk, held = rest
    if name is None:
        return None
    renamed = orjson.loads(rename or b"null")
    return Cohort(
        id=cohort_id,
        name=name.decode(),
        description=(description or b"").decode(),
        members=int(members or 0),
        partial=(partial or b"").decode(),
        suspect=(suspect or b"").decode(),
        synced_ms=int(synced_ms or 0),
        renaming_from=tuple(renamed[0]) if renamed else (),
        quarantined=int(quarantined or 0),
        buckets=int(buckets or 0),
        tombstones=int(entries or 0) - int(members or 0),
        syncs=int(syncs or 0),
        heard_ms=int(heard_ms or 0),
        assured_ms=int(assured_ms or 0),
        shrunk=_shrink(shrunk),
        held=_shrink(held),
    )


def _shrink(stored: bytes | None) -> Shrink | None:
    data = orjson.loads(stored or b"null")
    return Shrink(**data) if data else None


def read_session(session_id: str, stored: Mapping[str, bytes]) -> Session:
    """Read a session's hash."""
    actions = [name.removesuffix(":pages") for name in stored if name.endswith(":pages")]
    return Session(
        id=session_id,
        state=stored.get("state", b"open").decode(),
        began_ms=int(stored["began_ms"]),
        newest_ms=int(stored["newest_ms"]),
        calls={each: (int(stored[f"{each}:pages"]), int(stored[f"{each}:total"])) for each in actions},
    )
