"""`POST /engage`: profile updates.

Source: https://docs.mixpanel.com/reference/profile-batch-update and the published OpenAPI description.
"""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from app.sandbox.api import answers
from app.sandbox.api.answers import Answer, Modes
from app.sandbox.api.bodies import UnreadableBodyError, read_records
from app.sandbox.api.ingest import Ingest, Ingested
from app.sandbox.api.limits import RollingMinute
from app.sandbox.clock import Clock
from app.sandbox.config import Controls
from app.sandbox.faults import Fault, Faults
from app.sandbox.journal import Journal

RATE_LIMITED = "Project exceeded rate limits. Please retry the request with exponential backoff."


class Fate(Enum):
    """What happens to a connection instead of an answer."""

    CUT = "closed at once"
    HELD = "left open, until the client gives up"


@dataclass
class Call:
    """One request to `/engage`, and what is noted about it on the way."""

    modes: Modes
    body: bytes
    mimetype: str
    encoding: str
    integration_id: str | None = None
    records: list[Any] | None = None
    problem: str = ""
    ingested: Ingested = field(default_factory=lambda: Ingested(0, ()))
    fault: str | None = None


class Engage:
    """Answers requests to `/engage`; faults strike here."""

    def __init__(
        self,
        *,
        ingest: Ingest,
        controls: Controls,
        faults: Faults,
        journal: Journal,
        clock: Clock,
        stop: threading.Event,
    ) -> None:
        self._ingest = ingest
        self._controls = controls
        self._faults = faults
        self._journal = journal
        self._clock = clock
        self._stop = stop
        self._minute = RollingMinute()

    def answer(self, call: Call) -> Answer | Fate:
        """Answer a request, or say what becomes of the connection instead."""
        started = time.monotonic()
        if call.encoding in {"", "identity"}:
            _read(call)
        fault = self._faults.draw("api", applies=lambda one: one.kind != "poison" or _names(call, one))
        answer = self._serve(call) if fault is None else self._strike(fault, call)
        self._note(call, answer, time.monotonic() - started)
        return answer if isinstance(answer, Fate) else answers.wrapped(answer, call.modes)

    def _serve(self, call: Call, refused: Mapping[int, str] | None = None) -> Answer:
        limits = self._controls.limits
        if call.encoding not in {"", "identity"}:
            return answers.refusal(400, "this endpoint does not support compressed bodies")
        if len(call.body) > limits.max_request_bytes:
            return answers.refusal(413, f"request exceeds max limit of {limits.max_request_bytes} bytes")
        if call.records is None:
            return answers.unreadable(call.problem, call.modes, limits.strict_status)
        count, size_bytes = len(call.records), len(call.body)
        if count > limits.max_updates:
            return answers.refusal(413, f"request exceeds max limit of {limits.max_updates} updates")
        now_s = self._clock.now_s()
        if not self._minute.take(now_s, count, size_bytes, limits.records_a_minute, limits.bytes_a_minute):
            return answers.refusal(429, RATE_LIMITED)
        call.ingested = self._ingest.apply(
            call.records,
            limits,
            ip=call.modes.ip,
            now_ms=int(now_s * 1000),
            size_bytes=size_bytes,
            refused=refused,
        )
        return answers.outcome(call.ingested, call.modes, limits.strict_status)

    def _strike(self, fault: Fault, call: Call) -> Answer | Fate:
        call.fault = fault.kind
        if fault.kind == "partial":
            chosen = self._faults.pick(fault.records, len(call.records or ()))
            return self._serve(call, dict.fromkeys(chosen, fault.message))
        if fault.kind == "poison":
            return answers.refusal(400, fault.message)
        if fault.kind == "delay":
            self._stop.wait(fault.delay_s)
            return self._serve(call)
        if fault.when == "after":
            self._serve(call)
        if fault.kind == "status":
            return _failing(fault)
        return Fate.HELD if fault.kind == "timeout" else Fate.CUT

    def _note(self, call: Call, answer: Answer | Fate, took_s: float) -> None:
        count = len(call.records or ())
        status = answer.status if isinstance(answer, Answer) else 0
        entry = {
            "direction": "in",
            "at_ms": int(self._clock.now_s() * 1000),
            "path": "/engage",
            "status": status,
            "strict": call.modes.strict,
            "verbose": call.modes.verbose,
            "ip": call.modes.ip,
            "integration_id": call.integration_id,
            "size_bytes": len(call.body),
            "records": count,
            "imported": call.ingested.imported,
            "refused": len(call.ingested.failures),
            "misdirected": call.ingested.misdirected,
            "fault": call.fault,
            "took_ms": round(took_s * 1000, 1),
        }
        totals = {
            "engage_requests": 1,
            f"engage_status_{status}": 1,
            "engage_records": count,
            "engage_imported": call.ingested.imported,
            "engage_refused": len(call.ingested.failures),
            "engage_misdirected": call.ingested.misdirected,
        }
        self._journal.add(entry, **totals)


def _read(call: Call) -> None:
    try:
        call.records = read_records(call.body, call.mimetype)
    except UnreadableBodyError as err:
        call.problem = str(err)


def _names(call: Call, fault: Fault) -> bool:
    named = {str(record.get("$distinct_id")) for record in call.records or () if isinstance(record, dict)}
    return not named.isdisjoint(fault.distinct_ids)


def _failing(fault: Fault) -> Answer:
    if fault.status in {401, 403}:
        return answers.unauthorized(fault.status, fault.message)
    return answers.refusal(fault.status, fault.message, fault.retry_after_s)
