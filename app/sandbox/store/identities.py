"""Identity clusters: which ids are one person, and which of them stands for all.

Only ids that were ever linked have a row; every other id is its own cluster.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from app.sandbox.store.database import LOOKUP_CHUNK, Database


@dataclass(frozen=True)
class Cluster:
    """Ids that are one person. `ids` are sorted and hold the canonical one."""

    canonical: str
    ids: tuple[str, ...]


class Identities:
    """The project's identity clusters."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def resolved(self, distinct_ids: Collection[str]) -> dict[str, str]:
        """Return the canonical id of those of the given ids that were ever linked."""
        found: dict[str, str] = {}
        wanted = list(distinct_ids)
        with self._database.reading() as connection:
            if connection.execute("SELECT 1 FROM identities LIMIT 1").fetchone() is None:
                return found  # the usual case must cost nothing
            for start in range(0, len(wanted), LOOKUP_CHUNK):
                chunk = wanted[start : start + LOOKUP_CHUNK]
                marks = ",".join("?" * len(chunk))
                query = f"SELECT distinct_id, canonical FROM identities WHERE distinct_id IN ({marks})"  # noqa: S608 -- question marks only
                found.update(connection.execute(query, chunk))
        return found

    def canonical(self, distinct_id: str) -> str:
        """Return the id that stands for a person."""
        return self.resolved([distinct_id]).get(distinct_id, distinct_id)

    def cluster(self, distinct_id: str) -> Cluster:
        """Return the cluster of an id; one that was never linked stands alone."""
        with self._database.reading() as connection:
            canonical = self.canonical(distinct_id)
            query = "SELECT distinct_id FROM identities WHERE canonical = ? ORDER BY distinct_id"
            ids = tuple(row[0] for row in connection.execute(query, (canonical,)))
        return Cluster(canonical, ids or (canonical,))

    def size(self, canonical: str) -> int:
        """Return how many ids a cluster has."""
        with self._database.reading() as connection:
            query = "SELECT count(*) FROM identities WHERE canonical = ?"
            return int(connection.execute(query, (canonical,)).fetchone()[0]) or 1

    def count(self) -> int:
        """Return how many clusters of two ids or more there are."""
        with self._database.reading() as connection:
            return int(connection.execute("SELECT count(DISTINCT canonical) FROM identities").fetchone()[0])

    def page(self, after: str, limit: int) -> list[Cluster]:
        """Return up to `limit` clusters whose canonical id follows `after`, in those ids' order."""
        return list(self._page(after, limit))

    def _page(self, after: str, limit: int) -> Iterator[Cluster]:
        query = "SELECT DISTINCT canonical FROM identities WHERE canonical > ? ORDER BY canonical LIMIT ?"
        with self._database.reading() as connection:
            for (canonical,) in connection.execute(query, (after, limit)).fetchall():
                yield self.cluster(canonical)

    def join(self, winner: str, loser: str) -> None:
        """Make two clusters, given by their canonical ids, one; `winner` stands for it from now on."""
        with self._database.transaction() as connection:
            connection.executemany(
                "INSERT OR IGNORE INTO identities VALUES (?, ?)", [(winner, winner), (loser, loser)]
            )
            connection.execute("UPDATE identities SET canonical = ? WHERE canonical = ?", (winner, loser))

    def alias_target(self, alias: str) -> str | None:
        """Return the id that an alias was created for, or None."""
        with self._database.reading() as connection:
            row = connection.execute("SELECT distinct_id FROM aliases WHERE alias = ?", (alias,)).fetchone()
        return None if row is None else str(row[0])

    def set_alias(self, alias: str, distinct_id: str) -> None:
        """Remember what an alias was created for first."""
        with self._database.transaction() as connection:
            connection.execute("INSERT OR IGNORE INTO aliases VALUES (?, ?)", (alias, distinct_id))
