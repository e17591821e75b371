"""`POST /projects/{project_id}/events`: events to import."""

from dataclasses import dataclass
from typing import Any, Final

from flask import Response

from app.destinations.checks.events import EventCheck
from app.web.api.schemas import IdempotencyHeader
from app.web.api.sections import Endpoint, Section
from app.web.api.submitting import ANSWERS, PROBLEMS, Submitting, records_body
from app.web.ports import WebServices

_EVENT: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["event", "properties"],
    "additionalProperties": False,
    "properties": {
        "event": {"type": "string", "minLength": 1, "maxLength": 255},
        "properties": {
            "type": "object",
            "description": "At most 254, nested at most 3 deep, in lists of at most 254 elements.",
            "properties": {
                "distinct_id": {
                    "type": "string",
                    "description": "Whose it is. In a simplified project `$user_id` or `$device_id` do.",
                },
                "time": {
                    "type": "integer",
                    "description": "Seconds or milliseconds since 1970, at most an hour ahead.",
                },
                "$insert_id": {
                    "type": "string",
                    "pattern": "^[A-Za-z0-9-]{1,36}$",
                    "description": "Tells the event from others; else it is derived from the event.",
                },
                "$user_id": {"type": "string"},
                "$device_id": {"type": "string"},
            },
            "additionalProperties": True,
        },
    },
}
_EXAMPLE: Final = (
    {
        "event": "Message sent",
        "properties": {"distinct_id": "13793", "time": 1767225600, "Channel": "email"},
    },
)
_DESCRIPTION: Final = """The events are imported into Mixpanel. Valid ones are kept, invalid ones listed by
their index. A repeated call adds nothing: send an `Idempotency-Key`, or at least give every event its `time`.
`$source` is filled in by the relay, `time` and `$insert_id` where they are missing. Events that
link identities are refused: use `identity-links`."""


@dataclass(frozen=True)
class Events:
    """Takes events in."""

    submitting: Submitting

    def post(self, project_id: str, headers: dict[str, str]) -> Response:
        """Answer a call."""
        call = self.submitting.call(project_id, headers)
        project, digest = call.project, call.received.digest
        check = EventCheck(project.id_management, call.now_ms, call.key, digest, project.source)
        return self.submitting.take_in(call, check, remember=lambda: check.filled_a_time)


def section(services: WebServices) -> Section:
    """Return the endpoint."""
    endpoint = Endpoint(
        rule="/projects/<project_id>/events",
        method="POST",
        view=Events(Submitting(services, "events")).post,
        scope="ingest",
        summary="Hand events in",
        description=_DESCRIPTION,
        answers=ANSWERS,
        problems=PROBLEMS,
        headers=IdempotencyHeader,
        body=records_body("Events.", _EVENT, _EXAMPLE),
    )
    return Section("events", "Events to import into Mixpanel.", (endpoint,))
