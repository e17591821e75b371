"""`GET /api/2.0/export`: read events back.

Source: https://docs.mixpanel.com/reference/raw-event-export and the published OpenAPI description. Mixpanel's
own export does not leave duplicates out; here it does, unless `api.export` is set to `raw`.
"""

import gzip
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import IO, Any

import orjson

from app.sandbox.api import answers
from app.sandbox.api.answers import Answer
from app.sandbox.api.call import Call, Fate
from app.sandbox.api.credentials import Caller, Credentials
from app.sandbox.api.desk.budgets import Budgets
from app.sandbox.api.endpoint import RATE_LIMITED, Surroundings, strike
from app.sandbox.api.reports.reading import scope_of
from app.sandbox.config import Limits
from app.sandbox.expressions.reading import Scope, read_condition
from app.sandbox.expressions.tokens import ExpressionError
from app.sandbox.store.events import Events, Selection, StoredEvent

PATH = "/export"
COMPRESSED_ABOVE_BYTES = 1400
IN_MEMORY_BYTES = 8 * 1024 * 1024  # what is more waits in a file
TAKEN_AT_ONCE = 1000
READERS = {Caller.SERVICE_ACCOUNT, Caller.SECRET}
STRIKING = ("status", "delay", "timeout", "cut")


class BadQueryError(Exception):
    """The query string asks for what there is not; the message says what."""


@dataclass(frozen=True)
class Wanted:
    """What an export is asked for."""

    selection: Selection
    limit: int
    in_ms: bool
    holds: Callable[[Scope], bool]


class Export:
    """Answers requests for events; faults strike here, too."""

    def __init__(
        self, events: Events, credentials: Credentials, shared: Surroundings, budgets: Budgets
    ) -> None:
        self._events = events
        self._credentials = credentials
        self._shared = shared
        self._budgets = budgets

    def answer(self, call: Call) -> Answer | Fate:
        """Answer a request, or say what becomes of the connection instead."""
        started = time.monotonic()
        fault = self._shared.faults.draw("api", *STRIKING, applies=lambda one: one.concerns(PATH))
        with self._budgets.under_way("export") as room:

            def serve() -> Answer:
                return self._serve(call, room=room)

            answer = serve() if fault is None else strike(fault, PATH, serve, self._shared.stop)
        status = answer.status if isinstance(answer, Answer) else 0
        entry = {
            "direction": "in",
            "at_ms": int(self._shared.clock.now_s() * 1000),
            "path": PATH,
            "status": status,
            "fault": None if fault is None else fault.kind,
            "took_ms": round((time.monotonic() - started) * 1000, 1),
        }
        self._shared.journal.add(entry, **{"export_requests": 1, f"export_status_{status}": 1})
        return answer

    def _serve(self, call: Call, *, room: bool) -> Answer:
        controls = self._shared.controls
        if self._credentials.caller(call) not in READERS:
            return answers.unauthorized(401, "Invalid credentials: a service account or the project secret")
        try:
            wanted = read_query(call.query, controls.limits, raw=controls.api.export == "raw")
        except BadQueryError as err:
            return answers.unauthorized(400, str(err))
        if not (room and self._budgets.take("export", self._shared.clock.now_s())):
            return answers.refusal(429, RATE_LIMITED)
        return _spooled(self._lines(wanted), gzipped="gzip" in call.encoding)

    def _lines(self, wanted: Wanted) -> Iterator[bytes]:
        left = wanted.limit
        for event in self._events.each(wanted.selection, TAKEN_AT_ONCE):
            if left == 0:
                return
            if wanted.holds(scope_of(event)):
                left -= 1
                yield _line(event, in_ms=wanted.in_ms) + b"\n"


def _spooled(lines: Iterator[bytes], *, gzipped: bool) -> Answer:
    """Write an answer whose size is not known before: to memory, or from some size on to a file.

    The events are read while the state is locked, which is not to wait for a client to take them.
    """
    spool = tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES)  # noqa: SIM115 -- whoever sends the answer closes it
    for line in lines:
        spool.write(line)
    size = spool.tell()
    encoding = None
    if gzipped and size > COMPRESSED_ABOVE_BYTES:
        spool, encoding = _gzipped(spool), "gzip"
        size = spool.tell()
    spool.seek(0)
    if size > IN_MEMORY_BYTES:
        return Answer(200, b"", "text/plain", encoding=encoding, stream=spool)
    with spool:
        return Answer(200, spool.read(), "text/plain", encoding=encoding)


def _gzipped(plain: IO[bytes]) -> "tempfile.SpooledTemporaryFile[bytes]":
    packed = tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES)  # noqa: SIM115 -- as above
    plain.seek(0)
    with plain, gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=1) as writing:
        shutil.copyfileobj(plain, writing)
    return packed


def read_query(query: Mapping[str, str], limits: Limits, *, raw: bool) -> Wanted:
    """Read what an export is asked for.

    Args:
        query: The query string's parameters.
        limits: The limits in force.
        raw: Show every arrival.

    Raises:
        BadQueryError: A parameter is missing or not valid.
    """
    try:
        holds = read_condition(query.get("where"))
    except ExpressionError as err:
        raise BadQueryError(f"where: {err}") from err
    first, last = _day(query, "from_date"), _day(query, "to_date")
    if last < first:
        raise BadQueryError("to_date: must not be before from_date")
    selection = Selection(
        names=_names(query), from_ms=_ms(first), before_ms=_ms(last + timedelta(days=1)), raw=raw
    )
    in_ms = query.get("time_in_ms", "").lower() in {"true", "1"}
    return Wanted(selection, _limit(query, limits), in_ms, holds)


def _day(query: Mapping[str, str], name: str) -> date:
    try:
        return datetime.strptime(query.get(name, ""), "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError as err:
        raise BadQueryError(f"{name}: required, in yyyy-mm-dd format") from err


def _ms(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)


def _names(query: Mapping[str, str]) -> list[str]:
    if "event" not in query:
        return []
    try:
        names = orjson.loads(query["event"])
    except orjson.JSONDecodeError as err:
        raise BadQueryError("event: must be a JSON array of names") from err
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise BadQueryError("event: must be a JSON array of names")
    return names


def _limit(query: Mapping[str, str], limits: Limits) -> int:
    given = query.get("limit")
    if given is None:
        return -1  # no limit
    if not given.isdecimal() or not 1 <= int(given) <= limits.max_exported:
        raise BadQueryError(f"limit: from 1 to {limits.max_exported}")
    return int(given)


def _line(event: StoredEvent, *, in_ms: bool) -> bytes:
    properties: dict[str, Any] = {
        **event.properties,
        "time": event.time_ms if in_ms else event.time_ms // 1000,
        "distinct_id": event.distinct_id,
        "$insert_id": event.insert_id,
        "mp_processing_time_ms": event.received_ms,
    }
    if event.received_distinct_id != event.distinct_id:
        properties["$distinct_id_before_identity"] = event.received_distinct_id
    return orjson.dumps({"event": event.event, "properties": properties})
