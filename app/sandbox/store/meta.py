"""Small facts that outlive a restart: counters, the clock's offset, when the state was made."""

from app.sandbox.store.database import Database

SEEDED_MS = "seeded_ms"  # when the people were invented; absent in a new state
SESSIONS = "sessions"  # exports begun so far
CHURNS = "churns"  # rounds of churn so far
COHORTS = "cohorts"  # cohorts defined so far; an id is never used twice
CLOCK_OFFSET_S = "clock_offset_s"
ID_MANAGEMENT = "id_management"  # the identity system that the state was made with, a word


class Meta:
    """Named numbers, and a word or two."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, name: str) -> float | None:
        """Return a number, or None if it was never set."""
        with self._database.reading() as connection:
            row = connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return None if row is None else float(row[0])

    def set(self, name: str, value: float) -> None:
        """Keep a number."""
        with self._database.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, repr(value)))

    def word(self, name: str) -> str | None:
        """Return a word, or None if it was never set."""
        with self._database.reading() as connection:
            row = connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def set_word(self, name: str, value: str) -> None:
        """Keep a word."""
        with self._database.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    def count(self, name: str) -> int:
        """Add one to a number and return it; the first is 1."""
        with self._database.transaction():
            number = int(self.get(name) or 0) + 1
            self.set(name, number)
        return number
