"""`/projects/{project_id}/drift`, `/holds`, `/silences`; a cohort's `/hold` and `/mute`."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from flask import Response, request

from app.cohorts.registry import Cohort
from app.resync.audit.judging import Check
from app.resync.state import id_of
from app.status.telling import told_time
from app.web.api.answers import encoded
from app.web.api.bodies import JSON, MOST_BYTES
from app.web.api.copies_schemas import (
    DriftSchema,
    HoldSchema,
    HoldsSchema,
    MuteSchema,
    SayHoldSchema,
    SilencesSchema,
)
from app.web.api.kinds import (
    BODY_INCOMPLETE,
    BODY_TOO_LARGE,
    INVALID_BODY,
    MEDIA_TYPE,
    NOT_HELD,
    UNKNOWN_COHORT,
)
from app.web.api.loading import load_object
from app.web.api.problems import Problem
from app.web.api.sections import Answer, Body, Endpoint, Section
from app.web.ports import WebServices

_COHORT: Final = "/projects/<project_id>/cohorts/<cohort_id>"
_BODIES: Final = (INVALID_BODY, BODY_TOO_LARGE, MEDIA_TYPE, BODY_INCOMPLETE)
_DRIFT: Final = """By schedule, one query compares the counts of all cohorts; those that differ are read,
without changing anything, and whoever still differs once the cohort's next sync is through is drift. A
reconcile makes it good, and clears it."""
_HOLD: Final = """A full list that would remove more than `SHRINK_SHARE` of a cohort is held where
`HOLD_SHRINKING` is set: it is applied, but nobody is removed. `confirm` removes exactly those whom it did not
name and nothing has named since; `refuse` keeps them, and the cohort is suspect. Another full list takes its
place."""
_MUTE: Final = """Nothing is told of this silence any more. It ends by itself with the cohort's next page: the
next silence is told of again."""
_EXAMPLE: Final = {"hold": 4711, "action": "confirm"}


@dataclass(frozen=True)
class CopiesViews:
    """Answers how true the copies are.

    Attributes:
        services: what is looked at, and told.
    """

    services: WebServices

    def drift(self, project_id: str) -> Response:
        """Answer what audits found."""
        state = self.services.copies.audit(project_id)
        told = {
            "compared": told_time(state.listed_ms),
            "next": told_time(state.next_ms),
            "reason": state.reason,
            "unlisted": list(state.unlisted),
            "cohorts": [_told_check(project_id, each) for _, each in sorted(state.checks.items())],
        }
        return encoded(HTTPStatus.OK, told)

    def holds(self, project_id: str) -> Response:
        """Answer the lists that are held."""
        told = [_told_hold(each) for each in self.services.cohorts.list(project_id) if each.held]
        return encoded(HTTPStatus.OK, {"holds": told})

    def say(self, project_id: str, cohort_id: str) -> Response:
        """Confirm or refuse a held list."""
        limit_bytes = min(MOST_BYTES, self.services.settings.max_body_bytes)
        said = load_object(request, SayHoldSchema, limit_bytes)
        cohort = self._known(project_id, cohort_id)
        if not self.services.copies.holds.say(project_id, cohort_id, said["hold"], said["action"]):
            raise Problem(NOT_HELD, f"The list {said['hold']} of this cohort is not held.")
        return encoded(HTTPStatus.ACCEPTED, _told_hold(cohort))

    def silences(self, project_id: str) -> Response:
        """Answer the cohorts that nothing is heard of."""
        copies = self.services.copies
        found = copies.silences(project_id, self.services.cohorts.list(project_id), copies.audit(project_id))
        told = [
            {
                "cohort_id": each.cohort_id,
                "heard": told_time(each.heard_ms),
                "muted": each.muted,
                "unlisted": each.unlisted,
            }
            for each in found
        ]
        return encoded(HTTPStatus.OK, {"silences": told})

    def mute(self, project_id: str, cohort_id: str) -> Response:
        """Mute a silence."""
        self._known(project_id, cohort_id)
        self.services.copies.muting.mute(project_id, cohort_id)
        return encoded(HTTPStatus.OK, {"cohort_id": cohort_id, "muted": True})

    def unmute(self, project_id: str, cohort_id: str) -> Response:
        """End a mute."""
        self._known(project_id, cohort_id)
        self.services.copies.muting.unmute(project_id, cohort_id)
        return encoded(HTTPStatus.OK, {"cohort_id": cohort_id, "muted": False})

    def _known(self, project_id: str, cohort_id: str) -> Cohort:
        cohort = self.services.cohorts.get(project_id, cohort_id)
        if cohort is None:
            raise Problem(UNKNOWN_COHORT, "No page of a cohort with this id ever came.")
        return cohort


def _told_check(project_id: str, check: Check) -> dict[str, Any]:
    return {
        "cohort_id": check.cohort_id,
        "state": check.state,
        "ours": check.ours,
        "theirs": check.theirs,
        "missing": check.missing,
        "surplus": check.surplus,
        "raised": check.raised,
        "since": told_time(check.since_ms),
        "looked": told_time(check.looked_ms),
        "resync_id": id_of(project_id, check.resync),
    }


def _told_hold(cohort: Cohort) -> dict[str, Any]:
    held = cohort.held
    return {
        "cohort_id": cohort.id,
        "cohort_name": cohort.name,
        "hold": held.attempt if held else 0,
        "removes": held.goes if held else 0,
        "of": held.of if held else 0,
        "since": told_time(held.at_ms if held else 0),
        "session_id": held.session if held else "",
        "refused": bool(held and held.refused),
    }


def section(services: WebServices) -> Section:
    """Return the endpoints."""
    views = CopiesViews(services)
    return Section(
        "copies",
        "How true the copies of cohorts are: drift, held lists, silence.",
        (*_looking(views), _saying(views), *_muting(views)),
    )


def _looking(views: CopiesViews) -> tuple[Endpoint, ...]:
    drift = Answer("What audits found.", DriftSchema)
    return (
        Endpoint(
            rule="/projects/<project_id>/drift",
            method="GET",
            view=views.drift,
            scope="read",
            summary="Show drift",
            description=_DRIFT,
            answers={200: drift},
        ),
        Endpoint(
            rule="/projects/<project_id>/holds",
            method="GET",
            view=views.holds,
            scope="read",
            summary="List held full lists",
            description=_HOLD,
            answers={200: Answer("The held lists, and those that were refused.", HoldsSchema)},
        ),
        Endpoint(
            rule="/projects/<project_id>/silences",
            method="GET",
            view=views.silences,
            scope="read",
            summary="List silent cohorts",
            description="Of which nothing was heard for `SILENCE_AFTER_S`, the longest silent first.",
            answers={200: Answer("The silent cohorts.", SilencesSchema)},
        ),
    )


def _saying(views: CopiesViews) -> Endpoint:
    return Endpoint(
        rule=f"{_COHORT}/hold",
        method="POST",
        view=views.say,
        scope="operate",
        summary="Confirm or refuse a held list",
        description=_HOLD,
        answers={202: Answer("It is passed on; the list as it was before.", HoldSchema)},
        problems=(*_BODIES, UNKNOWN_COHORT, NOT_HELD),
        body=Body("What to do.", {JSON: {"schema": SayHoldSchema, "example": _EXAMPLE}}),
    )


def _muting(views: CopiesViews) -> tuple[Endpoint, ...]:
    return (
        Endpoint(
            rule=f"{_COHORT}/mute",
            method="PUT",
            view=views.mute,
            scope="operate",
            summary="Mute a silence",
            description=_MUTE,
            answers={200: Answer("It is muted.", MuteSchema)},
            problems=(UNKNOWN_COHORT,),
        ),
        Endpoint(
            rule=f"{_COHORT}/mute",
            method="DELETE",
            view=views.unmute,
            scope="operate",
            summary="End a mute",
            description="Also where there is none.",
            answers={200: Answer("It is not muted.", MuteSchema)},
            problems=(UNKNOWN_COHORT,),
        ),
    )
