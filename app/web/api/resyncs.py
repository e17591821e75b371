"""`/projects/{project_id}/cohorts/{cohort_id}/resyncs` and `/resyncs/{resync_id}`."""

from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any, Final

from flask import Response, request

from app.resync.estimate import remaining_s
from app.resync.resyncs import NoQueryAccess, NotExported, UnderWay, UnknownCohort
from app.resync.state import ResyncState, Wanted, parse_id
from app.web.api.access import caller
from app.web.api.answers import encoded
from app.web.api.bodies import JSON, MOST_BYTES
from app.web.api.kinds import (
    BODY_INCOMPLETE,
    BODY_TOO_LARGE,
    INVALID_BODY,
    MEDIA_TYPE,
    NO_QUERY_ACCESS,
    RESYNC_ENDED,
    RESYNC_UNDER_WAY,
    UNKNOWN_COHORT,
    UNKNOWN_RESYNC,
)
from app.web.api.loading import load_object
from app.web.api.log import fields
from app.web.api.problems import Fault, Problem
from app.web.api.resync_schemas import AskResyncSchema, ResyncSchema, ResyncsQuery, ResyncsSchema
from app.web.api.sections import Answer, Body, Endpoint, Section
from app.web.ports import WebServices

_ONE: Final = "/resyncs/<resync_id>"
_ASKING: Final = """`replay` sends list values, flags and whatever else of the rules may be repeated, for
everybody who is in the cohort: to profiles only, and behind live changes. `reconcile` reads the cohort from
Mixpanel within the query budget and applies exactly what differs, as ordinary changes; whoever a page names
meanwhile is left alone, and nobody is removed before all is read. `estimate_s` says how long the reading
takes at least. A cohort has one resync at a time."""
_EXAMPLE: Final = {"mode": "reconcile", "dry_run": True}


@dataclass(frozen=True)
class ResyncViews:
    """Answers what is asked about resyncs.

    Attributes:
        services: the resyncs, and the query budget.
    """

    services: WebServices

    def ask(self, project_id: str, cohort_id: str) -> Response:
        """Ask for a resync of a cohort."""
        settings = self.services.settings
        asked = load_object(request, AskResyncSchema, min(MOST_BYTES, settings.max_body_bytes))
        names = tuple(dict.fromkeys(asked["output_properties"]))
        if names and asked["mode"] != "reconcile":
            fault = Fault("output_properties", "are read by reconcile only", "invalid")
            raise Problem(INVALID_BODY, "Wrong: output_properties.", [fault])
        wanted = Wanted(asked["mode"], asked["dry_run"], names, caller().id)
        state = self._asked(project_id, cohort_id, wanted)
        fields()["resync"] = state.id
        return encoded(HTTPStatus.ACCEPTED, self._told(state), {"Location": f"/api/v1/resyncs/{state.id}"})

    def list(self, project_id: str, query: dict[str, Any]) -> Response:
        """Answer a page of the list."""
        found, next_ = self.services.resyncs.list(
            project_id,
            cohort_id=query.get("cohort_id"),
            before=query.get("cursor"),
            limit=query["limit"],
        )
        return encoded(HTTPStatus.OK, {"resyncs": [self._told(each) for each in found], "next_cursor": next_})

    def show(self, resync_id: str) -> Response:
        """Answer one resync."""
        return encoded(HTTPStatus.OK, self._told(self._find(resync_id)))

    def cancel(self, resync_id: str) -> Response:
        """Ask a resync to stop."""
        found = self._find(resync_id)
        if not self.services.resyncs.cancel(resync_id):
            raise Problem(RESYNC_ENDED, f"It is {found.state}.")
        return encoded(HTTPStatus.ACCEPTED, self._told(self._find(resync_id)))

    def _asked(self, project_id: str, cohort_id: str, wanted: Wanted) -> ResyncState:
        project = self.services.settings.projects[project_id]
        try:
            return self.services.resyncs.ask(project, cohort_id, wanted)
        except UnknownCohort as err:
            raise Problem(UNKNOWN_COHORT, "No page of a cohort with this id ever came.") from err
        except UnderWay as err:
            raise Problem(
                RESYNC_UNDER_WAY, f"The resync {err.resync_id} of this cohort is under way."
            ) from err
        except NoQueryAccess as err:
            raise Problem(NO_QUERY_ACCESS, "The project has no service account.") from err
        except NotExported as err:
            fault = Fault("output_properties", "no rule of this cohort uses all of them", "unused")
            raise Problem(INVALID_BODY, "Wrong: output_properties.", [fault]) from err

    def _find(self, resync_id: str) -> ResyncState:
        """Find a resync that the token reaches; another project's is as good as none."""
        place = parse_id(resync_id)
        reaches = place and place[0] in self.services.settings.projects and caller().reaches(place[0])
        found = self.services.resyncs.get(resync_id) if reaches else None
        if found is None:
            raise Problem(UNKNOWN_RESYNC, "There is no resync with this id that this token reaches.")
        fields()["project"] = found.project_id
        return found

    def _told(self, state: ResyncState) -> dict[str, Any]:
        return {**asdict(state), "estimate_s": remaining_s(self.services.query, state)}


def section(services: WebServices) -> Section:
    """Return the endpoints."""
    views = ResyncViews(services)
    return Section(
        "resyncs",
        "Members sent again, or compared with what Mixpanel says.",
        (_asking(views), _listing(views), *_of_one(views)),
    )


def _asking(views: ResyncViews) -> Endpoint:
    bodies = (INVALID_BODY, BODY_TOO_LARGE, MEDIA_TYPE, BODY_INCOMPLETE)
    return Endpoint(
        rule="/projects/<project_id>/cohorts/<cohort_id>/resyncs",
        method="POST",
        view=views.ask,
        scope="operate",
        summary="Resync a cohort",
        description=_ASKING,
        answers={202: Answer("It is asked for; `GET` it to see how it goes.", ResyncSchema, _LOCATION)},
        problems=(*bodies, UNKNOWN_COHORT, RESYNC_UNDER_WAY, NO_QUERY_ACCESS),
        body=Body("What to do.", {JSON: {"schema": AskResyncSchema, "example": _EXAMPLE}}),
    )


def _listing(views: ResyncViews) -> Endpoint:
    return Endpoint(
        rule="/projects/<project_id>/resyncs",
        method="GET",
        view=views.list,
        scope="read",
        summary="List resyncs",
        description="The newest first: the last 1,000 of the project, each for 30 days behind its end.",
        answers={200: Answer("A page of them.", ResyncsSchema)},
        query=ResyncsQuery,
    )


def _of_one(views: ResyncViews) -> tuple[Endpoint, ...]:
    return (
        Endpoint(
            rule=_ONE,
            method="GET",
            view=views.show,
            scope="read",
            summary="Show a resync",
            description="How far it is, and what it came to.",
            answers={200: Answer("The resync.", ResyncSchema)},
            problems=(UNKNOWN_RESYNC,),
        ),
        Endpoint(
            rule=_ONE,
            method="DELETE",
            view=views.cancel,
            scope="operate",
            summary="Cancel a resync",
            description="It stops at its next step. What it has done stays: each step is right by itself.",
            answers={202: Answer("It is asked to stop.", ResyncSchema)},
            problems=(UNKNOWN_RESYNC, RESYNC_ENDED),
        ),
    )


_LOCATION: Final = {"Location": {"description": "Of the resync.", "schema": {"type": "string"}}}
