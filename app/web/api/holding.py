"""`/projects/{project_id}/operation`, `/pause`, `/stop-accepting`; destinations' `/pause`."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, Literal

from flask import Response, request

from app.destinations.held import Held
from app.destinations.remaining import Standing
from app.destinations.status import DestinationStatus
from app.lanes.work import LaneKind, lanes_of
from app.status.telling import told_time
from app.web.api.access import View, caller
from app.web.api.answers import encoded
from app.web.api.bodies import JSON, MOST_BYTES
from app.web.api.holding_schemas import (
    DestinationSchema,
    DestinationsSchema,
    ProjectOperationSchema,
    ReasonSchema,
)
from app.web.api.kinds import BODY_INCOMPLETE, BODY_TOO_LARGE, INVALID_BODY, MEDIA_TYPE, UNKNOWN_DESTINATION
from app.web.api.loading import load_object
from app.web.api.problems import Problem
from app.web.api.sections import Answer, Body, Endpoint, Section
from app.web.ports import WebServices
from config.projects import Project

DESTINATIONS: Final = "/projects/<project_id>/destinations"
_ONE: Final = f"{DESTINATIONS}/<destination>"
BODIES: Final = (INVALID_BODY, BODY_TOO_LARGE, MEDIA_TYPE, BODY_INCOMPLETE)
_PAUSE: Final = """Nothing of the project is sent to Mixpanel, nor asked there, until it is resumed; what is
under way is finished. Accepting goes on: changes wait in the log, then pages are not applied any more and
wait in the inbox, and what no longer fits there is answered 429."""
_STOP: Final = """Pages and submissions are answered 503 with `Retry-After` from now on, which pauses no sync
in Mixpanel. What was taken in is applied and delivered: `GET .../operation` tells how far that is, and when
the project is drained."""


@dataclass(frozen=True)
class HoldingViews:
    """Answers what is asked about projects and destinations that are held.

    Attributes:
        services: what is held.
    """

    services: WebServices

    def show(self, project_id: str) -> Response:
        """Answer how a project is held, and what it has to do."""
        return self._answer(self._project(project_id))

    def pause(self, project_id: str) -> Response:
        """Hold a project."""
        self.services.operating.pause_project(project_id, caller().id, self._why())
        return self._answer(self._project(project_id))

    def resume(self, project_id: str) -> Response:
        """Let a project go on."""
        project = self._project(project_id)
        self.services.operating.resume_project(project_id, lanes_of(project))
        return self._answer(project)

    def stop_accepting(self, project_id: str) -> Response:
        """Take nothing in any more."""
        project = self._project(project_id)
        why = self._why()
        left = self.services.standings.read(project).remaining.changes
        self.services.operating.close(project_id, caller().id, why, left)
        return self._answer(project)

    def accept(self, project_id: str) -> Response:
        """Take in again."""
        self.services.operating.open(project_id)
        return self._answer(self._project(project_id))

    def destinations(self, project_id: str) -> Response:
        """Answer how the destinations stand."""
        standing = self.services.standings.read(self._project(project_id))
        told = [_told(name, status) for name, status in standing.destinations.items()]
        return encoded(HTTPStatus.OK, {"destinations": told})

    def pause_one(self, project_id: str, destination: str) -> Response:
        """Hold a destination."""
        lane = self.lane(project_id, destination)
        self.services.operating.pause(project_id, lane.name, caller().id, self._why())
        return self._one(project_id, lane)

    def resume_one(self, project_id: str, destination: str) -> Response:
        """Let a destination go on that is paused, or that Mixpanel's answer has stopped."""
        lane = self.lane(project_id, destination)
        self.services.operating.resume(project_id, lane.name)
        return self._one(project_id, lane)

    def lane(self, project_id: str, name: str) -> LaneKind:
        """Find a destination's lane; raises Problem."""
        for lane in lanes_of(self._project(project_id)):
            if lane.name == name and lane.source in {"log", "outbox"}:
                return lane
        raise Problem(UNKNOWN_DESTINATION, "The project has no destination of this name.")

    def _project(self, project_id: str) -> Project:
        return self.services.settings.projects[project_id]

    def _why(self) -> str:
        limit_bytes = min(MOST_BYTES, self.services.settings.max_body_bytes)
        said = load_object(request, ReasonSchema, limit_bytes)["why"].strip()
        return "".join(char if char.isprintable() else " " for char in said)

    def _one(self, project_id: str, lane: LaneKind) -> Response:
        return encoded(HTTPStatus.OK, _told(lane.name, self.services.standings.one(project_id, lane)))

    def _answer(self, project: Project) -> Response:
        return encoded(HTTPStatus.OK, told_standing(project.id, self.services.standings.read(project)))


