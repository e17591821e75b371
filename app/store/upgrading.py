"""Bring stored state from one version of its format to the next.

While that is under way the mark names both versions (`1>2`), so that processes of either stay away: pages are
answered 503 and sent again, nothing is lost. Every key is walked with SCAN and handed to the migration, some
at a time. What was done is noted behind each step, so that an upgrade that was broken off goes on where it
was; a step may come twice, and must then change nothing more.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, cast

from redis import Redis, ResponseError

from app.store import keys
from app.store.format import FORMAT, unmarked
from app.store.keys import Place
from app.store.lock import Lock

AT_ONCE: Final = 250
"""Keys that SCAN looks at for a step."""
LOCK_MS: Final = 60_000


@dataclass(frozen=True)
class Migration:
    """The way from one version to the next.

    Attributes:
        to: the version that it leads to, from the one before.
        what: what it changes, for operators.
        change: called with some keys at a time, of all that are ours; brings those to the new version that
            are of the old one, without a command over 10 ms, and returns how many it has changed. It is
            called again for keys that it has changed already.
    """

    to: int
    what: str
    change: Callable[[Redis, Sequence[bytes]], int]


MIGRATIONS: Final[tuple[Migration, ...]] = ()
"""In order. Raise `FORMAT` with each; the way from every version that was ever released stays here."""


class NoWay(Exception):  # noqa: N818 - a state that a person has to see to
    """This code cannot bring the state that it found to the version that it needs; nothing was changed."""


class BeingUpgraded(Exception):  # noqa: N818 - a state, not a mistake
    """Somebody else upgrades it, or did within the last minute."""


@dataclass(frozen=True, slots=True)
class Step:
    """What a step came to: the version that it is under way to, keys looked at, keys changed."""

    to: int
    looked: int
    changed: int


class Upgrading:
    """Upgrades the state.

    Args:
        redis: a client that does not look at the version.
        project_ids: of the projects whose keys tell whether there is any state.
        name: of whoever does it, for the lock.
        needed: the version to end with.
        migrations: the ways there are.
    """

    def __init__(
        self,
        redis: Redis,
        project_ids: Sequence[str],
        name: str,
        *,
        needed: int = FORMAT,
        migrations: Sequence[Migration] = MIGRATIONS,
    ) -> None:
        self._redis = redis
        self._project_ids = project_ids
        self._name = name
        self._needed = needed
        self._migrations = {each.to: each for each in migrations}
        self._lock = Lock(redis, keys.upgrade_lock(), LOCK_MS)

    def ahead(self) -> list[Migration]:
        """Return what has to be done, in order; empty where the state is as needed, or there is none.

        Raises:
            NoWay: it cannot be done.
        """
        found = self._found()
        version, under_way_to = _versions(found)
        wanted = range(version + 1, self._needed + 1)
        missing = [to for to in wanted if to not in self._migrations]
        if max(version, under_way_to) > self._needed or missing:
            raise NoWay(f"the state is of version {found}, and this cohort-relay needs {self._needed}")
        return [self._migrations[to] for to in wanted]

    def run(self) -> Iterator[Step]:
        """Do it, or go on with it; after the last step, processes of the new version can work.

        Raises:
            NoWay: it cannot be done.
            BeingUpgraded: somebody else does it.
        """
        self.ahead()
        self._take()
        for migration in self.ahead():
            self._redis.set(keys.state_format(), f"{migration.to - 1}>{migration.to}")
            self._send_others_away()
            yield from self._migrate(migration)
            self._redis.delete(keys.upgrade())
            self._redis.set(keys.state_format(), migration.to)
        self._redis.delete(keys.upgrade_lock())

    def _migrate(self, migration: Migration) -> Iterator[Step]:
        server = self._server()
        noted = cast("dict[bytes, bytes]", self._redis.hgetall(keys.upgrade()))
        # SCAN's cursors mean something else to a server that was started again.
        same = server and noted.get(b"server") == server and noted.get(b"to") == b"%d" % migration.to
        cursor = int(noted[b"cursor"]) if same else 0
        while True:
            self._take()
            cursor, found = cast(
                "tuple[int, list[bytes]]", self._redis.scan(cursor, match=Place.pattern(), count=AT_ONCE)
            )
            changed = migration.change(self._redis, found) if found else 0
            place = {"to": migration.to, "server": server, "cursor": cursor}
            self._redis.hset(keys.upgrade(), mapping=cast("Any", place))
            yield Step(migration.to, len(found), changed)
            if not cursor:
                return

    def _found(self) -> str:
        """Return the mark, or what stands for none."""
        mark = cast("bytes | None", self._redis.get(keys.state_format()))
        if mark is None:
            mark = b"%d" % unmarked(self._redis.execute_command, self._project_ids, self._needed)
        return mark.decode(errors="replace")[:20]

    def _take(self) -> None:
        if not self._lock.take(self._name):
            raise BeingUpgraded

    def _send_others_away(self) -> None:
        """Close the connections of others, so that they look at the mark when they come back.

        Where the server does not allow that, they notice within a minute, or with their next connection.
        """
        with suppress(ResponseError):
            own, database = (
                self._redis.client_id(),
                self._redis.connection_pool.connection_kwargs.get("db", 0),
            )
            for client in self._redis.client_list("normal"):
                if client["id"] != str(own) and client["db"] == str(database):
                    with suppress(ResponseError):  # it went by itself
                        self._redis.client_kill_filter(_id=client["id"])

    def _server(self) -> bytes:
        try:
            return str(cast("Any", self._redis.info("server"))["run_id"]).encode()
        except (ResponseError, KeyError):
            return b""


def _versions(mark: str) -> tuple[int, int]:
    """Return the version that a mark names, and the one that an upgrade is under way to; the same without.

    Raises:
        NoWay: it is no such mark.
    """
    version, _, to = mark.partition(">")
    known = version.isascii() and version.isdigit() and to in ("", str(int(version) + 1))
    if not known:
        raise NoWay(f"the state is marked as of version {mark!r}, which this cohort-relay does not know")
    return int(version), int(to or version)
