"""`POST /projects/{project_id}/profiles`: operations on user profiles."""

from dataclasses import dataclass
from typing import Any, Final

from flask import Response

from app.destinations.checks.updates import check_profile
from app.web.api.bodies import Record
from app.web.api.kinds import KEY_REQUIRED
from app.web.api.problems import Fault, Problem
from app.web.api.schemas import IdempotencyHeader
from app.web.api.sections import Endpoint, Section
from app.web.api.submitting import ANSWERS, PROBLEMS, Submitting, records_body
from app.web.ports import WebServices

PROPERTIES: Final[dict[str, Any]] = {"type": "object", "minProperties": 1, "maxProperties": 2000}
OPERATIONS: Final[dict[str, Any]] = {
    "$set": PROPERTIES,
    "$set_once": PROPERTIES,
    "$add": {**PROPERTIES, "additionalProperties": {"type": "number"}},
    "$union": {
        **PROPERTIES,
        "additionalProperties": {
            "type": "array",
            "minItems": 1,
            "items": {"oneOf": [{"type": "string"}, {"type": "number"}]},
        },
    },
    "$append": PROPERTIES,
    "$remove": {**PROPERTIES, "description": "Single values, neither lists nor objects."},
    "$unset": {"type": "array", "minItems": 1, "maxItems": 2000, "items": {"type": "string"}},
    "$delete": {"type": "boolean", "enum": [True], "nullable": True},
}
_UPDATE: Final[dict[str, Any]] = {
    "type": "object",
    "description": "One profile and exactly one operation.",
    "required": ["$distinct_id"],
    "minProperties": 2,
    "maxProperties": 2,
    "additionalProperties": False,
    "properties": {"$distinct_id": {"type": "string", "minLength": 1}, **OPERATIONS},
}
_EXAMPLE: Final = (
    {"$distinct_id": "13793", "$set": {"Plan": "Pro"}},
    {"$distinct_id": "13794", "$union": {"Campaigns": ["spring"]}},
)
_DESCRIPTION: Final = """Operations on one profile are carried out in the order in which they were handed
in. Valid ones are kept, invalid ones listed by their index. A call with `$add` or `$append` needs an
`Idempotency-Key`: without one it is refused, and nothing is kept. `$token` is filled in by the relay."""

# A repetition changes the profile again, so it must be known as one.
_COUNTING: Final = ("$add", "$append")


@dataclass(frozen=True)
class Profiles:
    """Takes profile operations in."""

    submitting: Submitting

    def post(self, project_id: str, headers: dict[str, str]) -> Response:
        """Answer a call."""
        call = self.submitting.call(project_id, headers)
        if call.key is None and (faults := _counting(call.received.records)):
            detail = "$add and $append change a profile again when repeated. Nothing of this call was kept."
            raise Problem(KEY_REQUIRED, detail, faults)
        return self.submitting.take_in(call, check_profile)


def section(services: WebServices) -> Section:
    """Return the endpoint."""
    endpoint = Endpoint(
        rule="/projects/<project_id>/profiles",
        method="POST",
        view=Profiles(Submitting(services, "profiles")).post,
        scope="ingest",
        summary="Hand profile operations in",
        description=_DESCRIPTION,
        answers=ANSWERS,
        problems=(*PROBLEMS, KEY_REQUIRED),
        headers=IdempotencyHeader,
        body=records_body("Profile operations.", _UPDATE, _EXAMPLE),
    )
    return Section("profiles", "Operations on user profiles.", (endpoint,))


def _counting(records: tuple[Record, ...]) -> list[Fault]:
    """Return a fault for each record whose repetition would change the profile again."""
    return [
        Fault(kind, f"{kind} is not idempotent", "needs_idempotency_key", record.index, record.line)
        for record in records
        if isinstance(record.value, dict)
        for kind in _COUNTING
        if kind in record.value
    ]
