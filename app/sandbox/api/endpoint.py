"""What all endpoints that take records have in common: reading, limits, rates, faults, the journal."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from app.sandbox.api import answers
from app.sandbox.api.answers import Answer
from app.sandbox.api.bodies import TooLargeBodyError, UnreadableBodyError, unpacked
from app.sandbox.api.call import Call, Fate
from app.sandbox.api.ingest import Ingested
from app.sandbox.api.limits import RollingMinute
from app.sandbox.clock import Clock
from app.sandbox.config import Controls, Limits
from app.sandbox.faults import Fault, Faults
from app.sandbox.journal import Journal

RATE_LIMITED = "Project exceeded rate limits. Please retry the request with exponential backoff."
UNCOMPRESSED = {"", "identity"}
Refused = Mapping[int, str]  # records to refuse whatever they hold, by index, with a message each


@dataclass(frozen=True)
class Batch:
    """Records to take in.

    Attributes:
        call: The request that they came with.
        records: Decoded.
        limits: The limits in force.
        now_ms: The sandbox's time.
        refused: An injected fault.
    """

    call: Call
    records: list[Any]
    limits: Limits
    now_ms: int
    refused: Refused = field(default_factory=dict)


class Door(Protocol):
    """What one endpoint does in its own way."""

    path: str
    compressible: bool

    def refuse(self, call: Call) -> Answer | None:
        """Turn a request away for its credentials."""
        ...

    def read(self, data: bytes, call: Call) -> list[Any]:
        """Return the records of an unpacked body, or raise `UnreadableBodyError`."""
        ...

    def most(self, limits: Limits) -> tuple[int, str]:
        """Return how many records a request may hold, and what they are called."""
        ...

    def names(self, record: Any) -> set[str]:
        """Return the ids that a record names."""
        ...

    def apply(self, batch: Batch) -> Ingested:
        """Take the records in."""
        ...

    def outcome(self, call: Call, limits: Limits) -> Answer:
        """Answer a request whose records were taken in."""
        ...

    def unreadable(self, call: Call, limits: Limits) -> Answer:
        """Answer a request without records."""
        ...


@dataclass(frozen=True)
class Surroundings:
    """What endpoints share."""

    controls: Controls
    faults: Faults
    journal: Journal
    clock: Clock
    stop: threading.Event
    minute: RollingMinute


class Endpoint:
    """Answers the requests to one path; faults strike here."""

    def __init__(self, door: Door, shared: Surroundings) -> None:
        self._door = door
        self._shared = shared

    def answer(self, call: Call) -> Answer | Fate:
        """Answer a request, or say what becomes of the connection instead."""
        started = time.monotonic()
        self._read(call)
        fault = self._shared.faults.draw("api", applies=self._struck(call))
        answer = self._serve(call, {}) if fault is None else self._strike(fault, call)
        self._note(call, answer, time.monotonic() - started)
        return answer if isinstance(answer, Fate) else answers.wrapped(answer, call.modes)

    def _struck(self, call: Call) -> Callable[[Fault], bool]:
        def struck(fault: Fault) -> bool:
            if not fault.concerns(self._door.path):
                return False
            return fault.kind != "poison" or not self._named(call).isdisjoint(fault.distinct_ids)

        return struck

    def _named(self, call: Call) -> set[str]:
        return {name for record in call.records or () for name in self._door.names(record)}

    def _read(self, call: Call) -> None:
        if not (self._door.compressible or call.encoding in UNCOMPRESSED):
            return
        try:
            data = unpacked(call.body, call.encoding, self._shared.controls.limits.max_request_bytes)
            call.size_bytes = len(data)
            call.records = self._door.read(data, call)
        except TooLargeBodyError:
            call.too_large = True
        except UnreadableBodyError as err:
            call.problem = str(err)

    def _serve(self, call: Call, refused: Refused) -> Answer:
        limits = self._shared.controls.limits
        if refusal := self._door.refuse(call) or self._oversized(call, limits):
            return refusal
        if call.records is None:
            return self._door.unreadable(call, limits)
        now_s = self._shared.clock.now_s()
        spent = (len(call.records), call.size_bytes, limits.records_a_minute, limits.bytes_a_minute)
        if not self._shared.minute.take(now_s, *spent):
            return answers.refusal(429, RATE_LIMITED)
        batch = Batch(call, call.records, limits, int(now_s * 1000), refused)
        call.ingested = self._door.apply(batch)
        return self._door.outcome(call, limits)

    def _oversized(self, call: Call, limits: Limits) -> Answer | None:
        if not (self._door.compressible or call.encoding in UNCOMPRESSED):
            return answers.refusal(400, "this endpoint does not support compressed bodies")
        if call.too_large:
            return answers.refusal(413, f"request exceeds max limit of {limits.max_request_bytes} bytes")
        most, what = self._door.most(limits)
        if call.records is not None and len(call.records) > most:
            return answers.refusal(413, f"request exceeds max limit of {most} {what}")
        return None

    def _strike(self, fault: Fault, call: Call) -> Answer | Fate:
        call.fault = fault.kind
        if fault.kind == "partial":
            chosen = self._shared.faults.pick(fault.records, len(call.records or ()))
            return self._serve(call, dict.fromkeys(chosen, fault.message))
        if fault.kind == "poison":
            return answers.refusal(400, fault.message)
        return strike(fault, self._door.path, lambda: self._serve(call, {}), self._shared.stop)

    def _note(self, call: Call, answer: Answer | Fate, took_s: float) -> None:
        count, name = len(call.records or ()), self._door.path.strip("/")
        status = answer.status if isinstance(answer, Answer) else 0
        ingested = call.ingested
        entry = {
            "direction": "in",
            "at_ms": int(self._shared.clock.now_s() * 1000),
            "path": self._door.path,
            "status": status,
            "strict": call.modes.strict,
            "verbose": call.modes.verbose,
            "ip": call.modes.ip,
            "integration_id": call.integration_id,
            "size_bytes": len(call.body),
            "records": count,
            "imported": ingested.imported,
            "refused": len(ingested.failures),
            "misdirected": ingested.misdirected,
            "expired": ingested.expired,
            "fault": call.fault,
            "took_ms": round(took_s * 1000, 1),
        }
        totals = {
            f"{name}_requests": 1,
            f"{name}_status_{status}": 1,
            f"{name}_records": count,
            f"{name}_imported": ingested.imported,
            f"{name}_refused": len(ingested.failures),
            f"{name}_misdirected": ingested.misdirected,
            f"{name}_expired": ingested.expired,
        }
        self._shared.journal.add(entry, **totals)


def strike(fault: Fault, path: str, serve: Callable[[], Answer], stop: threading.Event) -> Answer | Fate:
    """Let a fault strike that any request can meet: delay, status, timeout, cut."""
    if fault.kind == "delay":
        stop.wait(fault.delay_s)
        return serve()
    if fault.when == "after":
        serve()
    if fault.kind == "status":
        return _failing(fault, path)
    return Fate.HELD if fault.kind == "timeout" else Fate.CUT


def _failing(fault: Fault, path: str) -> Answer:
    if fault.status in {401, 403} and path != "/import":
        return answers.unauthorized(fault.status, fault.message)
    return answers.refusal(fault.status, fault.message, fault.retry_after_s)
