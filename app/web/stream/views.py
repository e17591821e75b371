"""Answer with events for as long as somebody reads."""

import select
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from flask import Response, current_app, request
from redis import RedisError
from structlog.stdlib import get_logger

from app.feed.encoding import Encoder
from app.feed.event import Event
from app.feed.filter import EventFilter, InvalidFilter
from app.feed.following import BEATS_S, Beat, Ends, follow
from app.feed.position import InvalidPosition, Position
from app.store.faults import redis_word
from app.web.api.access import ACCESS, Access, caller
from app.web.api.kinds import INVALID_HEADER, INVALID_QUERY, TOO_MANY_STREAMS, UNKNOWN_PROJECT, Kind
from app.web.api.problems import Fault, Problem
from app.web.ports import WebServices
from app.web.stream import wire
from app.web.stream.seats import Seats

EVENT_STREAM: Final = "text/event-stream"
TAKES_S: Final = 30.0
"""A reader that takes nothing for so long is let go: it, or the network, is gone."""
_SOCKET: Final = "gunicorn.socket"

log = get_logger(__name__)


@dataclass
class StreamViews:
    """Serves readers of this process.

    Attributes:
        services: what is read.
    """

    services: WebServices
    _ends: Ends = field(init=False)
    _seats: Seats = field(init=False)

    def __post_init__(self) -> None:
        self._ends = Ends(self.services.feed)
        self._seats = Seats(self.services.settings.event_readers)

    def follow(self, query: dict[str, Any], headers: dict[str, Any]) -> Response:
        """Answer with the events that come."""
        last = headers["last_event_id"]
        project_id = self._project(query.get("project"))
        chosen = _filter(query)
        start = self._start(project_id, query["start"], last)
        if not self._seats.take():
            raise Problem(TOO_MANY_STREAMS, "All connections that this process keeps open are taken.")
        connection = request.environ.get(_SOCKET)
        if connection is not None:
            connection.settimeout(TAKES_S)
        stay = _Stay(caller().id, self.services, current_app.extensions[ACCESS], connection)
        told = follow(
            self.services.feed,
            self._ends,
            project_id,
            start,
            chosen,
            batch=query["batch"],
            goes_on=stay.goes_on,
        )
        written = _written(told, self.services.encoder, last if start.part is not None else None)
        answer = Response(written, mimetype=EVENT_STREAM)
        answer.call_on_close(self._seats.give_back)
        answer.headers["Cache-Control"] = "no-store"
        answer.headers["X-Accel-Buffering"] = "no"  # nginx would keep events back to fill its buffers
        return answer

    def _project(self, named: str | None) -> str:
        """Return the project that is meant, if the token reaches it."""
        reached = [each for each in self.services.settings.projects if caller().reaches(each)]
        if named is None and len(reached) == 1:
            return reached[0]
        if named is None:
            fault = Fault("project", "is missing: the token reaches several", "invalid")
            raise Problem(INVALID_QUERY, "Wrong: project.", [fault])
        if named not in reached:
            raise Problem(UNKNOWN_PROJECT, "There is no project with this id that this token reaches.")
        return named

    def _start(self, project_id: str, wanted: str, last: str) -> Position:
        """Return the place behind which a reader begins."""
        if last:
            return _position(last, INVALID_HEADER, "Last-Event-ID")
        if wanted == "oldest":
            return self.services.feed.oldest(project_id)
        if wanted in ("", "now"):
            return self.services.feed.end(project_id)
        return _position(wanted, INVALID_QUERY, "from")


@dataclass
class _Stay:
    """Says how long a reader may stay: until it goes, the process ends, or its token does.

    Attributes:
        token_id: of its token.
        services: know the token.
        access: knows the time, and whether the process is ending.
        connection: to the reader, where the server hands it out, as gunicorn does.
    """

    token_id: str
    services: WebServices
    access: Access
    connection: socket.socket | None
    _looked_s: float = field(default_factory=time.monotonic)

    def goes_on(self) -> bool:
        """Look at the token now and then, at everything else each time."""
        if self.access.draining.begun or self._left():
            return False
        if time.monotonic() - self._looked_s < BEATS_S:
            return True
        self._looked_s = time.monotonic()
        token = self.services.tokens.get(self.token_id)
        return token is not None and not token.expired(self.access.now_ms())

    def _left(self) -> bool:
        """Say whether the reader has closed its side: else it would keep its seat until something is sent."""
        if self.connection is None:
            return False
        look = select.poll()
        look.register(self.connection, select.POLLIN)
        try:
            return bool(look.poll(0)) and self.connection.recv(1, socket.MSG_PEEK) == b""
        except ValueError:  # TLS: it cannot be looked into
            return False
        except OSError:
            return True


def _written(told: Iterator[Event | Beat], encoder: Encoder, previous: str | None) -> Iterator[bytes]:
    yield wire.BEGIN
    try:
        for each in told:
            if isinstance(each, Beat):
                yield wire.place(str(each.after))
                continue
            yield wire.message(each.id, encoder.encode(each, previous))
            previous = each.id
    except RedisError as error:
        log.warning("event_stream_broken_off", error=type(error).__name__, redis=redis_word(error))
        raise


def _filter(query: dict[str, Any]) -> EventFilter:
    types = [each.strip() for each in query["types"].split(",") if each.strip()]
    try:
        return EventFilter.parse(types, query["cohort"])
    except InvalidFilter as error:
        raise Problem(INVALID_QUERY, "Wrong: types.", [Fault("types", str(error), "invalid")]) from None


def _position(written: str, kind: Kind, where: str) -> Position:
    try:
        return Position.parse(written)
    except InvalidPosition as error:
        raise Problem(kind, f"Wrong: {where}.", [Fault(where, str(error), "invalid")]) from None
