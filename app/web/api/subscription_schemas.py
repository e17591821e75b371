"""Shapes of what is asked and answered about webhook subscriptions."""

from typing import Any, Final

from marshmallow import RAISE, Schema, fields, validate

from app.feed.merging import LARGEST_BATCH
from app.subscriptions.deliveries import KEPT
from app.subscriptions.subscription import DEFAULT_BATCH
from app.subscriptions.wish import MOST_COHORTS, MOST_RATE, MOST_URL
from app.web.api.asking import WholeNumber
from app.web.api.cursors import text_cursor_field

MOST_OVERLAP_S: Final = 30 * 86_400
_TIME: Final = "ISO 8601, UTC."


def _url(**more: Any) -> fields.String:
    told = "`https://...`, without user and password."
    return fields.String(
        validate=validate.Length(1, MOST_URL),
        metadata={"description": told, "example": "https://hooks.example.com/cohorts"},
        **more,
    )


def _texts(description: str, most: int, **more: Any) -> fields.Field[Any]:
    return fields.List(
        fields.String(validate=validate.Length(1, 255)),
        validate=validate.Length(max=most),
        metadata={"description": description},
        **more,
    )


_TYPES: Final = "Types of events, or patterns (`members.*`); all, if empty."
_COHORTS: Final = "Ids of cohorts, or patterns of names (`VIP*`); all, if empty."
_PROJECTS: Final = "Ids of projects; all that the token reaches, if left out."
_MOST_TYPES: Final = 50


def _batch(**more: Any) -> fields.Integer:
    return WholeNumber(
        validate=validate.Range(1, LARGEST_BATCH),
        metadata={"description": "Members in a message at most."},
        **more,
    )


def _rate(**more: Any) -> fields.Float:
    return fields.Float(
        validate=validate.Range(0, MOST_RATE),
        metadata={"description": "Messages a second at most; 0 for as fast as they are taken."},
        **more,
    )


def _description(**more: Any) -> fields.String:
    return fields.String(validate=validate.Length(max=200), metadata={"description": "For people."}, **more)


class AskSubscriptionSchema(Schema):
    """A new subscription."""

    url = _url(required=True)
    projects = _texts(_PROJECTS, 1_000, load_default=None)
    types = _texts(_TYPES, _MOST_TYPES, load_default=list)
    cohorts = _texts(_COHORTS, MOST_COHORTS, load_default=list)
    batch = _batch(load_default=DEFAULT_BATCH)
    rate = _rate(load_default=0.0)
    description = _description(load_default="")
    start = fields.String(
        data_key="from",
        load_default="now",
        validate=validate.Length(1, 100),
        metadata={
            "description": "Behind which place it begins: `now`, `oldest` (all that is there), or, of one"
            " project, an event's id, a sequence, or a snapshot's position."
        },
    )


class ChangeSubscriptionSchema(Schema):
    """What is to be different; the rest stays."""

    url = _url()
    types = _texts(_TYPES, _MOST_TYPES)
    cohorts = _texts(_COHORTS, MOST_COHORTS)
    batch = _batch()
    rate = _rate()
    description = _description()


class StandingSchema(Schema):
    """Where a subscription stands in a project."""

    project_id = fields.String(required=True)
    state = fields.String(
        required=True,
        validate=validate.OneOf(("active", "failing", "paused", "ended")),
        metadata={"description": "`ended`: the receiver answered 410."},
    )
    why = fields.String(required=True, metadata={"description": "The reason, where it is not active."})
    by = fields.String(
        required=True, metadata={"description": "Who paused it: `relay`, a token's id, or a user."}
    )
    since = fields.String(required=True, allow_none=True, metadata={"description": f"Of that state. {_TIME}"})
    position = fields.String(
        required=True, metadata={"description": "Everything up to here was taken, or is not wanted."}
    )
    behind = fields.Integer(
        required=True, metadata={"description": "Entries of the log behind that, wanted or not."}
    )
    tries = fields.Integer(required=True, metadata={"description": "Of the message that comes next."})
    taken = fields.Integer(required=True, metadata={"description": "Messages, ever."})
    failed = fields.Integer(required=True, metadata={"description": "Tries, ever."})
    lost = fields.Integer(
        required=True, metadata={"description": "Entries that were gone before it was told of them."}
    )
    last_taken = fields.String(required=True, allow_none=True, metadata={"description": _TIME})


