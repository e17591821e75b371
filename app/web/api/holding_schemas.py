"""Shapes of what is asked and answered about projects and destinations that are held, and cursors."""

from typing import Any, Final

from marshmallow import RAISE, Schema, fields, validate

MOST_WHY: Final = 200
STATES: Final = ("ok", "retrying", "stopped", "paused")
_HIGHEST: Final = 10**15


class ReasonSchema(Schema):
    """What a person says when holding something."""

    why = fields.String(
        load_default="",
        validate=validate.Length(max=MOST_WHY),
        metadata={"description": "The reason, for other operators."},
    )


class HeldSchema(Schema):
    """Who holds it."""

    by = fields.String(required=True, metadata={"description": "A token's id, or a user of the machine."})
    why = fields.String(required=True)
    since = fields.DateTime(required=True, metadata={"description": "UTC."})


def _number(description: str) -> Any:
    return fields.Integer(required=True, metadata={"description": description})


class RemainingSchema(Schema):
    """What is to be done until all that was taken in is delivered."""

    pages = _number("Pages in the inbox.")
    log_entries = _number("Entries of the change log that its slowest reader has before it.")
    records = _number("Records in the outboxes.")
    waiting = _number("Profiles whose updates wait for an identity link.")
    cohorts = _number("Cohorts in which something goes on without a page, such as a rename or a replay.")
    resyncs = _number("Resyncs under way. A drained project may have some: they are not waited for.")


class ProjectOperationSchema(Schema):
    """How a project is held, and what it has to do."""

    project_id = fields.String(required=True)
    paused = fields.Nested(HeldSchema, required=True, allow_none=True)
    accepting = fields.Boolean(required=True)
    stopped_accepting = fields.Nested(HeldSchema, required=True, allow_none=True)
    remaining = fields.Nested(RemainingSchema, required=True)
    drained = fields.Boolean(
        required=True,
        metadata={
            "description": "Nothing is taken in, and all is delivered: final if true twice, a second apart."
        },
    )
    held_up_by = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        required=True,
        metadata={
            "description": "Destinations that have something to do and are paused or stopped, with why."
        },
    )
    eta_s = fields.Float(
        required=True,
        allow_none=True,
        metadata={
            "description": "Seconds until all is delivered, at the pace since accepting was stopped; null"
            " where that is not known."
        },
    )


class DestinationSchema(Schema):
    """How a destination stands."""

    name = fields.String(required=True)
    state = fields.String(required=True, validate=validate.OneOf(STATES))
    reason = fields.String(required=True, metadata={"description": "Why it is not `ok`."})
    with_project = fields.Boolean(
        required=True, metadata={"description": "It is paused because the whole project is."}
    )
    cursor = _number("The last sequence, of the log or the outbox, whose every record is settled.")
    behind = _number("What is not.")
    unit = fields.String(required=True, validate=validate.OneOf(("entries", "records")))
    lag_s = fields.Float(required=True, metadata={"description": "Age of the oldest of these."})
    tries = _number("How often the window at hand has failed.")
    waiting = _number("Profiles whose updates wait for an identity link.")
    delivered = _number("Records that Mixpanel accepted.")
    dead_lettered = _number("Records that were given up.")


class DestinationsSchema(Schema):
    """The destinations of a project."""

    destinations = fields.List(fields.Nested(DestinationSchema), required=True)


class CursorQuery(Schema):
    """Where the cursor would be put."""

    class Meta:
        """Refuse what is not named."""

        unknown = RAISE

    to = fields.Integer(
        validate=validate.Range(0, _HIGHEST),
        metadata={
            "description": "The sequence that would be the last settled one: above the cursor it skips, below"
            " it rewinds. Without it, only the bounds are told."
        },
    )


class MoveSchema(Schema):
    """Where to put the cursor."""

    to = fields.Integer(
        required=True,
        strict=True,
        validate=validate.Range(0, _HIGHEST),
        metadata={"description": "As looked at."},
    )
    confirmation = fields.String(
        required=True,
        validate=validate.Length(1, 64),
        metadata={"description": "Of the look: it stands for the very state that was looked at."},
    )


def _counts(description: str) -> Any:
    return fields.Dict(
        keys=fields.String(),
        values=fields.Integer(),
        required=True,
        metadata={"description": description},
    )


class MeaningSchema(Schema):
    """What moving the cursor comes to."""

    action = fields.String(required=True, validate=validate.OneOf(("skip", "rewind")))
    to = _number("Where the cursor would be.")
    unit = fields.String(required=True, validate=validate.OneOf(("entries", "submissions")))
    entries = _number("How many of these are skipped or repeated.")
    counted = _number("How many of them the following counts are of: 10,000 at the most.")
    changes = _counts("Members that they name as `entered`, `exited`, `updated`.")
    records = _number("Records in submissions.")
    operations = _counts("What is sent for them at the most, by kind, by the rules that they go by.")
    counted_twice = _counts("Of these, what counts a second time in Mixpanel: `$add`, `$append`.")
    begun = _number("Entries behind `to` of a window that was begun: some were sent, and are sent again.")
    waiting = _number("Profiles whose updates wait for links.")
    means = fields.List(fields.String(), required=True, metadata={"description": "All of it, in sentences."})
    confirmation = fields.String(required=True, metadata={"description": "To be given back with `PUT`."})


class CursorSchema(Schema):
    """Where a cursor stands, and where it can be put."""

    destination = fields.String(required=True)
    cursor = _number("The last sequence whose every record is settled.")
    earliest = _number("The lowest place: what lies behind it is still there.")
    latest = _number("The highest: the end of the log, or of the outbox.")
    window_end = _number("Last sequence of a window that was begun and is not done; 0 if there is none.")
    meaning = fields.Nested(MeaningSchema, required=True, allow_none=True)


class MovedSchema(Schema):
    """The cursor was put elsewhere."""

    destination = fields.String(required=True)
    before = _number("Where it was.")
    cursor = _number("Where it is.")
