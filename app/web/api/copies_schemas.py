"""Shapes of what is asked and answered about drift, silence and held lists."""

from typing import Any, Final

from marshmallow import Schema, fields, validate

WORDS: Final = ("confirm", "refuse")
STATES: Final = ("reading", "settling", "drift", "same")


def _number(description: str) -> Any:
    return fields.Integer(required=True, metadata={"description": description})


def _time(description: str) -> Any:
    return fields.String(
        required=True,
        allow_none=True,
        metadata={"description": f"{description} ISO 8601, UTC; null for never."},
    )


class CheckSchema(Schema):
    """A cohort whose counts differed."""

    cohort_id = fields.String(required=True)
    state = fields.String(
        required=True,
        validate=validate.OneOf(STATES),
        metadata={
            "description": "`reading`: it is being read. `settling`: people differ, and its next sync may"
            " explain them. `drift`: it did not. `same`: nobody differs, whatever the counts say."
        },
    )
    ours = _number("Members of the copy, as counts were compared.")
    theirs = _number("People in the cohort by Mixpanel's count.")
    missing = _number("People whom the copy lacks.")
    surplus = _number("People whom it has too many.")
    raised = fields.Boolean(required=True, metadata={"description": "It counts as drift now."})
    since = _time("Since when it is raised.")
    looked = _time("When the cohort was read.")
    resync_id = fields.String(
        required=True, metadata={"description": "Of the dry run that read it, with a sample of who differs."}
    )


class DriftSchema(Schema):
    """What audits found."""

    compared = _time("When the counts of all cohorts were compared last.")
    next = _time("When they are compared next.")
    reason = fields.String(required=True, metadata={"description": "Why they could not be, since then."})
    unlisted = fields.List(
        fields.String(), required=True, metadata={"description": "Cohorts that Mixpanel does not list."}
    )
    cohorts = fields.List(fields.Nested(CheckSchema), required=True)


class HoldSchema(Schema):
    """A full list whose removals are held."""

    cohort_id = fields.String(required=True)
    cohort_name = fields.String(required=True)
    hold = _number("The list's number: what a confirmation names.")
    removes = _number("People whom it did not name, as it was complete. Whoever is named later stays.")
    of = _number("Members before it.")
    since = _time("When it was complete.")
    session_id = fields.String(required=True, metadata={"description": "The export's."})
    refused = fields.Boolean(
        required=True, metadata={"description": "Those people stay, by somebody's word."}
    )


class HoldsSchema(Schema):
    """The held lists of a project."""

    holds = fields.List(fields.Nested(HoldSchema), required=True)


class SayHoldSchema(Schema):
    """What to do with a held list."""

    hold = fields.Integer(
        required=True,
        strict=True,
        validate=validate.Range(1, 10**15),
        metadata={"description": "Its number, so that nobody confirms a list that they have not seen."},
    )
    action = fields.String(
        required=True,
        validate=validate.OneOf(WORDS),
        metadata={"description": "`confirm`: they go. `refuse`: they stay, until another full list comes."},
    )


class SilenceSchema(Schema):
    """A cohort that nothing is heard of."""

    cohort_id = fields.String(required=True)
    heard = _time("When its last page was accepted.")
    muted = fields.Boolean(required=True, metadata={"description": "Somebody knows; it raises no alert."})
    unlisted = fields.Boolean(
        required=True, metadata={"description": "Mixpanel does not list it: deleted there. No alert either."}
    )


class SilencesSchema(Schema):
    """The silent cohorts of a project."""

    silences = fields.List(fields.Nested(SilenceSchema), required=True)


class MuteSchema(Schema):
    """Whether a cohort's silence is muted."""

    cohort_id = fields.String(required=True)
    muted = fields.Boolean(required=True)
