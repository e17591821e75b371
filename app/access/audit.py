"""Who changed what: a log of every changing call and command, capped in number and age.

There are three: `changes`, what operators do; `ingest`, the calls by which services hand data in; and
`mixpanel`, all calls of the gateway, those that only read as well. There may be hundreds of these a second,
and they must not push out who discarded dead letters last month.

An entry holds no body and no personal data: of a person, a keyed hash of the distinct_id.
"""

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal, cast

import orjson
from redis import Redis

from app.store import keys, scripts
from config.secret import Secret

Log = Literal["changes", "ingest", "mixpanel"]
LOGS: Final[tuple[Log, ...]] = ("changes", "ingest", "mixpanel")
KEPT_MS: Final = 400 * 86_400_000
_READ: Final = 500
_LOOKED_AT: Final = 5_000
"""Entries that one page looks through at most."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it.

    Attributes:
        kind: `token`, of the API; `user`, of the operating system.
        id: the token's id, or the user's name.
        name: the token's name, or the machine's.
    """

    kind: Literal["token", "user"]
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A change, or the attempt of one.

    Attributes:
        actor: who.
        action: `POST /api/v1/...`, with placeholders, or `flask tokens revoke`.
        resources: what it was about, by the names of the placeholders or options.
        outcome: `ok`, or the code of the problem.
        status: of HTTP, or of the command.
        counts: what it came to, such as how many were accepted.
    """

    actor: Actor
    action: str
    resources: Mapping[str, str]
    outcome: str
    status: int
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Written:
    """An entry in the log: its id begins with the time (ms) at which it was written."""

    id: str
    entry: Entry

    @property
    def time_ms(self) -> int:
        """When it was written."""
        return int(self.id.partition("-")[0])


@dataclass(frozen=True, slots=True)
class Which:
    """Which entries are meant; what is empty does not matter.

    Attributes:
        actor: a token's id, or a user's name.
        action: a text within the action, in upper or lower case.
        project_id: what was about this project.
        before_ms: written before this time.
        since_ms: written at this time, or later.
    """

    actor: str = ""
    action: str = ""
    project_id: str = ""
    before_ms: int | None = None
    since_ms: int | None = None

    def means(self, entry: Entry) -> bool:
        """Say whether this one is meant, its time aside."""
        return (
            (not self.actor or entry.actor.id == self.actor)
            and (not self.action or self.action.casefold() in entry.action.casefold())
            and (not self.project_id or entry.resources.get("project_id") == self.project_id)
        )


ALL: Final = Which()


class Audit:
    """Writes and reads the logs.

    Args:
        redis: where.
        cap: how many entries each log keeps, about.
    """

    def __init__(self, redis: Redis, cap: int) -> None:
        self._redis = redis
        self._cap = cap
        self._write = scripts.load(redis, "access/scripts/audit.lua")

    def write(self, entry: Entry, log: Log = "changes") -> None:
        """Write an entry.

        Raises:
            RedisError: it may not be there.
        """
        encoded = orjson.dumps(asdict(entry))
        self._write(keys=[keys.audit(log), keys.audit_meta(log)], args=[self._cap, KEPT_MS, encoded])

    def page(
        self, log: Log = "changes", which: Which = ALL, *, after: str = "", limit: int = 100
    ) -> tuple[list[Written], str | None]:
        """Return some entries, the newest first, and the id behind which to go on; None at the end.

        There may be fewer than asked for, or none, although there are more.
        """
        found: list[Written] = []
        for looked, written in enumerate(self._entries(log, which, after)):
            if len(found) == limit or looked == _LOOKED_AT:
                return found, after
            after = written.id
            if which.means(written.entry):
                found.append(written)
        return found, None

    def all(self, log: Log = "changes", which: Which = ALL) -> Iterator[Written]:
        """Yield all entries, the newest first."""
        return (written for written in self._entries(log, which, "") if which.means(written.entry))

    def kept(self, log: Log = "changes") -> int:
        """Return how many there are."""
        return self._redis.xlen(keys.audit(log))

    def dropped(self, log: Log = "changes") -> int:
        """Return how many went for the cap or their age."""
        written = self._redis.hget(keys.audit_meta(log), "written")
        return int(cast("bytes | None", written) or 0) - self.kept(log)

    def _entries(self, log: Log, which: Which, after: str) -> Iterator[Written]:
        """Yield the entries of the time that is meant, the newest first, also behind one that is gone."""
        oldest_ms = max(which.since_ms or 0, self._redis.time()[0] * 1000 - KEPT_MS)
        newest = "+" if which.before_ms is None else f"{max(which.before_ms, 1) - 1}"
        if after:
            newest = f"({after}" if newest == "+" or _time_of(after) < int(newest) else newest
        while True:
            some = self._redis.xrevrange(keys.audit(log), max=newest, min=f"{oldest_ms}", count=_READ)
            read = cast("list[tuple[bytes, dict[bytes, bytes]]]", some)
            for id_, fields in read:
                yield Written(id_.decode(), _read_entry(fields[b"entry"]))
            if len(read) < _READ:
                return
            newest = f"({read[-1][0].decode()}"


def hashed(distinct_id: str, key: Secret) -> str:
    """Return what stands for a person: equal for equal ids, and of no use to whoever has not the key."""
    return "hmac:" + hmac.new(key.reveal().encode(), distinct_id.encode(), hashlib.sha256).hexdigest()[:24]


def _read_entry(stored: bytes) -> Entry:
    data: dict[str, Any] = orjson.loads(stored)
    return Entry(**{**data, "actor": Actor(**data["actor"])})


def _time_of(entry_id: str) -> int:
    return int(entry_id.partition("-")[0])
