"""`/projects/{project_id}/people/{distinct_id}` and `/erasures/{erasure_id}`."""

from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any, Final

from flask import Response

from app.erasure.erasures import NoDeletionAccess
from app.erasure.state import ErasureState
from app.resync.state import parse_id
from app.web.api.access import caller
from app.web.api.answers import encoded
from app.web.api.erasure_schemas import EraseQuery, ErasureSchema, ErasuresQuery, ErasuresSchema
from app.web.api.kinds import NO_DELETION_ACCESS, UNKNOWN_ERASURE
from app.web.api.log import fields
from app.web.api.problems import Problem
from app.web.api.sections import Answer, Endpoint, Section
from app.web.ports import WebServices

_ERASING: Final = """Everything that the relay holds of a person goes: membership, what waits to be sent,
dead letters, links, pages set aside, samples; at once, by the lanes. Pages and change-log entries that are
there go once their readers have passed. Then Redis writes its files anew. Whatever still names the person is
left out for a day (`ERASURE_SUPPRESSION_H`).

Other ids that the relay has linked to this one are the same person's: all of them are erased, `ids` says how
many. Nothing is sent to Mixpanel: its profile stays as it is, unless `mixpanel=true` files Mixpanel's own
deletion. Asked for again while it is under way, the same erasure is answered."""
_LOCATION: Final = {"Location": {"description": "Of the erasure.", "schema": {"type": "string"}}}


@dataclass(frozen=True)
class ErasureViews:
    """Answers what is asked about erasures.

    Attributes:
        services: the erasures, and the projects.
    """

    services: WebServices

    def ask(self, project_id: str, distinct_id: str, query: dict[str, Any]) -> Response:
        """Ask for a person to be erased."""
        project = self.services.settings.projects[project_id]
        try:
            state, _ = self.services.erasures.ask(
                project, distinct_id, mixpanel=query["mixpanel"], asked_by=caller().id
            )
        except NoDeletionAccess as err:
            raise Problem(NO_DELETION_ACCESS, "The project has no OAuth token.") from err
        fields()["erasure"] = state.id
        return encoded(HTTPStatus.ACCEPTED, asdict(state), {"Location": f"/api/v1/erasures/{state.id}"})

    def list(self, project_id: str, query: dict[str, Any]) -> Response:
        """Answer a page of the list."""
        found, next_ = self.services.erasures.page(
            project_id, before=query.get("cursor"), limit=query["limit"]
        )
        return encoded(HTTPStatus.OK, {"erasures": [asdict(each) for each in found], "next_cursor": next_})

    def show(self, erasure_id: str) -> Response:
        """Answer one erasure that the token reaches; another project's is as good as none."""
        found = self._find(erasure_id)
        if found is None:
            raise Problem(UNKNOWN_ERASURE, "There is no erasure with this id that this token reaches.")
        fields()["project"] = found.project_id
        return encoded(HTTPStatus.OK, asdict(found))

    def _find(self, erasure_id: str) -> ErasureState | None:
        place = parse_id(erasure_id)
        reaches = place and place[0] in self.services.settings.projects and caller().reaches(place[0])
        return self.services.erasures.get(erasure_id) if reaches else None


def section(services: WebServices) -> Section:
    """Return the endpoints."""
    views = ErasureViews(services)
    return Section(
        "erasures",
        "People who are erased, with everything that the relay holds of them.",
        (
            Endpoint(
                rule="/projects/<project_id>/people/<text:distinct_id>",
                method="DELETE",
                view=views.ask,
                scope="operate",
                summary="Erase a person",
                description=_ERASING,
                answers={
                    202: Answer("It is asked for; `GET` it to see how it goes.", ErasureSchema, _LOCATION)
                },
                problems=(NO_DELETION_ACCESS,),
                query=EraseQuery,
            ),
            Endpoint(
                rule="/projects/<project_id>/erasures",
                method="GET",
                view=views.list,
                scope="read",
                summary="List erasures",
                description="The newest first; each for 400 days. None names the person.",
                answers={200: Answer("A page of them.", ErasuresSchema)},
                query=ErasuresQuery,
            ),
            Endpoint(
                rule="/erasures/<erasure_id>",
                method="GET",
                view=views.show,
                scope="read",
                summary="Show an erasure",
                description="How far it is, and what was taken out.",
                answers={200: Answer("The erasure.", ErasureSchema)},
                problems=(UNKNOWN_ERASURE,),
            ),
        ),
    )
