"""A request that is not done, as a problem document (RFC 9457)."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from flask import Response

from app.web.api.answers import encoded
from app.web.api.kinds import Kind

PROBLEM_JSON = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one part of a request.

    Attributes:
        field: a field's path within its record (`properties.time`), a header, a query parameter, or `body`.
        detail: for a person.
        code: stable, for a program.
        index: of the record, from 0, where the body has several.
        line: of the record, from 1, in NDJSON.
    """

    field: str
    detail: str
    code: str
    index: int | None = None
    line: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it as it is told."""
        told = {"field": self.field, "code": self.code, "detail": self.detail}
        place = {"index": self.index, "line": self.line}
        return {**{name: value for name, value in place.items() if value is not None}, **told}


@dataclass(eq=False)
class Problem(Exception):  # noqa: N818 - it is an answer, not a fault of ours
    """Raised where a request is not done.

    Attributes:
        kind: of problem.
        detail: about this one, for a person; holds no secret and no value of a record.
        faults: what is wrong where.
        headers: to send along.
        retry_after_s: overrides the kind's own.
        status: overrides the kind's own, for what HTTP itself refuses.
        instance: names this very problem, in the answer and in the log.
    """

    kind: Kind
    detail: str
    faults: Sequence[Fault] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    retry_after_s: float | None = None
    status: int | None = None
    instance: str = field(default_factory=lambda: f"urn:uuid:{uuid4()}")

    def __post_init__(self) -> None:
        super().__init__(self.kind.code)

    def answer(self) -> Response:
        """Return the document."""
        kind = self.kind
        status = self.status or kind.status
        document: dict[str, Any] = {
            "type": kind.type,
            "title": kind.title,
            "status": status,
            "detail": self.detail,
            "instance": self.instance,
            "code": kind.code,
        }
        if self.faults:
            document["errors"] = [fault.as_json() for fault in self.faults]
        answer = encoded(status, document, mimetype=PROBLEM_JSON)
        answer.headers.extend(self.headers)
        retry_after_s = kind.retry_after_s if self.retry_after_s is None else self.retry_after_s
        if retry_after_s is not None:
            answer.headers["Retry-After"] = str(max(1, math.ceil(retry_after_s)))
        return answer
