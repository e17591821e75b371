"""Documents: what the API keeps besides people, events and cohorts, such as annotations, pipelines or flags.

Each is a JSON object of some kind under a key; nothing here knows what is in it.
"""

from typing import Any

import orjson

from app.sandbox.store.database import Database
from app.sandbox.store.meta import Meta

Document = dict[str, Any]


class Documents:
    """The project's documents of all kinds."""

    def __init__(self, database: Database, meta: Meta) -> None:
        self._database = database
        self._meta = meta

    def number(self, kind: str, first: int = 1) -> int:
        """Return a number that no document of the kind had before; they run on over a reset."""
        return first - 1 + self._meta.count(f"documents_{kind}")

    def put(self, kind: str, key: str | int, body: Document) -> Document:
        """Keep a document, in place of the one with its key; return it."""
        stored = orjson.dumps(body).decode()
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO documents (kind, key, body) VALUES (?, ?, ?) "
                "ON CONFLICT (kind, key) DO UPDATE SET body = excluded.body",
                (kind, str(key), stored),
            )
        return body

    def get(self, kind: str, key: str | int) -> Document | None:
        """Return a document, or None."""
        query = "SELECT body FROM documents WHERE kind = ? AND key = ?"
        with self._database.reading() as connection:
            row = connection.execute(query, (kind, str(key))).fetchone()
        return None if row is None else orjson.loads(row[0])

    def all(self, kind: str) -> dict[str, Document]:
        """Return the documents of a kind by key, in the order in which they came first."""
        query = "SELECT key, body FROM documents WHERE kind = ? ORDER BY sequence"
        with self._database.reading() as connection:
            return {key: orjson.loads(body) for key, body in connection.execute(query, (kind,))}

    def remove(self, kind: str, key: str | int) -> bool:
        """Delete a document; tell whether there was one."""
        statement = "DELETE FROM documents WHERE kind = ? AND key = ?"
        with self._database.transaction() as connection:
            return connection.execute(statement, (kind, str(key))).rowcount > 0
