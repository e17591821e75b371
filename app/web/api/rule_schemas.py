"""Shapes of what is asked and answered about changed rules."""

from typing import Any

from marshmallow import Schema, fields, validate


def _number(description: str) -> Any:
    return fields.Integer(required=True, metadata={"description": description})


def _text(description: str) -> Any:
    return fields.String(required=True, metadata={"description": description})


def _names(description: str) -> Any:
    return fields.List(fields.String(), required=True, metadata={"description": description})


def _counts(description: str) -> Any:
    return fields.Dict(
        keys=fields.String(), values=fields.Integer(), required=True, metadata={"description": description}
    )


def _operations(description: str) -> Any:
    return fields.List(
        fields.Dict(keys=fields.String()), required=True, metadata={"description": description}
    )


class CohortPlanSchema(Schema):
    """What happens to each member of a cohort."""

    cohort_id = fields.String(required=True)
    cohort_name = fields.String(required=True)
    members = _number("How many there are.")
    operations = _counts("Operations at most, by kind.")
    undone = _operations("Take away what old rules wrote; placeholders stand where members differ.")
    redone = _operations("Write what the new rules write.")
    needs_values = _names("Profile properties that get members' values, which the relay does not keep.")
    reads = _names("The members' properties that these come from: `output_properties` of a reconcile.")
    not_repeated = _operations("For whoever enters from now on only: done again, they would count twice.")
    left = _names("Profile properties of old rules that no exit takes away: they stay.")


class RulePlanSchema(Schema):
    """What migrating a project's members to the configured rules would do."""

    project_id = fields.String(required=True)
    rules = _text("Digest of the rules that this process has; name it to apply them.")
    used = _text("Digest of those that workers used last; empty while they used none.")
    known = _number("Cohorts of the project.")
    members = _number("Members concerned, once a cohort that they are in.")
    operations = _counts("Operations at most, by kind.")
    cohorts = fields.List(fields.Nested(CohortPlanSchema), required=True)


class MigratingSchema(Schema):
    """A cohort whose members are being brought to rules."""

    cohort_id = fields.String(required=True)
    cohort_name = fields.String(required=True)
    members = _number("How many it has.")
    rules = _text("Digest of the rules.")
    asked_ms = _number("When that was asked for, in ms since 1970.")
    share = fields.Float(required=True, metadata={"description": "How far it is, from 0 to 1."})


class RulesStatusSchema(Schema):
    """How a project's members stand to its rules."""

    project_id = fields.String(required=True)
    rules = _text("Digest of the rules that this process has.")
    used = _text("Digest of those that workers used last; empty while they used none.")
    known = _number("Cohorts of the project.")
    to_apply = _names("Ids of the cohorts that wait for the rules to be applied.")
    migrating = fields.List(fields.Nested(MigratingSchema), required=True)
    asked_ms = _number("When rules were applied last, in ms since 1970; 0 for never.")
    asked_by = _text("Who did: a token's id, or the command line.")


class ApplyRulesSchema(Schema):
    """Which rules to apply."""

    rules = fields.String(
        required=True,
        validate=validate.Regexp(r"^[0-9a-f]{64}$", error="is no digest of rules"),
        metadata={"description": "`rules` of the plan: what was shown is what is applied."},
    )
