"""User profiles: a distinct_id and its properties."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from app.sandbox.store.database import LOOKUP_CHUNK, Database

Properties = dict[str, Any]
SCAN_CHUNK = 2000


@dataclass(frozen=True)
class Profile:
    """A stored profile."""

    distinct_id: str
    properties: Properties
    updated_ms: int


class Profiles:
    """The project's user profiles."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, distinct_id: str) -> Profile | None:
        """Return one profile, or None."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT * FROM profiles WHERE distinct_id = ?", (distinct_id,)
            ).fetchone()
        return None if row is None else _profile(row)

    def properties(self, distinct_ids: Sequence[str]) -> dict[str, Properties]:
        """Return the properties of those of the given profiles that exist."""
        found: dict[str, Properties] = {}
        with self._database.reading() as connection:
            for start in range(0, len(distinct_ids), LOOKUP_CHUNK):
                chunk = distinct_ids[start : start + LOOKUP_CHUNK]
                marks = ",".join("?" * len(chunk))
                query = f"SELECT distinct_id, properties FROM profiles WHERE distinct_id IN ({marks})"  # noqa: S608 -- question marks only
                found.update((row[0], orjson.loads(row[1])) for row in connection.execute(query, chunk))
        return found

    def write(self, changed: Mapping[str, Properties | None], now_ms: int) -> None:
        """Store profiles; None deletes one."""
        kept = [
            (key, orjson.dumps(value).decode(), now_ms) for key, value in changed.items() if value is not None
        ]
        gone = [(key,) for key, value in changed.items() if value is None]
        with self._database.transaction() as connection:
            connection.executemany("INSERT OR REPLACE INTO profiles VALUES (?, ?, ?)", kept)
            connection.executemany("DELETE FROM profiles WHERE distinct_id = ?", gone)

    def count(self) -> int:
        """Return how many profiles there are."""
        with self._database.reading() as connection:
            return int(connection.execute("SELECT count(*) FROM profiles").fetchone()[0])

    def matching(self, where: str, parameters: Sequence[Any]) -> set[str]:
        """Return the ids of the profiles that meet an SQL condition made by `population.conditions`."""
        query = f"SELECT distinct_id FROM profiles WHERE {where}"  # noqa: S608 -- made of fixed parts and parameters
        with self._database.reading() as connection:
            return {row[0] for row in connection.execute(query, parameters)}

    def page(self, after: str, limit: int) -> list[Profile]:
        """Return up to `limit` profiles whose id follows `after`, in the ids' order."""
        query = "SELECT * FROM profiles WHERE distinct_id > ? ORDER BY distinct_id LIMIT ?"
        with self._database.reading() as connection:
            return [_profile(row) for row in connection.execute(query, (after, limit))]

    def scan(self, after: str = "") -> Iterator[Profile]:
        """Yield every profile in the ids' order, without holding the lock in between."""
        while chunk := self.page(after, SCAN_CHUNK):
            yield from chunk
            after = chunk[-1].distinct_id

    def holding(self, name: str, value: Any, after: str = "") -> Iterator[Profile]:
        """Yield the profiles whose property equals the value or is a list with it."""
        return (profile for profile in self.scan(after) if _holds(profile.properties.get(name), value))


def _profile(row: Iterable[Any]) -> Profile:
    distinct_id, properties, updated_ms = row
    return Profile(distinct_id, orjson.loads(properties), updated_ms)


def _holds(held: Any, value: Any) -> bool:
    return value in held if isinstance(held, list) else held is not None and held == value
