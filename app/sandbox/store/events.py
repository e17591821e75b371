"""Events: every arrival is kept; reading shows each event once, under the person's canonical id.

Two arrivals are one event if event, time, distinct_id and `$insert_id` are equal; the latest arrival is shown
(https://docs.mixpanel.com/reference/event-deduplication). It is the canonical distinct_id that is compared,
as duplicates are dropped when events are read, and by then links have done their work.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from app.sandbox.store.database import Database
from app.sandbox.store.identities import Identities


@dataclass(frozen=True)
class NewEvent:
    """An event as it is taken in.

    Attributes:
        name: What happened.
        time_ms: When, in milliseconds since the epoch.
        distinct_id: Who, as received (a simplified project's is made of `$user_id` or `$device_id`).
        insert_id: What tells it from others.
        properties: All others.
        source: Where it came in, `import` or `track`.
    """

    name: str
    time_ms: int
    distinct_id: str
    insert_id: str
    properties: dict[str, Any]
    source: str


@dataclass(frozen=True)
class StoredEvent:
    """An event as it is read back.

    Attributes:
        sequence: Number of its latest arrival.
        distinct_id: The person's canonical id.
        received_distinct_id: The id that it came with.
        arrivals: How often it came.
        received_ms: When it came last.
    """

    event: str
    time_ms: int
    distinct_id: str
    received_distinct_id: str
    insert_id: str
    properties: dict[str, Any]
    source: str
    arrivals: int
    received_ms: int
    sequence: int


@dataclass(frozen=True)
class Selection:
    """Which events to read: those between two times, with one of some names, of one person. All by default.

    Attributes:
        names: Empty for any.
        person: Any id of the person; None for everybody.
        from_ms: The earliest time.
        before_ms: The time before which they lie.
        at_least: Those only that arrived so often.
        raw: Every arrival on its own.
    """

    names: Sequence[str] = ()
    person: str | None = None
    from_ms: int | None = None
    before_ms: int | None = None
    at_least: int = 1
    raw: bool = False


@dataclass(frozen=True)
class Count:
    """How many events of a name there are, and how many arrivals they took."""

    events: int
    arrivals: int


class Events:
    """The project's events."""

    def __init__(self, database: Database, identities: Identities) -> None:
        self._database = database
        self._identities = identities

    def add(self, events: Iterable[NewEvent], now_ms: int) -> None:
        """Keep arrivals, in their order."""
        rows = [
            (
                one.name,
                one.time_ms,
                one.distinct_id,
                one.insert_id,
                orjson.dumps(one.properties).decode(),
                one.source,
                now_ms,
            )
            for one in events
        ]
        statement = (
            "INSERT INTO events (event, time_ms, distinct_id, insert_id, properties, source, received_ms) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)"
        )
        with self._database.transaction() as connection:
            connection.executemany(statement, rows)

    def arrivals(self) -> int:
        """Return how many arrivals there were."""
        with self._database.reading() as connection:
            return int(connection.execute("SELECT count(*) FROM events").fetchone()[0])

    def count(self) -> int:
        """Return how many events there are."""
        return sum(one.events for one in self.counts(Selection()).values())

    def read(self, selection: Selection, order: str, limit: int, after: int = 0) -> list[StoredEvent]:
        """Return events.

        Args:
            selection: Which.
            order: `time` or `arrival` (of the latest).
            limit: How many at most.
            after: Behind which number of arrival; with the order `arrival`, to page.
        """
        grouped, parameters = self._grouped(selection)
        columns = "time_ms, latest" if order == "time" else "latest"
        query = (
            "SELECT event, time_ms, person, distinct_id, insert_id, properties, source, arrivals, "  # noqa: S608 -- made of fixed parts
            f"received_ms, latest FROM ({grouped}) WHERE arrivals >= ? AND latest > ? "
            f"ORDER BY {columns} LIMIT ?"
        )
        with self._database.reading() as connection:
            rows = connection.execute(query, [*parameters, selection.at_least, after, limit])
            return [_stored(row) for row in rows]

    def each(self, selection: Selection, at_once: int) -> Iterator[StoredEvent]:
        """Yield events in the order of time, taken from the database some at a time.

        The state is locked until the last one was taken, or the iterator was closed.
        """
        grouped, parameters = self._grouped(selection)
        query = (
            "SELECT event, time_ms, person, distinct_id, insert_id, properties, source, arrivals, "  # noqa: S608 -- made of fixed parts
            f"received_ms, latest FROM ({grouped}) ORDER BY time_ms, latest"
        )
        with self._database.reading() as connection:
            rows = connection.execute(query, parameters)
            while chunk := rows.fetchmany(at_once):
                yield from map(_stored, chunk)

    def counts(self, selection: Selection) -> dict[str, Count]:
        """Return, by name, how many events there are and how many arrivals they took."""
        grouped, parameters = self._grouped(selection)
        query = f"SELECT event, count(*), sum(arrivals) FROM ({grouped}) GROUP BY event ORDER BY event"  # noqa: S608 -- made of fixed parts
        with self._database.reading() as connection:
            return {row[0]: Count(row[1], row[2]) for row in connection.execute(query, parameters)}

    def _grouped(self, selection: Selection) -> tuple[str, list[Any]]:
        """Return a query for the selected events; SQLite shows each one's row with the largest `latest`."""
        where, parameters = self._where(selection)
        by = "sequence" if selection.raw else "event, time_ms, person, insert_id"
        query = (
            "SELECT event, time_ms, coalesce(identities.canonical, events.distinct_id) AS person, "  # noqa: S608 -- made of fixed parts
            "events.distinct_id AS distinct_id, insert_id, properties, source, count(*) AS arrivals, "
            "received_ms, max(sequence) AS latest "
            "FROM events LEFT JOIN identities ON identities.distinct_id = events.distinct_id "
            f"WHERE {where} GROUP BY {by}"
        )
        return query, parameters

    def _where(self, selection: Selection) -> tuple[str, list[Any]]:
        parts, parameters = ["1"], list[Any]()
        if selection.person is not None:
            ids = self._identities.cluster(selection.person).ids
            parts.append("events.distinct_id IN (SELECT value FROM json_each(?))")
            parameters.append(orjson.dumps(ids).decode())
        if selection.names:
            parts.append("event IN (SELECT value FROM json_each(?))")
            parameters.append(orjson.dumps(list(selection.names)).decode())
        if selection.from_ms is not None:
            parts.append("time_ms >= ?")
            parameters.append(selection.from_ms)
        if selection.before_ms is not None:
            parts.append("time_ms < ?")
            parameters.append(selection.before_ms)
        return " AND ".join(parts), parameters


def _stored(row: Sequence[Any]) -> StoredEvent:
    name, time_ms, canonical, received, insert_id, properties, source, arrivals, received_ms, latest = row
    return StoredEvent(
        event=name,
        time_ms=time_ms,
        distinct_id=canonical,
        received_distinct_id=received,
        insert_id=insert_id,
        properties=orjson.loads(properties),
        source=source,
        arrivals=arrivals,
        received_ms=received_ms,
        sequence=latest,
    )
