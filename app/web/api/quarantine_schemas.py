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
    reason = fields.String(validate=validate.Length(1, 255), metadata={"description": "Exactly this one."})


class ListQuery(WhichSchema):
    """Which page of the list."""

    limit = fields.Integer(load_default=100, validate=validate.Range(1, MOST_LISTED))
    cursor = list_cursor()


def _people() -> fields.Boolean:
    return fields.Boolean(
        load_default=False,
        metadata={
            "description": "Show the people's data instead of its form. The audit log tells who asked for it."
        },
    )


class PageQuery(Schema):
    """What of a page to show."""

    class Meta:
        """Refuse what is not named."""

        unknown = RAISE

    people = _people()


class PagesExportQuery(WhichSchema):
    """Which pages, and what of them to show."""

    people = _people()


class DiscardSchema(WhichSchema):
    """Which to throw away."""

    all = flag("All of them; needed where nothing else is named.")
    dry_run = flag("Only count.")


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
    reason = fields.String(
        required=True, metadata={"description": "What failed; empty where nobody kept it."}
    )


class PagesAsideSchema(Schema):
    """A page of the list."""

    pages = fields.List(fields.Nested(PageAsideSchema), required=True)
    next_cursor = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "Ask again with it as `cursor` to go on; null at the end."},
    )


class WholePageAsideSchema(PageAsideSchema):
    """A page with what it holds."""

    body = fields.Raw(
        required=True,
        metadata={
            "description": "As Mixpanel sent it. Without `people`, `string(12)`, `number` and `boolean` stand"
            " for what may be somebody's; a text where it is no JSON."
        },
    )


class QuarantineDiscardedSchema(Schema):
    """What was thrown away."""

    dry_run = fields.Boolean(required=True)
    discarded = fields.Integer(required=True, metadata={"description": "In a dry run, those that would be."})
