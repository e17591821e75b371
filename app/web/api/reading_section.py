"""The endpoints by which projects, cohorts, members and syncs are looked at."""

from typing import Any, Final

from app.web.api.bodies import NDJSON
from app.web.api.kinds import UNKNOWN_COHORT
from app.web.api.reading import ReadViews
from app.web.api.reading_schemas import (
    POSITION,
    TRUE_AT,
    CohortSchema,
    CohortsSchema,
    ListQuery,
    MembersQuery,
    MembersSchema,
    PersonSchema,
    ProjectsSchema,
    SessionsSchema,
)
from app.web.api.sections import Answer, Endpoint, Section
from app.web.ports import WebServices

_COHORTS: Final = "/projects/<project_id>/cohorts"
_ONE: Final = f"{_COHORTS}/<cohort_id>"
_LINE: Final[dict[str, Any]] = {"type": "string", "description": "A member a line, as in `members`."}
_MEMBERS: Final = """In an order of the relay's own, which stays as it is while people come and go: whoever is
in the cohort from the first page to the last is found exactly once, and nobody twice, however long it takes.

With `Accept: application/x-ndjson`, all of them come in one answer, one a line, however many. If it breaks
off, the connection is cut without the answer's proper end. It is personal data."""
_POSITION: Final = {POSITION: {"description": TRUE_AT, "schema": {"type": "string"}}}
_WHY: Final = """An empty list says that the person is in no cohort. A cohort that the person has just left is
told of while a later sync may show that to have been a mistake: `member` is false then.

The page is known only while the session is kept (`SESSION_DAYS`), and where just one can have been it."""


def section(services: WebServices) -> Section:
    """Return the endpoints."""
    views = ReadViews(services)
    return Section(
        "cohorts",
        "What the relay knows: projects, cohorts, who is in them, and why.",
        (*_projects(views), *_inside(views), _person(views)),
    )


def _projects(views: ReadViews) -> tuple[Endpoint, ...]:
    return (
        Endpoint(
            rule="/projects",
            method="GET",
            view=views.projects,
            scope="read",
            summary="List projects",
            description="Those that are configured, and that the token reaches.",
            answers={200: Answer("The projects.", ProjectsSchema)},
        ),
        Endpoint(
            rule=_COHORTS,
            method="GET",
            view=views.cohorts,
            scope="read",
            summary="List cohorts",
            description="In the order of their ids. They appear with their first page.",
            answers={200: Answer("A page of them.", CohortsSchema)},
            query=ListQuery,
        ),
        Endpoint(
            rule=_ONE,
            method="GET",
            view=views.cohort,
            scope="read",
            summary="Show a cohort",
            description="As it stands.",
            answers={200: Answer("The cohort.", CohortSchema)},
            problems=(UNKNOWN_COHORT,),
        ),
    )


def _inside(views: ReadViews) -> tuple[Endpoint, ...]:
    lines = Answer("A page of them, or all.", _LINE, media_type=NDJSON)
    return (
        Endpoint(
            rule=f"{_ONE}/members",
            method="GET",
            view=views.members,
            scope="read",
            summary="List members",
            description=_MEMBERS,
            answers={200: Answer("A page of them, or all.", MembersSchema, _POSITION, other=lines)},
            problems=(UNKNOWN_COHORT,),
            query=MembersQuery,
        ),
        Endpoint(
            rule=f"{_ONE}/sessions",
            method="GET",
            view=views.sessions,
            scope="read",
            summary="List syncs",
            description="The newest first, while they are kept (`SESSION_DAYS`).",
            answers={200: Answer("A page of them.", SessionsSchema)},
            problems=(UNKNOWN_COHORT,),
            query=ListQuery,
        ),
    )


def _person(views: ReadViews) -> Endpoint:
    return Endpoint(
        rule="/projects/<project_id>/members/<text:distinct_id>",
        method="GET",
        view=views.why,
        scope="read",
        summary="Say why somebody is in cohorts",
        description=_WHY,
        answers={200: Answer("The cohorts that the person is in.", PersonSchema)},
    )
