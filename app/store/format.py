"""Which version of the stored state a Redis holds, and whether this code can work with it.

Looked at whenever a connection is made, so that it costs nothing a command, and that a process which began
while Redis was away, or whose Redis was given other data meanwhile, notices before it reads or writes any.
State of another version is an error like an absent Redis: pages are answered 503, workers and clock wait.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import Any, Final

from redis import Redis
from redis.exceptions import RedisError, ResponseError

from app.store import keys

FORMAT: Final[int] = 1
"""Of keys, their types, and what is encoded in them. Raise it where other code would misread them."""
UNMARKED: Final[int] = 1
"""What state without a mark is: it was written before there were marks."""

_OUTBOXES: Final = ("events", "profiles", "groups", "identity")

Ask = Callable[..., Any]
"""Sends one command, and returns its answer."""


class OtherFormatError(RedisError):
    """The state is of a version that this code does not understand. Nothing was read or written.

    Attributes:
        found, needed: the versions.
    """

    def __init__(self, found: str, needed: int) -> None:
        super().__init__(f"holds state of version {found}, and this cohort-relay works with version {needed}")
        self.found = found
        self.needed = needed

    @property
    def is_older(self) -> bool:
        """Whether it is of an earlier version, or on its way from one."""
        version = self.found.partition(">")[0]
        return version.isascii() and version.isdigit() and UNMARKED <= int(version) < self.needed


class StoredFormat:
    """Checks the version, and marks a Redis that holds no state yet.

    Args:
        project_ids: the projects whose keys tell whether there is any state.
        marks: whether to mark; commands that only look do not.
        needed: the version that this code works with.
    """

    def __init__(self, project_ids: Iterable[str], *, marks: bool, needed: int = FORMAT) -> None:
        self.needed = needed
        self._project_ids = tuple(project_ids)
        self._marks = marks

    def on_connect(self, connection: Any) -> None:
        """Greet the server as redis-py does, then check; for `redis_connect_func` of a client.

        Raises:
            OtherFormatError: the state is of another version.
        """
        connection.on_connect()
        self._check(partial(_ask, connection))

    def check(self, redis: Redis) -> None:
        """Check over a client; where it fails, its idle connections go, so that later commands fail alike.

        Raises:
            OtherFormatError: the state is of another version.
            RedisError: it cannot be asked.
        """
        try:
            self._check(redis.execute_command)
        except OtherFormatError:
            redis.connection_pool.disconnect(inuse_connections=False)
            raise

    def _check(self, ask: Ask) -> None:
        found = ask("GET", keys.state_format())
        if found is None:
            found = self._unmarked(ask)
        if found != b"%d" % self.needed:
            raise OtherFormatError(found.decode(errors="replace")[:20], self.needed)

    def _unmarked(self, ask: Ask) -> bytes:
        """Return the version of state without a mark, marked if it may be."""
        version = unmarked(ask, self._project_ids, self.needed)
        if version == self.needed and self._marks:
            with suppress(ResponseError):  # a replica, or full: no state comes into being there, either
                ask("SET", keys.state_format(), version, "NX")
                marked: bytes | None = ask("GET", keys.state_format())
                return marked or b"%d" % version
        return b"%d" % version


def unmarked(ask: Ask, project_ids: Iterable[str], needed: int) -> int:
    """Return the version of state without a mark; where there is none at all, the one that is needed."""
    return UNMARKED if any(map(partial(_has_state, ask), project_ids)) else needed


def _has_state(ask: Ask, project_id: str) -> bool:
    outboxes = (keys.outbox_meta(project_id, name) for name in _OUTBOXES)
    return bool(ask("EXISTS", keys.inbox_meta(project_id), *outboxes))


def _ask(connection: Any, *command: str | int) -> Any:
    connection.send_command(*command, check_health=False)
    return connection.read_response()
