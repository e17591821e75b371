"""Group profiles: a group key (such as `Company`), a group id, and properties."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from app.sandbox.store.database import Database
from app.sandbox.store.profiles import Properties

GroupId = tuple[str, str]  # group key, group id


@dataclass(frozen=True)
class Group:
    """A stored group profile."""

    group_key: str
    group_id: str
    properties: Properties
    updated_ms: int


class Groups:
    """The project's group profiles."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, group_key: str, group_id: str) -> Group | None:
        """Return one group profile, or None."""
        query = "SELECT * FROM group_profiles WHERE group_key = ? AND group_id = ?"
        with self._database.reading() as connection:
            row = connection.execute(query, (group_key, group_id)).fetchone()
        return None if row is None else _group(row)

    def properties(self, wanted: Collection[GroupId]) -> dict[GroupId, Properties]:
        """Return the properties of those of the given groups that exist."""
        with self._database.reading():
            found = {one: self.get(*one) for one in wanted}
        return {one: group.properties for one, group in found.items() if group is not None}

    def write(self, changed: Mapping[GroupId, Properties | None], now_ms: int) -> None:
        """Store group profiles; None deletes one."""
        kept = [
            (*key, orjson.dumps(value).decode(), now_ms)
            for key, value in changed.items()
            if value is not None
        ]
        gone = [key for key, value in changed.items() if value is None]
        with self._database.transaction() as connection:
            connection.executemany("INSERT OR REPLACE INTO group_profiles VALUES (?, ?, ?, ?)", kept)
            connection.executemany("DELETE FROM group_profiles WHERE group_key = ? AND group_id = ?", gone)

    def page(self, group_key: str | None, limit: int) -> list[Group]:
        """Return up to `limit` group profiles, of one key or of all, in their order."""
        query = (
            "SELECT * FROM group_profiles WHERE ? IS NULL OR group_key = ? "
            "ORDER BY group_key, group_id LIMIT ?"
        )
        with self._database.reading() as connection:
            return [_group(row) for row in connection.execute(query, (group_key, group_key, limit))]

    def count(self) -> int:
        """Return how many group profiles there are."""
        with self._database.reading() as connection:
            return int(connection.execute("SELECT count(*) FROM group_profiles").fetchone()[0])


def _group(row: Iterable[Any]) -> Group:
    group_key, group_id, properties, updated_ms = row
    return Group(group_key, group_id, orjson.loads(properties), updated_ms)
