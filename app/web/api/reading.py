"""`/projects`, their cohorts, members and syncs, and why somebody is in a cohort: what can be looked at."""

from dataclasses import dataclass
from http import HTTPStatus
from itertools import islice
from typing import Any, Final

from flask import Response, request

from app.cohorts.registry import Cohort
from app.status.telling import told_cohort, told_member, told_sync, told_why
from app.web.api.access import caller
from app.web.api.answers import encoded
from app.web.api.cursors import Place, place_cursor, place_of_cursor, text_cursor
from app.web.api.kinds import INVALID_QUERY, UNKNOWN_COHORT
from app.web.api.problems import Fault, Problem
from app.web.api.reading_schemas import MOST_MEMBERS, POSITION
from app.web.api.streaming import streamed, wants_lines
from app.web.ports import WebServices

_MEMBERS: Final = 100


@dataclass(frozen=True)
class ReadViews:
    """Answers what is asked; changes nothing.

    Attributes:
        services: what is looked at.
    """

    services: WebServices

    def projects(self) -> Response:
        """Answer the projects that the token reaches."""
        reached = [each for each in self.services.settings.projects.values() if caller().reaches(each.id)]
        told = [
            {
                "id": project.id,
                "name": project.name,
                "region": project.region,
                "id_management": project.id_management,
            }
            for project in reached
        ]
        return encoded(HTTPStatus.OK, {"projects": told})

    def cohorts(self, project_id: str, query: dict[str, Any]) -> Response:
        """Answer a page of the cohorts."""
        found, after = self.services.cohorts.page(project_id, query["cursor"], query["limit"])
        told = {"cohorts": [told_cohort(each) for each in found], "next_cursor": text_cursor(after)}
        return encoded(HTTPStatus.OK, told)

    def cohort(self, project_id: str, cohort_id: str) -> Response:
        """Answer one cohort."""
        return encoded(HTTPStatus.OK, told_cohort(self._known(project_id, cohort_id)))

    def members(self, project_id: str, cohort_id: str, query: dict[str, Any]) -> Response:
        """Answer a page of the members, or all of them, one a line."""
        self._known(project_id, cohort_id)
        # What is read behind this position may be newer than it, never older.
        place, position = place_of_cursor(query["cursor"]) or Place(0, self.services.feed.end(project_id))
        headers = {POSITION: str(position)}
        if wants_lines(request):
            found = self.services.walk.all(project_id, cohort_id, place)
            return streamed(map(told_member, islice(found, query.get("limit"))), headers)
        limit = query.get("limit", _MEMBERS)
        if limit > MOST_MEMBERS:
            detail = f"must be at most {MOST_MEMBERS}; ask for application/x-ndjson to get them all"
            raise Problem(INVALID_QUERY, "Wrong: limit.", [Fault("limit", detail, "invalid")])
        step = self.services.walk.step(project_id, cohort_id, place, limit)
        told = {
            "members": [told_member(each) for each in step.members],
            "next_cursor": place_cursor(step.next, position),
            "position": str(position),
        }
        return encoded(HTTPStatus.OK, told, {"Vary": "Accept", **headers})

    def sessions(self, project_id: str, cohort_id: str, query: dict[str, Any]) -> Response:
        """Answer a page of the syncs."""
        self._known(project_id, cohort_id)
        found, after = self.services.sessions.page(project_id, cohort_id, query["cursor"], query["limit"])
        told = {"sessions": [told_sync(each) for each in found], "next_cursor": text_cursor(after)}
        return encoded(HTTPStatus.OK, told)

    def why(self, project_id: str, distinct_id: str) -> Response:
        """Answer in which cohorts somebody is, and why."""
        found = self.services.whys.of(project_id, distinct_id)
        return encoded(
            HTTPStatus.OK, {"distinct_id": distinct_id, "cohorts": [told_why(each) for each in found]}
        )

    def _known(self, project_id: str, cohort_id: str) -> Cohort:
        cohort = self.services.cohorts.get(project_id, cohort_id)
        if cohort is None:
            raise Problem(
                UNKNOWN_COHORT, "The project has no cohort with this id, as far as the relay knows."
            )
        return cohort
