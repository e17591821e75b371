"""Who was in a cohort at its last successful export: what the next diff is computed against."""

from collections.abc import Set as AbstractSet

from app.sandbox.store.database import Database


class Snapshots:
    """The snapshot of each cohort."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def members(self, cohort_id: int) -> set[str]:
        """Return the ids in the snapshot (empty if there is none: see `Cohort.snapshot_ms`)."""
        query = "SELECT distinct_id FROM snapshot_members WHERE cohort_id = ?"
        with self._database.reading() as connection:
            return {row[0] for row in connection.execute(query, (cohort_id,))}

    def replace(self, cohort_id: int, members: AbstractSet[str], taken_ms: int) -> None:
        """Make the given members the cohort's snapshot."""
        with self._database.transaction() as connection:
            before = self.members(cohort_id)
            connection.executemany(
                "DELETE FROM snapshot_members WHERE cohort_id = ? AND distinct_id = ?",
                [(cohort_id, member) for member in before - members],
            )
            connection.executemany(
                "INSERT INTO snapshot_members VALUES (?, ?)",
                [(cohort_id, member) for member in members - before],
            )
            connection.execute("UPDATE cohorts SET snapshot_ms = ? WHERE id = ?", (taken_ms, cohort_id))

    def forget(self, cohort_id: int) -> None:
        """Drop a cohort's snapshot, so that its next sync is a first one again."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM snapshot_members WHERE cohort_id = ?", (cohort_id,))
            connection.execute("UPDATE cohorts SET snapshot_ms = NULL WHERE id = ?", (cohort_id,))
