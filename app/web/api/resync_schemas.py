"""Shapes of what is asked and answered about resyncs."""

from typing import Any, Final

from marshmallow import RAISE, Schema, fields, validate

from app.web.api.asking import flag

MODES: Final = ("replay", "reconcile")
STATES: Final = (
    "asked",
    "counted",
    "reading",
    "read",
    "failing",
    "applying",
    "completed",
    "cancelled",
    "failed",
)
_MOST_NAMES: Final = 100


class AskResyncSchema(Schema):
    """What to do."""

    mode = fields.String(
        required=True,
        validate=validate.OneOf(MODES),
        metadata={
            "description": "`replay`: send what follows from membership again. `reconcile`: read the cohort"
            " from Mixpanel, and make good what differs."
        },
    )
    dry_run = flag("Count, show some ids, and do nothing.")
    output_properties = fields.List(
        fields.String(validate=validate.Length(1, 255)),
        load_default=list,
        validate=validate.Length(max=_MOST_NAMES),
        metadata={
            "description": "For `reconcile`: member properties to read, of those that rules use. Whoever"
            " enters has them; with all of them, whoever has other values is updated."
        },
    )


class ResyncsQuery(Schema):
    """Which page of the list."""

    class Meta:
        """Refuse what is not named."""

        unknown = RAISE

    cohort_id = fields.String(
        validate=validate.Length(1, 255), metadata={"description": "Only this cohort's."}
    )
    limit = fields.Integer(load_default=20, validate=validate.Range(1, 100))
    cursor = fields.Integer(
        validate=validate.Range(1, 10**15),
        metadata={"description": "`next_cursor` of the answer before, to go on."},
    )


def _number(description: str) -> Any:
    return fields.Integer(required=True, metadata={"description": description})


class ResyncSchema(Schema):
    """A resync as it stands. Times are in ms since 1970, 0 for not yet."""

    id = fields.String(required=True)
    project_id = fields.String(required=True)
    cohort_id = fields.String(required=True)
    mode = fields.String(required=True, validate=validate.OneOf(MODES))
    dry_run = fields.Boolean(required=True)
    output_properties = fields.List(fields.String(), required=True)
    state = fields.String(
        required=True,
        validate=validate.OneOf(STATES),
        metadata={"description": "It has ended where it is `completed`, `cancelled` or `failed`."},
    )
    reason = fields.String(required=True, metadata={"description": "Why it failed, or what it waits for."})
    cancelling = fields.Boolean(required=True, metadata={"description": "It was asked to stop."})
    asked_by = fields.String(required=True, metadata={"description": "A token's id, or the command line."})
    asked_ms = _number("When it was asked for.")
    began_ms = _number("When it began.")
    ended_ms = _number("When it ended.")
    members = _number("Members of the cohort as it began.")
    expected = _number("People whom Mixpanel counts in the cohort; 0 before it was asked.")
    pages = _number("Pages read so far.")
    read = _number("People read so far.")
    estimate_s = fields.Float(
        required=True,
        metadata={
            "description": "Seconds that the reading takes from now at least, inside the query budget."
        },
    )
    counts = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(),
        required=True,
        metadata={
            "description": "What it came to so far: `replayed`; or `read`, `entered`, `exited`, `updated`,"
            " and `left_alone` (they differ, and a page named them since the reading began)."
        },
    )
    sample = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.String()),
        required=True,
        metadata={"description": "Of a dry run: some distinct_ids by kind of difference. Personal data."},
    )


class ResyncsSchema(Schema):
    """A page of resyncs, the newest first."""

    resyncs = fields.List(fields.Nested(ResyncSchema), required=True)
    next_cursor = fields.Integer(required=True, allow_none=True)
