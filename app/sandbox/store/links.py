"""What became of every identity verb that arrived, and of every device that was linked: a log to look at."""

from collections.abc import Iterable
from dataclasses import dataclass

from app.sandbox.store.database import Database


@dataclass(frozen=True)
class LinkRecord:
    """One attempt to link two ids.

    Attributes:
        verb: `$identify`, `$create_alias`, `$merge`, or `device` (an event with both ids).
        first: The identified id, the alias's distinct_id, the first id of a merge, or the user id.
        second: The anonymous id, the alias, the second id of a merge, or the device (`$device:...`).
        outcome: merged, repeated (they were one person before) or refused.
        reason: Why it was refused; else empty.
    """

    verb: str
    first: str
    second: str
    outcome: str
    reason: str = ""
    received_ms: int = 0
    sequence: int = 0


class Links:
    """The log of links."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, records: Iterable[LinkRecord]) -> None:
        """Append to the log."""
        rows = [
            (one.verb, one.first, one.second, one.outcome, one.reason, one.received_ms) for one in records
        ]
        statement = (
            "INSERT INTO links (verb, first, second, outcome, reason, received_ms) VALUES (?, ?, ?, ?, ?, ?)"
        )
        with self._database.transaction() as connection:
            connection.executemany(statement, rows)

    def page(self, after: int, limit: int) -> list[LinkRecord]:
        """Return up to `limit` links behind a sequence number, in the order of arrival."""
        query = (
            "SELECT verb, first, second, outcome, reason, received_ms, sequence FROM links "
            "WHERE sequence > ? ORDER BY sequence LIMIT ?"
        )
        with self._database.reading() as connection:
            return [LinkRecord(*row) for row in connection.execute(query, (after, limit))]

    def count(self) -> int:
        """Return how many links arrived."""
        with self._database.reading() as connection:
            return int(connection.execute("SELECT count(*) FROM links").fetchone()[0])
