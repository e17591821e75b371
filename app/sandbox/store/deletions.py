"""Deletions of people that were filed, and their doing."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from app.sandbox.store.database import Database

SCHEMA = """
CREATE TABLE IF NOT EXISTS deletions (
    task_id TEXT PRIMARY KEY, compliance TEXT NOT NULL, filed_ms INTEGER NOT NULL, distinct_ids TEXT NOT NULL,
    ended TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID
"""


@dataclass(frozen=True)
class Task:
    """A deletion.

    Attributes:
        ended: `SUCCESS` or `REVOKED`; empty while it is under way.
    """

    task_id: str
    compliance: str
    filed_ms: int
    distinct_ids: tuple[str, ...]
    ended: str = ""


class Deletions:
    """The project's deletions."""

    def __init__(self, database: Database) -> None:
        self._database = database
        with database.transaction() as connection:
            connection.execute(SCHEMA)

    def add(self, distinct_ids: Sequence[str], compliance: str, now_ms: int) -> Task:
        """Keep a new one."""
        task = Task(secrets.token_hex(8), compliance, now_ms, tuple(distinct_ids))
        ids = orjson.dumps(task.distinct_ids).decode()
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO deletions VALUES (?, ?, ?, ?, '')", (task.task_id, compliance, now_ms, ids)
            )
        return task

    def find(self, task_id: str) -> Task | None:
        """Return one, or None."""
        with self._database.reading() as connection:
            row = connection.execute("SELECT * FROM deletions WHERE task_id = ?", (task_id,)).fetchone()
        return None if row is None else Task(row[0], row[1], row[2], tuple(orjson.loads(row[3])), row[4])

    def end(self, task: Task, how: str) -> None:
        """Note that it has ended."""
        with self._database.transaction() as connection:
            connection.execute("UPDATE deletions SET ended = ? WHERE task_id = ?", (how, task.task_id))

    def delete_people(self, task: Task) -> None:
        """Delete the people: profiles, events, and who they are linked to; and note that it has ended."""
        with self._database.transaction() as connection:
            gone = [(each,) for each in task.distinct_ids]
            connection.executemany("DELETE FROM profiles WHERE distinct_id = ?", gone)
            connection.executemany("DELETE FROM events WHERE distinct_id = ?", gone)
            connection.executemany("DELETE FROM identities WHERE distinct_id = ?", gone)
            connection.executemany("DELETE FROM aliases WHERE alias = ?", gone)
            self.end(task, "SUCCESS")
