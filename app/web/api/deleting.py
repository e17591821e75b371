"""`DELETE /projects/{project_id}`: delete everything of a project, or count what there is."""

import time
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any, Final, Literal

from flask import Response
from marshmallow import RAISE, Schema, fields, validate

from app.installation.deleting import Deleting, Holdings, StillWritten
from app.installation.stored import total
from app.metrics.stored import StoredMetrics
from app.web.api.access import caller
from app.web.api.answers import encoded
from app.web.api.kinds import CONFLICT, PROJECT_CONFIGURED, UNKNOWN_PROJECT
from app.web.api.log import fields as log_fields
from app.web.api.problems import Problem
from app.web.api.sections import Answer, Endpoint, Section
from app.web.ports import WebServices

SLICE_S: Final = 10.0
"""How long one call works at most, well below the time that a web server gives a request."""
_DESCRIPTION: Final = """Everything that Redis has of it goes: cohorts, members, syncs, log, outboxes, dead
letters, links, tokens for this project alone. The audit log stays, and so does what Mixpanel was told.

Of a project that is configured only if you say `although_configured`: it then begins anew. Otherwise, take it
out of the configuration first, and restart the processes.

A call works for ten seconds at most. While `state` is `deleting`, call again to go on: nothing of the project
is taken in until it is through. A token of the project's own goes with it, last of all."""


class DeleteQuery(Schema):
    """How to delete."""

    class Meta:
        """Refuse what is not named."""

        unknown = RAISE

    dry_run = fields.Boolean(load_default=False, metadata={"description": "Only count."})
    although_configured = fields.Boolean(
        load_default=False, metadata={"description": "Also if it is configured: it then begins anew."}
    )


class AmountSchema(Schema):
    """How much of a kind."""

    kind = fields.String(required=True, metadata={"description": "The first word of the keys' names."})
    keys = fields.Integer(required=True)
    entries = fields.Integer(required=True, metadata={"description": "Members, letters, fields in them."})


class ProjectDeletedSchema(Schema):
    """What there was of the project, or is."""

    project_id = fields.String(required=True)
    state = fields.String(required=True, validate=validate.OneOf(("counted", "deleting", "deleted")))
    keys = fields.Integer(required=True, metadata={"description": "That went so far; a dry run: there are."})
    entries = fields.Integer(required=True)
    tokens = fields.Integer(required=True, metadata={"description": "For this project alone."})
    metrics = fields.Integer(required=True, metadata={"description": "Numbers that name the project."})
    kinds = fields.List(fields.Nested(AmountSchema), required=True)


@dataclass(frozen=True)
class DeletingViews:
    """Answers calls that delete a project.

    Attributes:
        services: what is deleted from.
        deleting: deletes.
    """

    services: WebServices
    deleting: Deleting

    def delete(self, project_id: str, query: dict[str, Any]) -> Response:
        """Delete, for a slice of time."""
        configured = project_id in self.services.settings.projects
        if not (configured or self.deleting.knows(project_id)):
            raise Problem(UNKNOWN_PROJECT, "Nothing of a project with this id is stored.")
        if query["dry_run"]:
            return _told(project_id, "counted", self.deleting.look(project_id))
        if configured and not query["although_configured"]:
            raise Problem(PROJECT_CONFIGURED, "It would come into being again with the next page.")
        return self._delete(project_id)

    def _delete(self, project_id: str) -> Response:
        until_s = time.monotonic() + SLICE_S
        try:
            for _ in self.deleting.run(project_id, caller().id):
                if time.monotonic() > until_s:
                    return _told(project_id, "deleting", self.deleting.leaving(project_id))
        except StillWritten as err:
            raise Problem(CONFLICT, "Something keeps writing what is of this project.") from err
        return _told(project_id, "deleted", self.deleting.finish(project_id))


def _told(project_id: str, state: Literal["counted", "deleting", "deleted"], there: Holdings) -> Response:
    counts = {**asdict(total(there.amounts)), "tokens": there.tokens, "metrics": there.metrics}
    if state != "counted":
        log_fields().update(counts)
    kinds = [{"kind": kind, **asdict(amount)} for kind, amount in there.amounts.items()]
    return encoded(HTTPStatus.OK, {"project_id": project_id, "state": state, **counts, "kinds": kinds})


def section(services: WebServices) -> Section:
    """Return the endpoint."""
    deleting = Deleting(services.redis, services.tokens, StoredMetrics(services.redis))
    views = DeletingViews(services, deleting)
    return Section(
        "projects",
        "Projects as a whole.",
        (
            Endpoint(
                rule="/projects/<project_id>",
                method="DELETE",
                view=views.delete,
                scope="admin",
                summary="Delete a project",
                description=_DESCRIPTION,
                answers={200: Answer("What went, or is there.", ProjectDeletedSchema)},
                problems=(PROJECT_CONFIGURED, CONFLICT),
                query=DeleteQuery,
                unconfigured=True,
            ),
        ),
    )
