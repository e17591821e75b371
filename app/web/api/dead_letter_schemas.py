"""Shapes of what is asked and answered about dead letters."""

from typing import Final

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from app.destinations.dead_letters import CODES
from app.destinations.dead_letters.records import OUTBOX_OF
from app.destinations.dead_letters.redriving import CONFIRMATION
from app.destinations.dead_letters.stepping import Place
from app.web.api.asking import flag, list_cursor, newer_than, older_than

DESTINATIONS: Final = tuple(OUTBOX_OF)
MOST_LISTED: Final = 500
_NEXT: Final = "Ask again with it as `cursor` to go on; null at the end."


def _place(text: str) -> None:
    try:
        Place.read(text)
    except ValueError as err:
        raise ValidationError(str(err)) from err


class FilterSchema(Schema):
    """Which letters are meant."""

    class Meta:
        """Refuse what is not named."""

        unknown = RAISE

    destination = fields.String(
        validate=validate.OneOf(DESTINATIONS), metadata={"description": "Whose they were."}
    )
    code = fields.String(validate=validate.OneOf(CODES), metadata={"description": "Why they were given up."})
    reason = fields.String(
        validate=validate.Length(1, 255),
        metadata={"description": "A text within the reason, in upper or lower case."},
    )
    older_than = older_than()
    newer_than = newer_than()


class ListQuery(FilterSchema):
    """Which page of the list."""

    order = fields.String(
        load_default="oldest",
        validate=validate.OneOf(("oldest", "newest")),
        metadata={"description": "Which come first."},
    )
    limit = fields.Integer(load_default=100, validate=validate.Range(1, MOST_LISTED))
    cursor = list_cursor()
    records = fields.Boolean(
        load_default=False,
        metadata={"description": "Show records and Mixpanel's answers, too. They are personal data."},
    )


class DiscardLettersSchema(FilterSchema):
    """Which letters to do something with, and where to go on."""

    all = flag("All of them; needed where nothing else is named.")
    dry_run = flag("Only count.")
    cursor = fields.String(
        validate=_place, metadata={"description": "`next_cursor` of the answer before, to go on."}
    )


class RedriveLettersSchema(DiscardLettersSchema):
    """The same, for sending again."""

    confirm_outcome_unknown = flag(CONFIRMATION)


class RedriveLetterSchema(Schema):
    """How to send one letter again."""

    record = fields.Dict(
        metadata={"description": "What to send instead: the record as it is shown, corrected."}
    )
    confirm_outcome_unknown = flag(CONFIRMATION)


class DeadLetterSchema(Schema):
    """A record that could not be delivered."""

    id = fields.String(required=True)
    destination = fields.String(required=True)
    code = fields.String(required=True, validate=validate.OneOf(CODES))
    reason = fields.String(required=True)
    time_ms = fields.Integer(
        required=True, metadata={"description": "When it was given up, in ms since 1970."}
    )
    size_bytes = fields.Integer(required=True, metadata={"description": "Of the record."})
    response = fields.String(metadata={"description": "What Mixpanel answered, shortened."})
    record = fields.Dict(
        metadata={"description": "Without the token; a link by the names of its ids. Personal data."}
    )


class DeadLettersSchema(Schema):
    """A page of letters. It may have fewer than asked for, or none, although there are more: go on."""

    dead_letters = fields.List(fields.Nested(DeadLetterSchema), required=True)
    kept = fields.Integer(required=True, metadata={"description": "How many the project has in all."})
    next_cursor = fields.String(required=True, allow_none=True, metadata={"description": _NEXT})


class LetterFaultSchema(Schema):
    """What is wrong with the record of a letter."""

    id = fields.String(required=True)
    field = fields.String(required=True)
    code = fields.String(required=True)
    detail = fields.String(required=True)


class SteppedSchema(Schema):
    """What a step came to."""

    dry_run = fields.Boolean(required=True)
    looked_at = fields.Integer(required=True)
    next_cursor = fields.String(required=True, allow_none=True, metadata={"description": _NEXT})


class DiscardedLettersSchema(SteppedSchema):
    """What a step threw away."""

    discarded = fields.Integer(required=True)


class RedrivenLettersSchema(SteppedSchema):
    """What a step sent again, and what it left."""

    redriven = fields.Integer(
        required=True, metadata={"description": "On their way; in a dry run, those that would be."}
    )
    needs_confirmation = fields.Integer(
        required=True, metadata={"description": "Left: `outcome_unknown`, and not confirmed."}
    )
    invalid = fields.Integer(
        required=True, metadata={"description": "Left: they would be given up again, uncorrected."}
    )
    faults = fields.List(
        fields.Nested(LetterFaultSchema), required=True, metadata={"description": "Of the first of these."}
    )
    outbox_full = fields.Boolean(
        required=True, metadata={"description": "It ended early for that; go on in some seconds."}
    )


class RedrivenLetterSchema(Schema):
    """What became of a letter that was to be sent again."""

    id = fields.String(required=True)
    state = fields.String(
        required=True,
        validate=validate.OneOf(("redriven", "redriven_before")),
        metadata={"description": "`redriven_before`: nothing was done; it is on its way, or arrived."},
    )
    outbox = fields.String(metadata={"description": "Where it waits to be sent."})
    redriven_ms = fields.Integer(metadata={"description": "When it was redriven before."})


class DiscardedLetterSchema(Schema):
    """A letter that was thrown away."""

    id = fields.String(required=True)
    state = fields.String(required=True, validate=validate.OneOf(("discarded",)))
