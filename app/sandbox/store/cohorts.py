"""Cohorts: a name, a condition over profiles, and where their sync stands."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from app.sandbox.population.conditions import Condition
from app.sandbox.store.database import Database
from app.sandbox.store.meta import COHORTS, Meta

FIRST_ID = 1001
COLUMNS = "id, name, description, conditions, snapshot_ms, paused, session_id, last_sync"


@dataclass(frozen=True)
class Cohort:
    """A cohort and its sync.

    Attributes:
        snapshot_ms: When the last successful export was taken; None before the first.
        paused: Why the sync is paused; None if it is not.
        session_id: The last export's session.
        last_sync: What became of the last export (see `sender.sync.SyncResult`); None before the first.
    """

    cohort_id: int
    name: str
    description: str
    conditions: tuple[Condition, ...]
    snapshot_ms: int | None
    paused: str | None
    session_id: str
    last_sync: Mapping[str, Any] | None


class UnknownCohortError(KeyError):
    """There is no cohort of that id."""


class Cohorts:
    """The project's cohorts."""

    def __init__(self, database: Database, meta: Meta) -> None:
        self._database = database
        self._meta = meta

    def create(self, name: str, description: str, conditions: Iterable[Condition]) -> int:
        """Add a cohort; return its id."""
        stored = orjson.dumps([condition.to_json() for condition in conditions]).decode()
        with self._database.transaction() as connection:
            cohort_id = FIRST_ID + self._meta.count(COHORTS) - 1
            connection.execute(
                "INSERT INTO cohorts (id, name, description, conditions) VALUES (?, ?, ?, ?)",
                (cohort_id, name, description, stored),
            )
        return cohort_id

    def all(self) -> list[Cohort]:
        """Return all cohorts by id."""
        with self._database.reading() as connection:
            return [_cohort(row) for row in connection.execute(f"SELECT {COLUMNS} FROM cohorts ORDER BY id")]  # noqa: S608 -- a constant

    def get(self, cohort_id: int) -> Cohort:
        """Return one cohort.

        Raises:
            UnknownCohortError: There is none of that id.
        """
        query = f"SELECT {COLUMNS} FROM cohorts WHERE id = ?"  # noqa: S608 -- a constant
        with self._database.reading() as connection:
            row = connection.execute(query, (cohort_id,)).fetchone()
        if row is None:
            raise UnknownCohortError(cohort_id)
        return _cohort(row)

    def rename(self, cohort_id: int, name: str, description: str) -> None:
        """Change what users can edit at any time."""
        self._set("UPDATE cohorts SET name = ?, description = ? WHERE id = ?", name, description, cohort_id)

    def pause(self, cohort_id: int, reason: str | None) -> None:
        """Pause the sync and say why; None takes the pause back."""
        self._set("UPDATE cohorts SET paused = ? WHERE id = ?", reason, cohort_id)

    def finish(self, cohort_id: int, session_id: str, last_sync: Mapping[str, Any]) -> None:
        """Remember what became of an export."""
        stored = orjson.dumps(last_sync).decode()
        self._set(
            "UPDATE cohorts SET session_id = ?, last_sync = ? WHERE id = ?", session_id, stored, cohort_id
        )

    def remove(self, cohort_id: int) -> None:
        """Delete a cohort and its snapshot."""
        self._set("DELETE FROM snapshot_members WHERE cohort_id = ?", cohort_id)
        self._set("DELETE FROM cohorts WHERE id = ?", cohort_id)

    def _set(self, statement: str, *values: Any) -> None:
        with self._database.transaction() as connection:
            connection.execute(statement, values)


def _cohort(row: Iterable[Any]) -> Cohort:
    cohort_id, name, description, conditions, snapshot_ms, paused, session_id, last_sync = row
    return Cohort(
        cohort_id=cohort_id,
        name=name,
        description=description,
        conditions=tuple(Condition.from_json(item) for item in orjson.loads(conditions)),
        snapshot_ms=snapshot_ms,
        paused=paused,
        session_id=session_id,
        last_sync=None if last_sync is None else orjson.loads(last_sync),
    )
