"""The endpoints about dead letters."""

from typing import Any, Final

from marshmallow import Schema

from app.web.api.bodies import JSON, NDJSON
from app.web.api.dead_letter_schemas import (
    DeadLetterSchema,
    DeadLettersSchema,
    DiscardedLetterSchema,
    DiscardedLettersSchema,
    DiscardLettersSchema,
    FilterSchema,
    ListQuery,
    RedriveLetterSchema,
    RedriveLettersSchema,
    RedrivenLetterSchema,
    RedrivenLettersSchema,
)
from app.web.api.dead_letters import DeadLetterViews
from app.web.api.kinds import (
    BODY_INCOMPLETE,
    BODY_TOO_LARGE,
    CONFIRMATION_NEEDED,
    INVALID_BODY,
    INVALID_RECORDS,
    MEDIA_TYPE,
    OUTBOX_FULL,
    UNKNOWN_DEAD_LETTER,
    Kind,
)
from app.web.api.sections import Answer, Body, Endpoint, Section
from app.web.ports import WebServices

_BODIES: Final[tuple[Kind, ...]] = (INVALID_BODY, BODY_TOO_LARGE, MEDIA_TYPE, BODY_INCOMPLETE)
_LIST: Final = "/projects/<project_id>/dead-letters"
_ONE: Final = f"{_LIST}/<letter_id>"
_STEPS: Final = """A call takes a step: some of those letters that are meant, oldest first. Repeat it with
`next_cursor` as `cursor` until that is null. Letters that come meanwhile are left alone. A step that is
repeated, or broken off, harms nothing."""
_LINE: Final[dict[str, Any]] = {"type": "string", "description": "A letter a line, whole."}


def section(services: WebServices) -> Section:
    """Return the endpoints."""
    views = DeadLetterViews(services)
    return Section(
        "dead-letters",
        "What could not be delivered: refused by Mixpanel, never sent because it would be, or nobody knows.",
        (*_looking(views), *_of_one(views), *_by_filter(views)),
    )


def _looking(views: DeadLetterViews) -> tuple[Endpoint, ...]:
    return (
        Endpoint(
            rule=_LIST,
            method="GET",
            view=views.list,
            scope="read",
            summary="List dead letters",
            description="Any page takes the same time, however many letters there are.",
            answers={200: Answer("A page of them.", DeadLettersSchema)},
            query=ListQuery,
        ),
        Endpoint(
            rule="/projects/<project_id>/dead-letter-export",
            method="GET",
            view=views.export,
            scope="read",
            summary="Export dead letters",
            description="All that are meant and that there are at this moment, whole. It is personal data.",
            answers={200: Answer("One a line.", _LINE, media_type=NDJSON)},
            query=FilterSchema,
        ),
    )


def _of_one(views: DeadLetterViews) -> tuple[Endpoint, ...]:
    return (
        Endpoint(
            rule=_ONE,
            method="GET",
            view=views.show,
            scope="read",
            summary="Show a dead letter",
            description="Whole, with its record: personal data.",
            answers={200: Answer("The letter.", DeadLetterSchema)},
            problems=(UNKNOWN_DEAD_LETTER,),
        ),
        Endpoint(
            rule=_ONE,
            method="DELETE",
            view=views.discard,
            scope="operate",
            summary="Discard a dead letter",
            description="It is gone for good.",
            answers={200: Answer("It is gone.", DiscardedLetterSchema)},
            problems=(UNKNOWN_DEAD_LETTER,),
        ),
        Endpoint(
            rule=f"{_ONE}/redrive",
            method="POST",
            view=views.redrive,
            scope="operate",
            summary="Send a dead letter again",
            description="As it is, or corrected: `record` is held to the checks of what is handed in. The"
            " letter moves into an outbox in one step, so a repetition adds nothing, and says so. It is sent"
            " as of now, over what has changed in the same profile since.",
            answers={200: Answer("It is on its way.", RedrivenLetterSchema)},
            problems=(*_BODIES, UNKNOWN_DEAD_LETTER, CONFIRMATION_NEEDED, INVALID_RECORDS, OUTBOX_FULL),
            body=_body("How. May be left out.", RedriveLetterSchema, {}),
        ),
    )


def _by_filter(views: DeadLetterViews) -> tuple[Endpoint, ...]:
    example = {"code": "refused", "older_than": "1h", "dry_run": True}
    return (
        Endpoint(
            rule="/projects/<project_id>/dead-letter-redrives",
            method="POST",
            view=views.redrive_some,
            scope="operate",
            summary="Send dead letters again by a filter",
            description=f"{_STEPS} Letters that need a confirmation or a correction are left, and counted.",
            answers={200: Answer("What the step came to.", RedrivenLettersSchema)},
            problems=(*_BODIES, OUTBOX_FULL),
            body=_body("Which.", RedriveLettersSchema, example),
        ),
        Endpoint(
            rule="/projects/<project_id>/dead-letter-discards",
            method="POST",
            view=views.discard_some,
            scope="operate",
            summary="Discard dead letters by a filter",
            description=f"They are gone for good. {_STEPS}",
            answers={200: Answer("What the step came to.", DiscardedLettersSchema)},
            problems=_BODIES,
            body=_body("Which.", DiscardLettersSchema, example),
        ),
    )


def _body(description: str, schema: type[Schema], example: dict[str, Any]) -> Body:
    return Body(description, {JSON: {"schema": schema, "example": example}})