class SubscriptionSchema(Schema):
    """A webhook subscription."""

    id = fields.String(required=True)
    url = fields.String(required=True)
    types = fields.List(fields.String(), required=True)
    cohorts = fields.List(fields.String(), required=True)
    batch = fields.Integer(required=True)
    rate = fields.Float(required=True)
    description = fields.String(required=True)
    created = fields.String(required=True, metadata={"description": _TIME})
    secrets = fields.Integer(
        required=True, metadata={"description": "With how many secrets messages are signed now."}
    )
    projects = fields.List(fields.Nested(StandingSchema), required=True)


class NewSubscriptionSchema(SubscriptionSchema):
    """A subscription that was just made."""

    secret = fields.String(
        required=True,
        metadata={"description": "With which messages are signed; told here, and never again."},
    )


class SubscriptionsQuery(Schema):
    """Which page of the list."""

    class Meta:
        """Refuse what is not named."""

        unknown = RAISE

    limit = fields.Integer(load_default=100, validate=validate.Range(1, 500))
    cursor = text_cursor_field()


class SubscriptionsSchema(Schema):
    """A page of subscriptions."""

    subscriptions = fields.List(fields.Nested(SubscriptionSchema), required=True)
    next_cursor = fields.String(
        required=True, allow_none=True, metadata={"description": "Ask again with it to go on."}
    )


class RotateSchema(Schema):
    """How a secret is replaced."""

    overlap_s = fields.Float(
        load_default=86_400.0,
        validate=validate.Range(0, MOST_OVERLAP_S),
        metadata={"description": "For how long messages are signed with the one before, too."},
    )


class SecretSchema(Schema):
    """A new secret."""

    secret = fields.String(required=True, metadata={"description": "Told here, and never again."})


class TestedSchema(Schema):
    """What came of a test message."""

    taken = fields.Boolean(required=True, metadata={"description": "Whether the answer was a 2xx."})
    status = fields.Integer(required=True, allow_none=True, metadata={"description": "Null: no answer."})
    reason = fields.String(required=True)
    ms = fields.Integer(required=True, metadata={"description": "How long it took."})


class RedeliverSchema(Schema):
    """From where everything is told again."""

    project = fields.String(
        load_default=None, metadata={"description": "Can be left out where it is for one only."}
    )
    start = fields.String(
        data_key="from",
        required=True,
        validate=validate.Length(1, 100),
        metadata={
            "description": "Behind which place: an event's id, a sequence, `oldest`, or `now` to skip."
        },
    )


class DeliveriesQuery(Schema):
    """Which deliveries."""

    class Meta:
        """Refuse what is not named."""

        unknown = RAISE

    project = fields.String(metadata={"description": "Can be left out where it is for one only."})
    limit = fields.Integer(load_default=50, validate=validate.Range(1, KEPT))


class DeliverySchema(Schema):
    """One request to the receiver."""

    time = fields.String(required=True, metadata={"description": _TIME})
    event_id = fields.String(required=True)
    type = fields.String(required=True)
    tries = fields.Integer(required=True, metadata={"description": "Which try of this message it was."})
    status = fields.Integer(required=True, allow_none=True)
    reason = fields.String(required=True)
    ms = fields.Integer(required=True)


class DeliveriesSchema(Schema):
    """The last ones, the newest first: at most 200, for a week."""

    deliveries = fields.List(fields.Nested(DeliverySchema), required=True)
