"""`POST /projects/{project_id}/groups`: operations on group profiles."""

from dataclasses import dataclass
from typing import Any, Final

from flask import Response

from app.destinations.checks.updates import check_group
from app.mixpanel.update_limits import GROUP_KINDS
from app.web.api.profiles import OPERATIONS
from app.web.api.schemas import IdempotencyHeader
from app.web.api.sections import Endpoint, Section
from app.web.api.submitting import ANSWERS, PROBLEMS, Submitting, records_body
from app.web.ports import WebServices

_ID: Final = {"type": "string", "minLength": 1}
_UPDATE: Final[dict[str, Any]] = {
    "type": "object",
    "description": "One group and exactly one operation.",
    "required": ["$group_key", "$group_id"],
    "minProperties": 3,
    "maxProperties": 3,
    "additionalProperties": False,
    "properties": {"$group_key": _ID, "$group_id": _ID, **{kind: OPERATIONS[kind] for kind in GROUP_KINDS}},
}
_EXAMPLE: Final = ({"$group_key": "Company", "$group_id": "Acme", "$set": {"Seats": 12}},)
_DESCRIPTION: Final = """Operations on one group are carried out in the order in which they were handed in.
Valid ones are kept, invalid ones listed by their index. `$token` is filled in by the relay."""


@dataclass(frozen=True)
class Groups:
    """Takes group operations in."""

    submitting: Submitting

    def post(self, project_id: str, headers: dict[str, str]) -> Response:
        """Answer a call."""
        return self.submitting.take_in(self.submitting.call(project_id, headers), check_group)


def section(services: WebServices) -> Section:
    """Return the endpoint."""
    endpoint = Endpoint(
        rule="/projects/<project_id>/groups",
        method="POST",
        view=Groups(Submitting(services, "groups")).post,
        scope="ingest",
        summary="Hand group operations in",
        description=_DESCRIPTION,
        answers=ANSWERS,
        problems=PROBLEMS,
        headers=IdempotencyHeader,
        body=records_body("Group operations.", _UPDATE, _EXAMPLE),
    )
    return Section("groups", "Operations on group profiles.", (endpoint,))
