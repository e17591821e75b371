"""`GET /events`: what the API says of it."""

from typing import Any, Final

from marshmallow import Schema, fields, validate

from app.feed.merging import LARGEST_BATCH
from app.web.api.kinds import INVALID_HEADER, TOO_MANY_STREAMS, UNKNOWN_PROJECT
from app.web.api.sections import Answer, Endpoint, Section
from app.web.ports import WebServices
from app.web.stream.views import EVENT_STREAM, StreamViews

_DESCRIPTION: Final = """The events of one project as they happen (`docs/events.md` says what they mean).

`id` is the event's id, `data` the whole CloudEvent as JSON. After a break, clients send the last id as
`Last-Event-ID` (browsers do so by themselves) and go on behind it; what is gone by then is told as
`cohort-relay.gap`. An id without data is sent now and then, so that a reader whose filter wants little does
not fall behind. The connection ends when the relay restarts or the token is not valid any more.

A browser on the relay's own site is let in by its session, too."""
_LAST: Final = "The id of the last event that was seen. What the header says counts more than `from`."


class StreamQuery(Schema):
    """Which events, from where."""

    project = fields.String(
        metadata={"description": "The project's id; can be left out where the token reaches only one."}
    )
    types = fields.String(
        load_default="",
        metadata={"description": "Types, separated by commas: `members.*,sync.completed`. All, if left out."},
    )
    cohort = fields.List(
        fields.String(),
        load_default=list,
        metadata={
            "description": "A cohort's id, or a pattern of names (`VIP*`); can be given several times."
        },
    )
    batch = fields.Integer(
        load_default=LARGEST_BATCH,
        validate=validate.Range(1, LARGEST_BATCH),
        metadata={"description": "Members in an event at most."},
    )
    start = fields.String(
        data_key="from",
        load_default="",
        metadata={
            "description": "`now` (as without it), `oldest` (all that is there), an event's id, a sequence,"
            " or a snapshot's position."
        },
    )


class StreamHeader(Schema):
    """Where a reader was."""

    last_event_id = fields.String(data_key="Last-Event-ID", load_default="", metadata={"description": _LAST})


def section(services: WebServices) -> Section:
    """Describe it."""
    views = StreamViews(services)
    told: dict[str, Any] = {"type": "string"}
    return Section(
        "event stream",
        "Follow what happens.",
        (
            Endpoint(
                rule="/events",
                method="GET",
                view=views.follow,
                scope="read",
                summary="Follow a project's events",
                description=_DESCRIPTION,
                answers={200: Answer("Events, until the connection ends.", told, media_type=EVENT_STREAM)},
                problems=(UNKNOWN_PROJECT, INVALID_HEADER, TOO_MANY_STREAMS),
                query=StreamQuery,
                headers=StreamHeader,
                session=True,
            ),
        ),
    )
