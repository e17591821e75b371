"""`/projects/{project_id}/quarantine/...`: members that could not be used, and pages that were set aside."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any, Final

from flask import Response, request
from marshmallow import Schema

from app.cohorts.quarantine import ALL, Which
from app.destinations.dead_letters.filter import read_age
from app.web.api.answers import encoded
from app.web.api.bodies import JSON, MOST_BYTES
from app.web.api.kinds import BODY_INCOMPLETE, BODY_TOO_LARGE, INVALID_BODY, MEDIA_TYPE
from app.web.api.loading import load_object
from app.web.api.log import fields
from app.web.api.problems import Fault, Problem
from app.web.api.quarantine_schemas import (
    DiscardAsideSchema,
    DiscardQuarantinedSchema,
    MembersQuery,
    PagesAsideSchema,
    QuarantineDiscardedSchema,
    QuarantinedMembersSchema,
    WhichSchema,
)
from app.web.api.sections import Answer, Body, Endpoint, Section
from app.web.ports import WebServices

_ADDRESS: Final = "/projects/<project_id>/quarantine"
_LATE: Final = """A page is never applied later: it is out of date as soon as the cohort's next one has come.
Its cohort stays suspect until a full sync, whether the page is kept or not."""


@dataclass(frozen=True)
class QuarantineViews:
    """Answers what is asked about the quarantine.

    Attributes:
        services: the quarantine.
    """

    services: WebServices

    def members(self, project_id: str, query: dict[str, Any]) -> Response:
        """Answer a page of the list of members."""
        found, next_ = self.services.quarantine.members(
            project_id, self._which(query), after=query.get("cursor", ""), limit=query["limit"]
        )
        return encoded(HTTPStatus.OK, {"members": list(map(asdict, found)), "next_cursor": next_})

    def pages(self, project_id: str, query: dict[str, Any]) -> Response:
        """Answer the list of pages."""
        found = self.services.quarantine.pages(project_id, self._which(query))
        return encoded(HTTPStatus.OK, {"pages": list(map(asdict, found))})

    def discard_members(self, project_id: str) -> Response:
        """Throw members away."""
        return self._discard(project_id, DiscardQuarantinedSchema, self.services.quarantine.discard_members)

    def discard_pages(self, project_id: str) -> Response:
        """Throw pages away."""
        return self._discard(project_id, DiscardAsideSchema, self.services.quarantine.discard_pages)

    def _discard(self, project_id: str, schema: type[Schema], discard: Callable[..., int]) -> Response:
        wanted = load_object(request, schema, min(MOST_BYTES, self.services.settings.max_body_bytes))
        which = self._which(wanted)
        if which == ALL and not wanted["all"]:
            detail = "must be true where nothing else says which are meant"
            raise Problem(INVALID_BODY, f"all {detail}.", [Fault("all", detail, "needed")])
        discarded = discard(project_id, which, dry_run=wanted["dry_run"])
        fields()["discarded"] = 0 if wanted["dry_run"] else discarded
        return encoded(HTTPStatus.OK, {"dry_run": wanted["dry_run"], "discarded": discarded})

    def _which(self, asked: Mapping[str, Any]) -> Which:
        now_ms = int(self.services.redis.time()[0]) * 1000
        return Which(
            cohort_id=asked.get("cohort_id", ""),
            reason=asked.get("reason", ""),
            before_ms=read_age(asked["older_than"], now_ms) if "older_than" in asked else None,
            since_ms=read_age(asked["newer_than"], now_ms) if "newer_than" in asked else None,
        )


def section(services: WebServices) -> Section:
    """Return the endpoints."""
    views = QuarantineViews(services)
    return Section(
        "quarantine",
        "What of the cohorts' pages could not be applied.",
        (
            _listing(
                "members",
                views.members,
                MembersQuery,
                QuarantinedMembersSchema,
                "Nothing of theirs is kept.",
            ),
            _listing("pages", views.pages, WhichSchema, PagesAsideSchema, _LATE),
            _discarding("members", views.discard_members, DiscardQuarantinedSchema),
            _discarding("pages", views.discard_pages, DiscardAsideSchema),
        ),
    )


def _listing(
    kind: str, view: Callable[..., Response], query: type[Schema], schema: type[Schema], description: str
) -> Endpoint:
    return Endpoint(
        rule=f"{_ADDRESS}/{kind}",
        method="GET",
        view=view,
        scope="read",
        summary=f"List {kind} that could not be applied",
        description=f"Oldest first. {description}",
        answers={200: Answer(f"The {kind}.", schema)},
        query=query,
    )


def _discarding(kind: str, view: Callable[..., Response], schema: type[Schema]) -> Endpoint:
    return Endpoint(
        rule=f"{_ADDRESS}/{kind}/discards",
        method="POST",
        view=view,
        scope="operate",
        summary=f"Discard {kind} that could not be applied",
        description="They are gone for good.",
        answers={200: Answer("How many.", QuarantineDiscardedSchema)},
        problems=(INVALID_BODY, BODY_TOO_LARGE, MEDIA_TYPE, BODY_INCOMPLETE),
        body=Body("Which.", {JSON: {"schema": schema, "example": {"older_than": "7d", "dry_run": True}}}),
    )
