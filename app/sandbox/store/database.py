"""The sandbox's state: one SQLite file, one connection, one lock.

One connection behind a lock is enough here: a batch of 2,000 updates takes some tens of milliseconds, and a
lock makes every batch atomic for whoever looks at the same time. The file is locked for the process, so that
two sandboxes never share it by accident.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FILE_NAME = "sandbox.sqlite3"
LOOKUP_CHUNK = 500  # SQLite's oldest limit for parameters of one statement is 999

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (
    name TEXT PRIMARY KEY, value TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS profiles (
    distinct_id TEXT PRIMARY KEY, properties TEXT NOT NULL, updated_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS cohorts (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, description TEXT NOT NULL, conditions TEXT NOT NULL,
    snapshot_ms INTEGER, paused TEXT, session_id TEXT NOT NULL DEFAULT '', last_sync TEXT
);
CREATE TABLE IF NOT EXISTS snapshot_members (
    cohort_id INTEGER NOT NULL, distinct_id TEXT NOT NULL, PRIMARY KEY (cohort_id, distinct_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS events (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL, time_ms INTEGER NOT NULL,
    distinct_id TEXT NOT NULL, insert_id TEXT NOT NULL, properties TEXT NOT NULL,
    source TEXT NOT NULL, received_ms INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS events_by_person ON events (distinct_id);
CREATE INDEX IF NOT EXISTS events_by_time ON events (time_ms);
CREATE TABLE IF NOT EXISTS group_profiles (
    group_key TEXT NOT NULL, group_id TEXT NOT NULL, properties TEXT NOT NULL, updated_ms INTEGER NOT NULL,
    PRIMARY KEY (group_key, group_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS identities (
    distinct_id TEXT PRIMARY KEY, canonical TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS identities_by_canonical ON identities (canonical);
CREATE TABLE IF NOT EXISTS aliases (
    alias TEXT PRIMARY KEY, distinct_id TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS links (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, verb TEXT NOT NULL, first TEXT NOT NULL, second TEXT NOT NULL,
    outcome TEXT NOT NULL, reason TEXT NOT NULL, received_ms INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS documents (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL,
    UNIQUE (kind, key)
);
"""
CLEARED = (
    "profiles",
    "cohorts",
    "snapshot_members",
    "events",
    "group_profiles",
    "identities",
    "aliases",
    "links",
    "deletions",
    "documents",
)


class StateInUseError(Exception):
    """Another process has the data directory open."""


class Database:
    """A connection that threads take turns in."""

    def __init__(self, data_dir: Path | None) -> None:
        """Open (or make) the state under `data_dir`, or in memory.

        Raises:
            StateInUseError: Another sandbox runs on that directory.
        """
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(
            _location(data_dir), timeout=0.2, isolation_level=None, check_same_thread=False
        )
        try:
            self._connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute(
                "PRAGMA synchronous=NORMAL"
            )  # survives a killed process, which is what happens here
            self._connection.executescript(SCHEMA)
        except sqlite3.OperationalError as err:
            self._connection.close()
            raise StateInUseError(f"{data_dir} is in use by another sandbox ({err})") from err

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Hold the connection for reading."""
        with self._lock:
            yield self._connection

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Hold the connection; what is written becomes visible and durable at the end, or not at all.

        A transaction inside a transaction is part of the outer one.
        """
        with self._lock:
            if self._connection.in_transaction:
                yield self._connection
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def clear(self) -> None:
        """Forget everything but `meta`."""
        with self.transaction() as connection:
            for table in CLEARED:
                connection.execute(f"DELETE FROM {table}")  # noqa: S608 -- the names stand above

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()


def _location(data_dir: Path | None) -> str:
    if data_dir is None:
        return ":memory:"
    data_dir.mkdir(parents=True, exist_ok=True)
    return str(data_dir / FILE_NAME)
