"""Shapes of what is asked and answered about the quarantine."""

from typing import Final

from marshmallow import RAISE, Schema, fields, validate

from app.web.api.asking import flag, list_cursor, newer_than, older_than

MOST_LISTED: Final = 500


class WhichSchema(Schema):
    """Which are meant."""

    class Meta:
        """Refuse what is not named."""

        unknown = RAISE

    cohort_id = fields.String(validate=validate.Length(1, 255), metadata={"description": "Whose."})
    older_than = older_than()
    newer_than = newer_than()


class MembersWhichSchema(WhichSchema):
    """Which members are meant."""

    reason = fields.String(validate=validate.Length(1, 255), metadata={"description": "Exactly this one."})


class MembersQuery(MembersWhichSchema):
    """Which page of the list."""

    limit = fields.Integer(load_default=100, validate=validate.Range(1, MOST_LISTED))
    cursor = list_cursor()


class DiscardAsideSchema(WhichSchema):
    """Which to throw away."""

    all = flag("All of them; needed where nothing else is named.")
    dry_run = flag("Only count.")


class DiscardQuarantinedSchema(DiscardAsideSchema, MembersWhichSchema):
    """Which members to throw away."""


class _PlaceSchema(Schema):
    """Where something stood."""

    id = fields.String(required=True)
    time_ms = fields.Integer(required=True)
    cohort_id = fields.String(required=True)
    session_id = fields.String(required=True)
    action = fields.String(required=True)
    page = fields.Integer(required=True)


class QuarantinedMemberSchema(_PlaceSchema):
    """A member that could not be used."""

    index = fields.Integer(required=True, metadata={"description": "In the page's members, from 0."})
    reason = fields.String(required=True)


class QuarantinedMembersSchema(Schema):
    """A page of the list."""

    members = fields.List(fields.Nested(QuarantinedMemberSchema), required=True)
    next_cursor = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "Ask again with it as `cursor` to go on; null at the end."},
    )


class PageAsideSchema(_PlaceSchema):
    """A page that could not be applied. Empty fields: it could not even be read."""

    size_bytes = fields.Integer(required=True)


class PagesAsideSchema(Schema):
    """The pages."""

    pages = fields.List(fields.Nested(PageAsideSchema), required=True)


class QuarantineDiscardedSchema(Schema):
    """What was thrown away."""

    dry_run = fields.Boolean(required=True)
    discarded = fields.Integer(required=True, metadata={"description": "In a dry run, those that would be."})
