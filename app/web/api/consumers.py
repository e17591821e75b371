"""`/projects/{project_id}/consumers`: who reads the change log in Redis, and how far each has come."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from flask import Response
from marshmallow import Schema, fields

from app.cohorts.consumers import GroupStatus
from app.web.api.answers import encoded
from app.web.api.kinds import UNKNOWN_CONSUMER
from app.web.api.problems import Problem
from app.web.api.sections import Answer, Endpoint, Section
from app.web.ports import WebServices

_ADDRESS: Final = "/projects/<project_id>/consumers"
_FORGETTING: Final = """Its consumer group goes from the stream, and the log is no longer kept for it. Whoever
still reads by it is refused from then on (`NOGROUP`)."""


class MissingSchema(Schema):
    """What went before a consumer had read it."""

    first = fields.Integer(required=True)
    last = fields.Integer(required=True)


class ConsumerSchema(Schema):
    """A consumer group on the project's stream."""

    name = fields.String(required=True)
    position = fields.Integer(
        required=True, metadata={"description": "The sequence up to which it has confirmed everything."}
    )
    lag = fields.Integer(required=True, metadata={"description": "Entries behind that."})
    lag_s = fields.Float(required=True, metadata={"description": "Age of the oldest of them, in seconds."})
    pending = fields.Integer(required=True, metadata={"description": "Entries given out, not confirmed."})
    idle_s = fields.Float(
        required=True,
        allow_none=True,
        metadata={"description": "Seconds since anybody asked for entries; null if nobody ever did."},
    )
    share = fields.Float(
        required=True,
        metadata={"description": "Of what it may be behind (LOG_HOLD_...), how much is used up; 1 is all."},
    )
    missing = fields.Nested(
        MissingSchema,
        required=True,
        allow_none=True,
        metadata={"description": "What it lost for being too far behind; null once it reads on."},
    )


class ConsumersSchema(Schema):
    """All of them."""

    consumers = fields.List(fields.Nested(ConsumerSchema), required=True)


class ForgottenSchema(Schema):
    """Which one was forgotten."""

    name = fields.String(required=True)


@dataclass(frozen=True)
class ConsumerViews:
    """Answers what is asked about consumers.

    Attributes:
        services: the consumers.
    """

    services: WebServices

    def list(self, project_id: str) -> Response:
        """Answer all of them."""
        found = [told_consumer(each) for each in self.services.consumers.list(project_id)]
        return encoded(HTTPStatus.OK, {"consumers": found})

    def forget(self, project_id: str, consumer: str) -> Response:
        """Forget one."""
        if not self.services.consumers.forget(project_id, consumer):
            raise Problem(UNKNOWN_CONSUMER, "The project's stream has no consumer group of this name.")
        return encoded(HTTPStatus.OK, {"name": consumer})


def told_consumer(group: GroupStatus) -> dict[str, Any]:
    """Tell of a group."""
    missing = dict(zip(("first", "last"), group.missing, strict=True)) if group.missing else None
    return {
        "name": group.name,
        "position": group.position,
        "lag": group.lag,
        "lag_s": round(group.lag_s, 1),
        "pending": group.pending,
        "idle_s": None if group.idle_s is None else round(group.idle_s, 1),
        "share": round(group.share, 4),
        "missing": missing,
    }


def section(services: WebServices) -> Section:
    """Return the endpoints."""
    views = ConsumerViews(services)
    return Section(
        "consumers",
        "Who reads the change log in Redis.",
        (
            Endpoint(
                rule=_ADDRESS,
                method="GET",
                view=views.list,
                scope="read",
                summary="List consumers",
                description="The consumer groups on the project's stream, by name. The log is kept for them.",
                answers={200: Answer("The consumers.", ConsumersSchema)},
            ),
            Endpoint(
                rule=f"{_ADDRESS}/<text:consumer>",
                method="DELETE",
                view=views.forget,
                scope="operate",
                summary="Forget a consumer",
                description=_FORGETTING,
                answers={200: Answer("It is forgotten.", ForgottenSchema)},
                problems=(UNKNOWN_CONSUMER,),
            ),
        ),
    )
