"""Shapes of the API's answers, queries and headers."""

from typing import Final

from marshmallow import RAISE, Schema, fields, validate

# A header can hold more (RFC 9110); these are what every client and proxy passes on unchanged.
PRINTABLE: Final = validate.Regexp(
    r"^[\x21-\x7e]([\x20-\x7e]{0,253}[\x21-\x7e])?$", error="must be 1 to 255 printable ASCII characters"
)


class NoQuery(Schema):
    """Of an address that has no query parameters."""

    class Meta:
        """Refuse all of them."""

        unknown = RAISE


class IdempotencyHeader(Schema):
    """The header that makes repeating a call harmless."""

    idempotency_key = fields.String(
        data_key="Idempotency-Key",
        validate=PRINTABLE,
        metadata={
            "description": "1 to 255 printable ASCII characters, new for every new call, such as a UUID. A"
            " repetition with the same key and the same body adds nothing, for 24 hours, and gets the first"
            " answer again."
        },
    )


class FaultSchema(Schema):
    """What is wrong with one part of a request."""

    index = fields.Integer(metadata={"description": "Of the record, from 0, where the body has several."})
    line = fields.Integer(metadata={"description": "Of the record, from 1, in NDJSON."})
    field = fields.String(
        required=True, metadata={"description": "Path within the record, header, query parameter, or body."}
    )
    code = fields.String(required=True, metadata={"description": "Stable, for programs."})
    detail = fields.String(required=True, metadata={"description": "For people."})


class ProblemSchema(Schema):
    """A problem document (RFC 9457)."""

    type = fields.String(required=True, metadata={"description": "Address of the kind's description."})
    title = fields.String(required=True, metadata={"description": "The same for all problems of the kind."})
    status = fields.Integer(required=True)
    detail = fields.String(required=True, metadata={"description": "About this problem."})
    instance = fields.String(
        required=True, metadata={"description": "Names this problem, here and in the log."}
    )
    code = fields.String(required=True, metadata={"description": "The kind's stable name."})
    errors = fields.List(fields.Nested(FaultSchema), metadata={"description": "What is wrong where."})


class TakenInSchema(Schema):
    """What became of a call that hands records in."""

    accepted = fields.Integer(
        required=True, metadata={"description": "Records that are kept and will be sent."}
    )
    rejected = fields.List(
        fields.Nested(FaultSchema),
        required=True,
        metadata={"description": "Each record that is not kept, with what is wrong first."},
    )
    replayed = fields.Boolean(
        required=True, metadata={"description": "This call came before; what follows is its answer."}
    )
