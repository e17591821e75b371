"""Take the records of a call in: check, remember the call, submit, answer. Kept durably before the answer.

A call is remembered, with its answer, under its Idempotency-Key for a day; without one, where repeating it
would add something new, under its body's digest for an hour. Whether it would is a matter of the time (an
event's own may be ahead now and past soon), so a body that can be remembered is looked up each time. Only
calls of which something was kept are remembered: any other has changed nothing, so its repetition is decided
anew.
"""

import hashlib
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import orjson
from flask import Response, request

from app.destinations.checks.invalid import Check
from app.destinations.outbox import Request
from app.lanes.work import OutboxName
from app.web.api.answers import encoded
from app.web.api.bodies import JSON, MOST_BYTES, MOST_RECORDS, NDJSON, Received, read_records
from app.web.api.checking import sort_records
from app.web.api.kinds import (
    BODY_INCOMPLETE,
    BODY_TOO_LARGE,
    INVALID_BODY,
    INVALID_RECORDS,
    KEY_REUSED,
    MEDIA_TYPE,
    NOT_ACCEPTING,
    OUTBOX_FULL,
    TOO_MANY_RECORDS,
)
from app.web.api.log import fields
from app.web.api.problems import Fault, Problem
from app.web.api.schemas import TakenInSchema
from app.web.api.sections import Answer, Body
from app.web.ports import WebServices
from config.projects import Project

KEY_LIFETIME_S: Final = 24 * 3600
BODY_LIFETIME_S: Final = 3600
REPLAYED: Final = "Idempotency-Replayed"
PROBLEMS: Final = (
    *(INVALID_BODY, BODY_TOO_LARGE, TOO_MANY_RECORDS, MEDIA_TYPE, INVALID_RECORDS, KEY_REUSED),
    *(OUTBOX_FULL, BODY_INCOMPLETE, NOT_ACCEPTING),
)
ANSWERS: Final = {
    202: Answer(
        "The accepted records are kept durably and will be sent; each rejected one is listed.",
        TakenInSchema,
        {REPLAYED: {"description": "`true` for a repetition.", "schema": {"type": "string"}}},
    )
}


@dataclass(frozen=True, slots=True)
class Call:
    """A call that hands records in.

    Attributes:
        project: whose.
        key: its Idempotency-Key.
        received: its body.
        now_ms: when it came.
    """

    project: Project
    key: str | None
    received: Received
    now_ms: int


@dataclass(frozen=True)
class Submitting:
    """Takes calls in for one outbox.

    Attributes:
        services: the outboxes and the settings.
        outbox: its name.
        now_ms: the time.
    """

    services: WebServices
    outbox: OutboxName
    now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000

    def call(self, project_id: str, headers: dict[str, str]) -> Call:
        """Read the request that is being answered; raises Problem."""
        settings = self.services.settings
        received = read_records(request, min(MOST_BYTES, settings.max_body_bytes))
        key = headers.get("idempotency_key")
        return Call(settings.projects[project_id], key, received, self.now_ms())

    def take_in(self, call: Call, check: Check, *, remember: Callable[[], bool] | None = None) -> Response:
        """Submit the records that pass the check, and answer.

        Args:
            call: what came.
            check: of each record.
            remember: says, once all are checked, whether to remember the call also without a key; left out
                where that is never needed.

        Raises:
            Problem: no record passed. OutboxFull, KeyReused, RedisError: as of `Outboxes.submit`.
        """
        result = sort_records(call.received.records, check)
        fields().update(accepted=len(result.kept), rejected=len(result.rejected))
        if not result.kept:
            raise Problem(INVALID_RECORDS, _none_valid(result.rejected), result.rejected)
        answer = orjson.dumps(
            {"accepted": len(result.kept), "rejected": [fault.as_json() for fault in result.rejected]}
        )
        submitted = self.services.outboxes.submit(
            call.project.id, self.outbox, result.kept, request=_request(call, answer, remember)
        )
        return _answer(submitted.replayed, answer)


def records_body(description: str, record: dict[str, Any], example: Sequence[dict[str, Any]]) -> Body:
    """Describe a body that holds records.

    Args:
        description: what they are.
        record: the JSON schema of one.
        example: some.
    """
    lines = "\n".join(orjson.dumps(each).decode() for each in example)
    text = f"{description} Up to {MOST_RECORDS:,} in a call, as an array or one a line; gzip is allowed."
    return Body(
        text,
        {
            JSON: {
                "schema": {"type": "array", "items": record, "minItems": 1, "maxItems": MOST_RECORDS},
                "example": list(example),
            },
            NDJSON: {"schema": {"type": "string"}, "example": lines},
        },
    )


def _request(call: Call, answer: bytes, remember: Callable[[], bool] | None) -> Request | None:
    """Return what to remember of a call. A list of many faults repeats itself, so it is kept compressed."""
    digest = call.received.digest
    if call.key is not None:
        # Hashed, for its length, and so that nothing personal stands in the name of a key.
        name = "key-" + hashlib.sha256(call.key.encode()).hexdigest()
        return Request(name, digest, zlib.compress(answer), KEY_LIFETIME_S)
    if remember is None:
        return None
    lifetime_s = BODY_LIFETIME_S if remember() else 0
    return Request(f"body-{digest}", digest, zlib.compress(answer), lifetime_s)


def _answer(replayed: bytes | None, first: bytes) -> Response:
    answer = orjson.loads(first if replayed is None else zlib.decompress(replayed))
    if replayed is not None:
        fields()["outcome"] = "replayed"
    headers = {} if replayed is None else {REPLAYED: "true"}
    return encoded(HTTPStatus.ACCEPTED, {**answer, "replayed": replayed is not None}, headers)


def _none_valid(rejected: Sequence[Fault]) -> str:
    first = rejected[0]
    where = f"record {first.index}" + (f" (line {first.line})" if first.line is not None else "")
    return f"None of {len(rejected)} can be taken in; the first fault is in {where}: {first.detail}"
