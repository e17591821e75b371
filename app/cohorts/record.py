"""What is kept of a cohort besides its members: names, counts, the epoch machine, what is under way."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson

from app.cohorts.carried import Carried, Migration, pairs
from app.cohorts.epochs import Machine
from app.cohorts.epochs.shrinking import Shrink
from app.cohorts.resync import Resync

MOST_BUCKETS = 512


@dataclass(slots=True)
class Rename:
    """A name being replaced on every member.

    Attributes:
        old_names: what members may still carry.
        at_ms: when the page that brought the new name was accepted.
        cursor: the next bucket to visit.
        rules: digest of the rules that do it; nothing in what an older version began.
    """

    old_names: list[str]
    at_ms: int
    cursor: int = 0
    rules: str = ""


@dataclass(slots=True)
class CohortRecord:
    """One cohort, as its lane's holder keeps it in memory during a run.

    Attributes:
        cohort_id, name, description: as last sent.
        machine: its attempts.
        step: how many commits have written it, so that one is refused where the one before is missing.
        buckets: how many its members are spread over.
        entries: members and tombstones, for the number of buckets.
        rename: a rename that is not through.
        carried: what members may carry on their profiles, and a migration to other rules.
        resync: a resync that is not through.
        suspect: why the copy may differ from Mixpanel until a reconcile, else nothing.
        quarantined: members that could not be used, ever.
        synced_ms: when the last sync completed.
        synced_session: that export's id.
        syncs: how many exports were ever complete: Mixpanel can be told to sync a cohort once only.
        heard_ms: when the last page was accepted, of those that are applied.
        assured_ms: when the copy was last known to be Mixpanel's: by a full list, or a reconcile.
        shrunk: the last full list that removed more than may go without a word, or would have.
        under_way: the inbox entry that is applied in part, and the number of the attempt that took it in.
        new: nothing of it is in Redis yet.
    """

    cohort_id: str
    name: str = ""
    description: str = ""
    machine: Machine = field(default_factory=Machine)
    step: int = 0
    buckets: int = 1
    entries: int = 0
    rename: Rename | None = None
    carried: Carried = field(default_factory=Carried)
    resync: Resync | None = None
    suspect: str = ""
    quarantined: int = 0
    synced_ms: int = 0
    synced_session: str = ""
    syncs: int = 0
    heard_ms: int = 0
    assured_ms: int = 0
    shrunk: Shrink | None = None
    under_way: tuple[str, int] | None = None
    new: bool = True

    @property
    def old_names(self) -> list[str]:
        """Names that members may still carry from before a rename."""
        return self.rename.old_names if self.rename else []

    def buckets_at_once(self, entries: int) -> int:
        """Return how many buckets hold about so many entries: many where a cohort has shrunk."""
        return max(1, min(MOST_BUCKETS, entries * self.buckets // max(1, self.entries)))

    def to_hash(self) -> dict[str, Any]:
        """Return the fields of the cohort's hash."""
        rename = [self.rename.old_names, self.rename.at_ms, self.rename.cursor] if self.rename else None
        migration = self.carried.migration
        return {
            "name": self.name,
            "description": self.description,
            "members": self.machine.count,
            "partial": self.machine.partial,
            "step": self.step,
            "buckets": self.buckets,
            "entries": self.entries,
            "suspect": self.suspect,
            "quarantined": self.quarantined,
            "synced_ms": self.synced_ms,
            "synced_session": self.synced_session,
            "syncs": self.syncs,
            "heard_ms": self.heard_ms,
            "assured_ms": self.assured_ms,
            "shrunk": orjson.dumps(asdict(self.shrunk) if self.shrunk else None),
            "hold": self.machine.held.attempt if self.machine.held else 0,
            "held": orjson.dumps(asdict(self.machine.held) if self.machine.held else None),
            "under_way": orjson.dumps(self.under_way),
            "rename": orjson.dumps(rename),
            "rename_rules": self.rename.rules if self.rename else "",
            "carried": orjson.dumps(self.carried.written),
            "migration": orjson.dumps(migration.to_json() if migration else None),
            "resync": orjson.dumps(self.resync.to_json() if self.resync else None),
            "machine": orjson.dumps(self.machine.to_json()),
        }

    @classmethod
    def from_hash(cls, cohort_id: str, stored: dict[bytes, bytes]) -> "CohortRecord":
        """Read the cohort's hash; an empty one is a new cohort."""
        if not stored:
            return cls(cohort_id)
        rename = orjson.loads(stored[b"rename"])
        resync = orjson.loads(stored.get(b"resync", b"null"))
        under_way = orjson.loads(stored.get(b"under_way", b"null"))
        shrunk = orjson.loads(stored.get(b"shrunk", b"null"))
        return cls(
            cohort_id=cohort_id,
            name=stored[b"name"].decode(),
            description=stored[b"description"].decode(),
            machine=Machine.from_json(orjson.loads(stored[b"machine"])),
            step=int(stored.get(b"step", 0)),
            buckets=int(stored[b"buckets"]),
            entries=int(stored[b"entries"]),
            rename=_rename(rename, stored.get(b"rename_rules", b"")) if rename else None,
            carried=read_carried(stored),
            resync=Resync.from_json(resync) if resync else None,
            suspect=stored[b"suspect"].decode(),
            quarantined=int(stored[b"quarantined"]),
            synced_ms=int(stored[b"synced_ms"]),
            synced_session=stored.get(b"synced_session", b"").decode(),
            syncs=int(stored.get(b"syncs", 0)),
            heard_ms=int(stored.get(b"heard_ms", 0)),
            assured_ms=int(stored.get(b"assured_ms", 0)),
            shrunk=Shrink(**shrunk) if shrunk else None,
            under_way=(under_way[0], under_way[1]) if under_way else None,
            new=False,
        )


def _rename(stored: list[Any], rules: bytes) -> Rename:
    old_names, at_ms, cursor = stored
    return Rename(old_names, at_ms, cursor, rules.decode())


def read_carried(stored: Mapping[bytes, bytes]) -> Carried:
    """Read what members may carry; what is older than this memory is by the first rules known: ""."""
    migration = orjson.loads(stored.get(b"migration", b"null"))
    written = orjson.loads(stored.get(b"carried", b"null"))
    if written is None:
        rename = orjson.loads(stored.get(b"rename", b"null"))
        names = [stored.get(b"name", b"").decode(), *(rename[0] if rename else ())]
        written = [["", name] for name in names] if int(stored.get(b"members", 0)) else []
    return Carried(pairs(written), Migration.from_json(migration) if migration else None)
