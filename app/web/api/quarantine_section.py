"""The endpoints about the quarantine."""

from collections.abc import Callable
from typing import Any, Final

from flask import Response
from marshmallow import Schema

from app.web.api.bodies import JSON, NDJSON
from app.web.api.kinds import (
    BODY_INCOMPLETE,
    BODY_TOO_LARGE,
    INVALID_BODY,
    MEDIA_TYPE,
    UNKNOWN_QUARANTINED,
)
from app.web.api.quarantine import QuarantineViews
from app.web.api.quarantine_schemas import (
    DiscardSchema,
    ListQuery,
    PageQuery,
    PagesAsideSchema,
    PagesExportQuery,
    QuarantineDiscardedSchema,
    QuarantinedMemberSchema,
    QuarantinedMembersSchema,
    WhichSchema,
    WholePageAsideSchema,
)
from app.web.api.sections import Answer, Body, Endpoint, Section
from app.web.ports import WebServices

_ADDRESS: Final = "/projects/<project_id>/quarantine"
_LATE: Final = """A page is never applied later: it is out of date as soon as the cohort's next one has come.
Its cohort stays suspect until a full sync, whether the page is kept or not."""
_NOTHING: Final = "Nothing of theirs is kept."
_PEOPLE: Final = """Whom it names is shown only with `people`, which the audit log tells of. It is there to
report the fault, and is never applied later."""


def section(services: WebServices) -> Section:
    """Return the endpoints."""
    views = QuarantineViews(services)
    return Section(
        "quarantine",
        "What of the cohorts' pages could not be applied.",
        (
            _listing("members", views.members, QuarantinedMembersSchema, _NOTHING),
            _listing("pages", views.pages, PagesAsideSchema, _LATE),
            *_showing(views),
            _exporting("member", views.export_members, WhichSchema, _NOTHING),
            _exporting("page", views.export_pages, PagesExportQuery, _PEOPLE),
            _discarding("member", views.discard_members),
            _discarding("page", views.discard_pages),
        ),
    )


def _listing(kind: str, view: Callable[..., Response], schema: type[Schema], description: str) -> Endpoint:
    return Endpoint(
        rule=f"{_ADDRESS}/{kind}",
        method="GET",
        view=view,
        scope="read",
        summary=f"List {kind} that could not be applied",
        description=f"Oldest first. {description}",
        answers={200: Answer(f"The {kind}.", schema)},
        query=ListQuery,
    )


def _showing(views: QuarantineViews) -> tuple[Endpoint, ...]:
    return (
        Endpoint(
            rule=f"{_ADDRESS}/members/<entry_id>",
            method="GET",
            view=views.member,
            scope="read",
            summary="Show a member that could not be applied",
            description=_NOTHING,
            answers={200: Answer("The member.", QuarantinedMemberSchema)},
            problems=(UNKNOWN_QUARANTINED,),
        ),
        Endpoint(
            rule=f"{_ADDRESS}/pages/<entry_id>",
            method="GET",
            view=views.page,
            scope="read",
            summary="Show a page that could not be applied",
            description=_PEOPLE,
            answers={200: Answer("The page.", WholePageAsideSchema)},
            problems=(UNKNOWN_QUARANTINED,),
            query=PageQuery,
        ),
    )


def _exporting(kind: str, view: Callable[..., Response], query: type[Schema], description: str) -> Endpoint:
    line: dict[str, Any] = {"type": "string", "description": f"A {kind} a line."}
    return Endpoint(
        rule=f"{_ADDRESS}-{kind}-export",
        method="GET",
        view=view,
        scope="read",
        summary=f"Export {kind}s that could not be applied",
        description=f"All that are meant and that there are at this moment, oldest first. {description}",
        answers={200: Answer("One a line.", line, media_type=NDJSON)},
        query=query,
    )


def _discarding(kind: str, view: Callable[..., Response]) -> Endpoint:
    return Endpoint(
        rule=f"{_ADDRESS}-{kind}-discards",
        method="POST",
        view=view,
        scope="operate",
        summary=f"Discard {kind}s that could not be applied",
        description="They are gone for good.",
        answers={200: Answer("How many.", QuarantineDiscardedSchema)},
        problems=(INVALID_BODY, BODY_TOO_LARGE, MEDIA_TYPE, BODY_INCOMPLETE),
        body=Body(
            "Which.", {JSON: {"schema": DiscardSchema, "example": {"older_than": "7d", "dry_run": True}}}
        ),
    )
