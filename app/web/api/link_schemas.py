"""Shapes of the answers about identity links."""

from marshmallow import RAISE, Schema, fields, validate

from app.web.api.schemas import FaultSchema

STATES = ("sent", "pending")
VERDICTS = ("send", "already_linked", "refused")


class LinkSchema(Schema):
    """A link, written as it is handed in."""

    user_id = fields.String()
    device_id = fields.String()
    identified_id = fields.String()
    anon_id = fields.String()
    distinct_id = fields.String()
    alias = fields.String()
    merge = fields.List(fields.String())


class KnownLinkSchema(Schema):
    """A link that the relay has made, or is going to make."""

    link = fields.Nested(LinkSchema, required=True)
    state = fields.String(
        required=True,
        validate=validate.OneOf(STATES),
        metadata={"description": "`sent`: Mixpanel has taken it. `pending`: it waits in the outbox."},
    )
    since = fields.String(
        required=True, metadata={"description": "The link's time (UTC), as Mixpanel has it."}
    )
    why = fields.Dict(
        required=True,
        metadata={
            "description": "Of a rule's: `rule`, `cohort_id`, `session_id`, and `sequence` in the change log."
            " Of a service's: `api`, the id of its token."
        },
    )


class ClusterSchema(Schema):
    """Ids that are one person's."""

    size = fields.Integer(required=True, metadata={"description": "How many ids there are, exactly."})
    ids = fields.List(fields.String(), required=True, metadata={"description": "Some of them, or all."})


class LinkedSchema(Schema):
    """What the relay has linked to an id. It knows its own links only."""

    distinct_id = fields.String(required=True)
    cluster = fields.Nested(ClusterSchema, required=True)
    links = fields.List(
        fields.Nested(KnownLinkSchema),
        required=True,
        metadata={"description": "Of the whole cluster, newest part first; oldest first within a part."},
    )
    next_part = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "Ask again with `part` for older links; null if there are none."},
    )
    pending = fields.List(fields.Nested(KnownLinkSchema), required=True)
    pending_complete = fields.Boolean(
        required=True,
        metadata={"description": "False where so much waits that only its beginning was looked through."},
    )


class EffectSchema(Schema):
    """What a link would do."""

    index = fields.Integer(required=True)
    link = fields.Nested(LinkSchema, required=True)
    verdict = fields.String(required=True, validate=validate.OneOf(VERDICTS))
    code = fields.String(metadata={"description": "Why it is refused; stable, for programs."})
    reason = fields.String(metadata={"description": "Why it is refused, for people."})
    irreversible = fields.Boolean(
        required=True, metadata={"description": "It would make two people one, for good: a merge."}
    )
    pending = fields.Boolean(
        required=True, metadata={"description": "Links of its ids wait in the outbox and go before it."}
    )
    before = fields.List(
        fields.Nested(ClusterSchema),
        required=True,
        metadata={"description": "The clusters of its two ids, with the links before it in the call made."},
    )
    after = fields.Nested(
        ClusterSchema,
        required=True,
        allow_none=True,
        metadata={"description": "What they would be together; null where nothing would be sent."},
    )


class DryRunSchema(Schema):
    """What a call would do. Nothing is kept of it."""

    dry_run = fields.Boolean(required=True)
    links = fields.List(fields.Nested(EffectSchema), required=True)
    rejected = fields.List(
        fields.Nested(FaultSchema),
        required=True,
        metadata={"description": "Each link that cannot be taken in, with what is wrong first."},
    )


class PartQuery(Schema):
    """Which part of a cluster's links is asked for."""

    class Meta:
        """Refuse what is not named."""

        unknown = RAISE

    part = fields.Integer(
        validate=validate.Range(0, 2**31), metadata={"description": "`next_part` of the answer before."}
    )
