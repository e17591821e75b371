"""`/projects/{project_id}/destinations/{destination}/cursor`: skip, or deliver again; looked at first."""

from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any, Final

from flask import Response, request

from app.destinations.moving.cursors import OutdatedError, OutOfRangeError
from app.destinations.moving.preview import Bounds, Preview
from app.lanes.lanes import LaneLost
from app.lanes.taking import LaneBusyError, NotPausedError
from app.web.api.answers import encoded
from app.web.api.bodies import JSON, MOST_BYTES
from app.web.api.holding import BODIES, DESTINATIONS, HoldingViews
from app.web.api.holding_schemas import CursorQuery, CursorSchema, MovedSchema, MoveSchema
from app.web.api.kinds import (
    CONFIRMATION_OUTDATED,
    CURSOR_OUT_OF_RANGE,
    LANE_BUSY,
    NOT_PAUSED,
    UNKNOWN_DESTINATION,
)
from app.web.api.loading import load_object
from app.web.api.log import fields
from app.web.api.problems import Fault, Problem
from app.web.api.sections import Answer, Body, Endpoint, Section
from app.web.ports import WebServices

_RULE: Final = f"{DESTINATIONS}/<destination>/cursor"
_LOOK: Final = """Nothing is done. With `to`, `meaning` says what putting the cursor there comes to: how many
changes would never be sent, or be sent again, and what of that counts twice. A log can be rewound as far as
it is still there (`earliest`); an outbox cannot, it keeps nothing that was delivered."""
_MOVE: Final = """The destination, or its project, must be paused. `confirmation` is that of a look at the
same `to`: where the cursor, its window or the waiting room have changed since, nothing is done. A window that
was begun is forgotten, with what it put into the waiting room."""
_EXAMPLE: Final = {"to": 12_345, "confirmation": "5f0c6a9d2be81347"}


@dataclass(frozen=True)
class CursorViews:
    """Answers calls that look at cursors, and put them elsewhere.

    Attributes:
        services: the cursors.
    """

    services: WebServices

    def look(self, project_id: str, destination: str, query: dict[str, Any]) -> Response:
        """Say where a cursor can be put, and what that means."""
        lane = HoldingViews(self.services).lane(project_id, destination)
        project, cursors = self.services.settings.projects[project_id], self.services.cursors
        if "to" not in query:
            return encoded(HTTPStatus.OK, _told(cursors.bounds(project, lane), None))
        try:
            preview = cursors.preview(project, lane, query["to"])
        except OutOfRangeError as err:
            raise _out_of_range(err) from err
        return encoded(HTTPStatus.OK, _told(preview.bounds, preview))

    def move(self, project_id: str, destination: str) -> Response:
        """Put a cursor elsewhere."""
        lane = HoldingViews(self.services).lane(project_id, destination)
        settings = self.services.settings
        asked = load_object(request, MoveSchema, min(MOST_BYTES, settings.max_body_bytes))
        project = settings.projects[project_id]
        try:
            moved = self.services.cursors.move(project, lane, asked["to"], asked["confirmation"])
        except NotPausedError as err:
            raise Problem(NOT_PAUSED, "Pause the destination, or its project, first.") from err
        except LaneBusyError as err:
            detail = f"A worker is at it, or a request may still be on its way: {err.wait_s:.0f} s, or less."
            raise Problem(LANE_BUSY, detail) from err
        except OutOfRangeError as err:
            raise _out_of_range(err) from err
        except (OutdatedError, LaneLost) as err:
            raise Problem(CONFIRMATION_OUTDATED, "It is not as it was when you looked; look again.") from err
        fields().update(cursor_before=moved.before, cursor=moved.to)
        told = {"destination": lane.name, "before": moved.before, "cursor": moved.to}
        return encoded(HTTPStatus.OK, told)


def _out_of_range(error: OutOfRangeError) -> Problem:
    detail = f"must be {error}"
    return Problem(CURSOR_OUT_OF_RANGE, f"to {detail}.", [Fault("to", detail, "out_of_range")])


def _told(bounds: Bounds, preview: Preview | None) -> dict[str, Any]:
    told = {name: getattr(bounds, name) for name in CursorSchema().fields if name != "meaning"}
    return {**told, "meaning": _meaning(preview) if preview else None}


def _meaning(preview: Preview) -> dict[str, Any]:
    told = asdict(preview)
    told.pop("bounds")
    return {**told, "action": preview.action, "counted_twice": told.pop("twice")}


def section(services: WebServices) -> Section:
    """Return the endpoints."""
    views = CursorViews(services)
    return Section(
        "cursors",
        "How far destinations are, and what is to be skipped or delivered again.",
        (
            Endpoint(
                rule=_RULE,
                method="GET",
                view=views.look,
                scope="read",
                summary="Look at a cursor, and at what moving it means",
                description=_LOOK,
                answers={200: Answer("Where it stands.", CursorSchema)},
                problems=(UNKNOWN_DESTINATION, CURSOR_OUT_OF_RANGE),
                query=CursorQuery,
            ),
            Endpoint(
                rule=_RULE,
                method="PUT",
                view=views.move,
                scope="operate",
                summary="Skip or rewind",
                description=_MOVE,
                answers={200: Answer("It is done.", MovedSchema)},
                problems=(
                    *BODIES,
                    *(UNKNOWN_DESTINATION, NOT_PAUSED, LANE_BUSY, CONFIRMATION_OUTDATED, CURSOR_OUT_OF_RANGE),
                ),
                body=Body("Where to.", {JSON: {"schema": MoveSchema, "example": _EXAMPLE}}),
            ),
        ),
    )
