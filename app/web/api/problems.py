"""A request that is not done, as a problem document (RFC 9457)."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

from flask import Response

from app.web.api.answers import encoded
from app.web.api.kinds import Kind

PROBLEM_JSON = "application/problem+json"
MOST_FAULTS: Final = 2_000
"""In an answer: one for each record that a call may have."""
_MOST_FIELD: Final = 300  # a name of 255 characters, and where it stands
_MOST_DETAIL: Final = 600
_NAMED: Final = 10


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one part of a request. Names of the caller's are cut, so that no answer is long.

    Attributes:
        field: a field's path within its record (`properties.time`), a header, a query parameter, or `body`;
            empty for a record as a whole, which is told as `record`.
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
        field, detail = self.field[:_MOST_FIELD] or "record", self.detail[:_MOST_DETAIL]
        told = {"field": field, "code": self.code, "detail": detail}
        place = {"index": self.index, "line": self.line}
        return {**{name: value for name, value in place.items() if value is not None}, **told}


def named(faults: Sequence[Fault]) -> str:
    """Name the fields that are wrong, the first of them."""
    fields = list(dict.fromkeys(fault.field for fault in faults))
    more = f" and {len(fields) - _NAMED} more" if len(fields) > _NAMED else ""
    return ", ".join(field[:40] for field in fields[:_NAMED]) + more


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
            "detail": self.detail[:_MOST_DETAIL],
            "instance": self.instance,
            "code": kind.code,
        }
        if self.faults:
            document["errors"] = [fault.as_json() for fault in self.faults[:MOST_FAULTS]]
        answer = encoded(status, document, mimetype=PROBLEM_JSON)
        answer.headers.extend(self.headers)
        retry_after_s = kind.retry_after_s if self.retry_after_s is None else self.retry_after_s
        if retry_after_s is not None:
            answer.headers["Retry-After"] = str(max(1, math.ceil(retry_after_s)))
        return answer
