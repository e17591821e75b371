"""Shapes of what is asked and answered about erasures."""

from typing import Any

from marshmallow import RAISE, Schema, fields, validate

from app.erasure.state import MIXPANEL_STATES, STATES


class EraseQuery(Schema):
    """How to erase."""

    class Meta:
        """Refuse what is not named."""

        unknown = RAISE

    mixpanel = fields.Boolean(
        load_default=False,
        truthy={"true"},
        falsy={"false"},
        metadata={"description": "Also file Mixpanel's own deletion; needs the project's `oauth_token`."},
    )


class ErasuresQuery(Schema):
    """Which page of the list."""

    class Meta:
        """Refuse what is not named."""

        unknown = RAISE

    limit = fields.Integer(load_default=20, validate=validate.Range(1, 100))
    cursor = fields.Integer(
        validate=validate.Range(1, 10**15),
        metadata={"description": "`next_cursor` of the answer before, to go on."},
    )


class DeletionSchema(Schema):
    """What becomes of the person in Mixpanel."""

    state = fields.String(required=True, validate=validate.OneOf(MIXPANEL_STATES))
    tasks = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        required=True,
        metadata={"description": "Mixpanel's ids of what was filed, and its word for how each stands."},
    )
    reason = fields.String(
        required=True, metadata={"description": "Why it failed, or could not be filed yet."}
    )


def _number(description: str) -> Any:
    return fields.Integer(required=True, metadata={"description": description})


class ErasureSchema(Schema):
    """An erasure as it stands. It does not name the person. Times are in ms since 1970, 0 for not yet."""

    id = fields.String(required=True)
    project_id = fields.String(required=True)
    state = fields.String(
        required=True,
        validate=validate.OneOf(STATES),
        metadata={
            "description": "`asked`; `erasing`: the lanes take the person out; `draining`: pages and log"
            " entries that are there wait for their readers; `compacting`: streams are written anew;"
            " `rewriting`: Redis writes its files anew;"
            " `deleting`: Mixpanel is at it; `completed`."
        },
    )
    reason = fields.String(required=True, metadata={"description": "What it waits for."})
    asked_by = fields.String(required=True, metadata={"description": "A token's id, or the command line."})
    asked_ms = _number("When it was asked for.")
    completed_ms = _number("When it ended.")
    ids = _number("How many distinct_ids the person has, as far as the relay knew.")
    counts = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(),
        required=True,
        metadata={"description": "What was taken out, such as `memberships`, `dead_letters`, `log_entries`."},
    )
    persisted = fields.String(
        required=True,
        metadata={"description": "What Redis wrote anew: `aof`, `rdb`, `aof,rdb`, `nothing`; `not_allowed`."},
    )
    suppressed_until_ms = _number("Until when whatever names the person is left out, at least.")
    mixpanel = fields.Nested(DeletionSchema, required=True)


class ErasuresSchema(Schema):
    """A page of erasures, the newest first."""

    erasures = fields.List(fields.Nested(ErasureSchema), required=True)
    next_cursor = fields.Integer(required=True, allow_none=True)