def told_standing(project_id: str, standing: Standing) -> dict[str, Any]:
    """Tell how a project stands."""
    left = standing.remaining
    closed = standing.held.closed
    return {
        "project_id": project_id,
        "paused": _held(standing.held.paused),
        "accepting": closed is None,
        "stopped_accepting": _held(closed),
        "remaining": {
            "pages": left.pages,
            "log_entries": left.entries,
            "records": left.records,
            "waiting": left.waiting,
            "cohorts": left.cohorts,
            "resyncs": left.resyncs,
        },
        "drained": closed is not None and left.nothing,
        "held_up_by": dict(left.held_up),
        "eta_s": standing.eta_s,
    }


def _held(held: Held | None) -> dict[str, str | None] | None:
    if held is None:
        return None
    return {"by": held.by, "why": held.why, "since": told_time(held.since_ms)}


def _told(name: str, status: DestinationStatus) -> dict[str, Any]:
    return {"name": name} | {
        field: getattr(status, field) for field in DestinationSchema().fields if field != "name"
    }


def section(services: WebServices) -> Section:
    """Return the endpoints."""
    views = HoldingViews(services)
    return Section(
        "operating",
        "Projects and destinations held by a person, and let go on; what is still to be delivered.",
        (*_of_projects(views), *_of_destinations(views)),
    )


_WHY: Final = Body(
    "Why; may be left out.",
    {JSON: {"schema": ReasonSchema, "example": {"why": "a migration"}}},
    required=False,
)
_ANSWER: Final = {200: Answer("How the project is held, and what it has to do.", ProjectOperationSchema)}
_STANDS: Final = {200: Answer("How the destination stands.", DestinationSchema)}


def _of_projects(views: HoldingViews) -> tuple[Endpoint, ...]:
    def endpoint(path: str, method: Literal["PUT", "DELETE"], view: View, told: tuple[str, str]) -> Endpoint:
        summary, description = told
        return Endpoint(
            rule=f"/projects/<project_id>/{path}",
            method=method,
            view=view,
            scope="operate",
            summary=summary,
            description=description,
            answers=_ANSWER,
            problems=BODIES if method == "PUT" else (),
            body=_WHY if method == "PUT" else None,
        )

    return (
        Endpoint(
            rule="/projects/<project_id>/operation",
            method="GET",
            view=views.show,
            scope="read",
            summary="Show how a project is held, and what is to be delivered",
            description="After accepting was stopped: how far draining is.",
            answers=_ANSWER,
        ),
        endpoint("pause", "PUT", views.pause, ("Pause a project", _PAUSE)),
        endpoint("pause", "DELETE", views.resume, ("Resume a project", _RESUME)),
        endpoint("stop-accepting", "PUT", views.stop_accepting, ("Stop accepting", _STOP)),
        endpoint("stop-accepting", "DELETE", views.accept, ("Accept again", _ACCEPT)),
    )


def _of_destinations(views: HoldingViews) -> tuple[Endpoint, ...]:
    return (
        Endpoint(
            rule=DESTINATIONS,
            method="GET",
            view=views.destinations,
            scope="read",
            summary="List destinations",
            description="How each stands; those of outboxes once something was submitted.",
            answers={200: Answer("The destinations.", DestinationsSchema)},
        ),
        Endpoint(
            rule=f"{_ONE}/pause",
            method="PUT",
            view=views.pause_one,
            scope="operate",
            summary="Pause a destination",
            description="Before its next window, with its waiting room. What comes for it is kept.",
            answers=_STANDS,
            problems=(*BODIES, UNKNOWN_DESTINATION),
            body=_WHY,
        ),
        Endpoint(
            rule=f"{_ONE}/pause",
            method="DELETE",
            view=views.resume_one,
            scope="operate",
            summary="Resume a destination",
            description="One that was paused, or that Mixpanel's answer has stopped, at once. If the whole"
            " project is paused, it stays so.",
            answers=_STANDS,
            problems=(UNKNOWN_DESTINATION,),
        ),
    )


_RESUME: Final = "At once. Destinations that are paused by themselves stay so."
_ACCEPT: Final = "From the next page and submission on."
