"""`GET /audit`: who changed what."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from flask import Response, request
from marshmallow import Schema, fields, validate

from app.access.audit import LOGS, Which
from app.destinations.dead_letters.filter import read_age
from app.status.telling import told_entry
from app.web.api.access import caller
from app.web.api.answers import encoded
from app.web.api.asking import list_cursor, newer_than, older_than
from app.web.api.bodies import NDJSON
from app.web.api.kinds import INVALID_QUERY
from app.web.api.problems import Fault, Problem
from app.web.api.sections import Answer, Endpoint, Section
from app.web.api.streaming import streamed, wants_lines
from app.web.ports import WebServices

MOST_LISTED: Final = 500
_LINE: Final[dict[str, Any]] = {"type": "string", "description": "An entry a line, as in `entries`."}
_DESCRIPTION: Final = """The newest first: every call of another method than GET by a valid token, refused or
not, every call of Mixpanel through the gateway, and every changing `flask` command. Without bodies; people
are told by a keyed hash of their distinct_id.

With `Accept: application/x-ndjson`, all that are meant come in one answer, one a line; `limit` and `cursor`
do not count then. A token of one project is told of that project only."""


class AuditQuery(Schema):
    """Which entries, and which page of them."""

    log = fields.String(
        load_default="changes",
        validate=validate.OneOf(LOGS),
        metadata={
            "description": "`ingest`: what hands data in; `mixpanel`: the gateway's; `changes`: all others."
        },
    )
    actor = fields.String(
        validate=validate.Length(1, 255), metadata={"description": "A token's id, or a user's name."}
    )
    action = fields.String(
        validate=validate.Length(1, 255),
        metadata={
            "description": "A text within the action, in upper or lower case.",
            "example": "dead-letter",
        },
    )
    project_id = fields.String(validate=validate.Length(1, 255), metadata={"description": "About this one."})
    older_than = older_than()
    newer_than = newer_than()
    limit = fields.Integer(load_default=100, validate=validate.Range(1, MOST_LISTED))
    cursor = list_cursor()


class ActorSchema(Schema):
    """Who did it."""

    kind = fields.String(
        required=True, metadata={"description": "`token`, or `user` of the operating system."}
    )
    id = fields.String(required=True, metadata={"description": "The token's, or the user's name."})
    name = fields.String(required=True, metadata={"description": "The token's, or the machine's."})


class AuditEntrySchema(Schema):
    """A change, or the attempt of one."""

    id = fields.String(required=True)
    time = fields.String(required=True, metadata={"description": "ISO 8601, UTC."})
    actor = fields.Nested(ActorSchema, required=True)
    action = fields.String(required=True, metadata={"description": "Method and route, or command."})
    resources = fields.Dict(
        keys=fields.String(), values=fields.String(), required=True, metadata={"description": "Ids."}
    )
    outcome = fields.String(required=True, metadata={"description": "`ok`, or what went wrong."})
    status = fields.Integer(required=True, metadata={"description": "Of HTTP, or of the command."})
    counts = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(),
        required=True,
        metadata={"description": "What it came to."},
    )


class AuditSchema(Schema):
    """A page of entries. It may have fewer than asked for, or none, although there are more: go on."""

    entries = fields.List(fields.Nested(AuditEntrySchema), required=True)
    dropped = fields.Integer(
        required=True, metadata={"description": "Older ones that went for `AUDIT_CAP` or their age."}
    )
    next_cursor = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "Ask again with it as `cursor` to go on; null at the end."},
    )


@dataclass(frozen=True)
class AuditViews:
    """Answers what is asked about the audit log.

    Attributes:
        services: the log.
    """

    services: WebServices

    def list(self, query: dict[str, Any]) -> Response:
        """Answer a page of entries, or all of them, one a line."""
        audit, log, which = self.services.audit, query["log"], self._which(query)
        if wants_lines(request):
            return streamed(map(told_entry, audit.all(log, which)), {})
        found, after = audit.page(log, which, after=query.get("cursor", ""), limit=query["limit"])
        told = {
            "entries": [told_entry(each) for each in found],
            "dropped": audit.dropped(log),
            "next_cursor": after,
        }
        return encoded(HTTPStatus.OK, told, {"Vary": "Accept"})

    def _which(self, asked: Mapping[str, Any]) -> Which:
        project_id, own = asked.get("project_id", ""), caller().project_id or ""
        if project_id and not caller().reaches(project_id):
            detail = "is none that this token reaches"
            raise Problem(INVALID_QUERY, "Wrong: project_id.", [Fault("project_id", detail, "unknown")])
        now_ms = int(self.services.redis.time()[0]) * 1000
        return Which(
            actor=asked.get("actor", ""),
            action=asked.get("action", ""),
            project_id=project_id or own,
            before_ms=read_age(asked["older_than"], now_ms) if "older_than" in asked else None,
            since_ms=read_age(asked["newer_than"], now_ms) if "newer_than" in asked else None,
        )


def section(services: WebServices) -> Section:
    """Return the endpoint."""
    lines = Answer("A page of entries, or all.", _LINE, media_type=NDJSON)
    endpoint = Endpoint(
        rule="/audit",
        method="GET",
        view=AuditViews(services).list,
        scope="admin",
        summary="List who changed what",
        description=_DESCRIPTION,
        answers={200: Answer("A page of entries, or all.", AuditSchema, other=lines)},
        query=AuditQuery,
    )
    return Section("audit", "Who changed what.", (endpoint,))
