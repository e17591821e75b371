"""`GET /api/2.0/export`: read events back.

Source: https://docs.mixpanel.com/reference/raw-event-export and the published OpenAPI description. Mixpanel's
own export does not leave duplicates out; here it does, unless `api.export` is set to `raw`. Expressions
(`where`) are refused.
"""

import gzip
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson

from app.sandbox.api import answers
from app.sandbox.api.answers import Answer
from app.sandbox.api.call import Call, Fate
from app.sandbox.api.credentials import Caller, Credentials
from app.sandbox.api.endpoint import RATE_LIMITED, Surroundings, strike
from app.sandbox.config import Limits
from app.sandbox.store.events import Events, Selection, StoredEvent

PATH = "/export"
COMPRESSED_ABOVE_BYTES = 1400
HOUR_S = 3600.0
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


class ExportRate:
    """Counts exports; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._at_s: deque[float] = deque()

    def take(self, now_s: float, limits: Limits) -> bool:
        """Count one more, or return False if there were too many in the last hour or second."""
        with self._lock:
            while self._at_s and self._at_s[0] <= now_s - HOUR_S:
                self._at_s.popleft()
            lately = sum(1 for at_s in self._at_s if at_s > now_s - 1)
            if len(self._at_s) >= limits.exports_an_hour or lately >= limits.exports_a_second:
                return False
            self._at_s.append(now_s)
            return True


class Export:
    """Answers requests for events; faults strike here, too."""

    def __init__(self, events: Events, credentials: Credentials, shared: Surroundings) -> None:
        self._events = events
        self._credentials = credentials
        self._shared = shared
        self._rate = ExportRate()

    def answer(self, call: Call) -> Answer | Fate:
        """Answer a request, or say what becomes of the connection instead."""
        started = time.monotonic()
        fault = self._shared.faults.draw("api", *STRIKING, applies=lambda one: one.concerns(PATH))
        if fault is None:
            answer: Answer | Fate = self._serve(call)
        else:
            answer = strike(fault, PATH, lambda: self._serve(call), self._shared.stop)
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

    def _serve(self, call: Call) -> Answer:
        controls = self._shared.controls
        if self._credentials.caller(call) not in READERS:
            return answers.unauthorized(401, "Invalid credentials: a service account or the project secret")
        try:
            wanted = read_query(call.query, controls.limits, raw=controls.api.export == "raw")
        except BadQueryError as err:
            return answers.unauthorized(400, str(err))
        if not self._rate.take(self._shared.clock.now_s(), controls.limits):
            return answers.refusal(429, RATE_LIMITED)
        found = self._events.read(wanted.selection, "time", wanted.limit)
        body = b"".join(_line(event, in_ms=wanted.in_ms) + b"\n" for event in found)
        if "gzip" not in call.encoding or len(body) <= COMPRESSED_ABOVE_BYTES:
            return Answer(200, body, "text/plain")
        return Answer(200, gzip.compress(body, 1), "text/plain", encoding="gzip")


def read_query(query: Mapping[str, str], limits: Limits, *, raw: bool) -> Wanted:
    """Read what an export is asked for.

    Args:
        query: The query string's parameters.
        limits: The limits in force.
        raw: Show every arrival.

    Raises:
        BadQueryError: A parameter is missing, not valid, or `where`.
    """
    if query.get("where"):
        raise BadQueryError("where: this sandbox evaluates no expressions; select with event and dates")
    first, last = _day(query, "from_date"), _day(query, "to_date")
    if last < first:
        raise BadQueryError("to_date: must not be before from_date")
    selection = Selection(
        names=_names(query), from_ms=_ms(first), before_ms=_ms(last + timedelta(days=1)), raw=raw
    )
    return Wanted(selection, _limit(query, limits), query.get("time_in_ms", "").lower() in {"true", "1"})


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
        return -1  # SQLite: no limit
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
