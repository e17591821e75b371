"""The projects file's schema: unknown fields are refused, and the whole file is checked in one go."""

import re
from typing import Any, Final

from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validates_schema

from config.checking import nested
from config.fields import (
    REQUIRED,
    Choice,
    Copies,
    Flag,
    Messages,
    SecretText,
    Text,
    project_id_field,
    username_field,
)
from config.link_fields import Links, system_problems
from config.links import ID_MANAGEMENTS
from config.operations import Happening, Occasion
from config.projects import HOSTS, REGIONS, Credential, Project, ServiceAccount
from config.rules import DEFAULT_RULES, Rule, RuleSet

_NESTED: Final[Messages] = {**REQUIRED, "type": "must be an object (names and values)"}
_INTEGRATION_ID: Final = re.compile(r"[A-Za-z0-9._-]+")


class StrictSchema(Schema):
    """A schema that refuses what it does not know."""

    class Meta:
        """Marshmallow's options."""

        unknown = RAISE

    error_messages = {  # noqa: RUF012  (marshmallow's own way to declare them)
        "type": "must be an object (names and values)",
        "unknown": "unknown field",
    }


def _several(field: fields.Field[Any] | Schema, **kwargs: Any) -> fields.Field[Any]:
    """Make a field of a list that is not empty."""
    messages: Messages = {**REQUIRED, "invalid": "must be a list"}
    inner = fields.Nested(field, error_messages=_NESTED) if isinstance(field, Schema) else field
    return fields.List(inner, validate=_not_empty, error_messages=messages, **kwargs)


def _not_empty(items: list[Any]) -> None:
    if not items:
        raise ValidationError("is empty")


class CredentialSchema(StrictSchema):
    """One webhook credential."""

    username = username_field()
    password = SecretText(required=True)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Credential:
        """Give the typed object."""
        return Credential(**data)


class ServiceAccountSchema(StrictSchema):
    """A service account."""

    username = username_field()
    secret = SecretText(required=True)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> ServiceAccount:
        """Give the typed object."""
        return ServiceAccount(**data)


class CohortsSchema(StrictSchema):
    """Which cohorts a rule is for."""

    ids = _several(Text(numbers=True), load_default=())
    names = _several(Text(), load_default=())


class RuleSchema(StrictSchema):
    """One rule."""

    cohorts = fields.Nested(CohortsSchema, load_default=None, allow_none=False, error_messages=_NESTED)
    copy = Copies(load_default=dict)
    enter = Occasion(members=True)
    exit = Occasion(members=False)
    update = Occasion(members=True)
    links = Links(load_default=())

    @validates_schema(skip_on_field_errors=True)
    def check_that_it_does_something(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse a rule without any effect."""
        occasions = any(data[name] != Happening() for name in ("enter", "exit", "update"))
        if not (occasions or data["copy"] or data["links"]):
            raise ValidationError("does nothing: it has none of copy, enter, exit, update and links")

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Rule:
        """Give the typed object."""
        cohorts = data["cohorts"] or {"ids": (), "names": ()}
        enter, exit_, update = data["enter"], data["exit"], data["update"]
        return Rule(
            frozenset(cohorts["ids"]),
            tuple(cohorts["names"]),
            enter=enter.operations,
            exit=exit_.operations,
            update=update.operations,
            copy=data["copy"],
            enter_event=enter.event,
            exit_event=exit_.event,
            update_event=update.event,
            links=data["links"],
        )


class ProjectSchema(StrictSchema):
    """One project."""

    id = project_id_field()
    name = Text()
    region = Choice(REGIONS, load_default="us")
    token = SecretText(required=True)
    service_account = fields.Nested(
        ServiceAccountSchema, load_default=None, allow_none=False, error_messages=_NESTED
    )
    oauth_token = SecretText(load_default=None, allow_none=False)
    project_secret = SecretText(load_default=None, allow_none=False)
    api_key = SecretText(load_default=None, allow_none=False)
    id_management = Choice(ID_MANAGEMENTS, load_default="simplified")
    integration_id = Text(
        pattern=_INTEGRATION_ID,
        hint="must be letters, digits, '.', '-' and '_'",
        load_default=None,
        allow_none=False,
    )
    webhook_credentials = _several(CredentialSchema(), required=True)
    never_pause = Flag(load_default=False)
    rules = fields.List(
        fields.Nested(RuleSchema, error_messages=_NESTED),
        load_default=None,
        allow_none=False,
        error_messages={
            "null": "is empty; leave it out for the default rule, write [] for no rule",
            "invalid": "must be a list",
        },
    )

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def check_that_its_links_can_be_made(self, data: dict[str, Any], original: Any, **_: Any) -> None:
        """Refuse links that the project's identity system does not have, or not without a service account."""
        if "id_management" not in data or not isinstance(original, dict):
            return
        account = original.get("service_account") is not None
        found = list(system_problems(original.get("rules"), data["id_management"], service_account=account))
        if found:
            raise ValidationError(nested(found))

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Project:
        """Give the typed object, its hosts being the region's."""
        data["webhook_credentials"] = tuple(data["webhook_credentials"])
        data["rules"] = DEFAULT_RULES if data["rules"] is None else RuleSet(tuple(data["rules"]))
        data.setdefault("name", data["id"])
        return Project(hosts=HOSTS[data["region"]], **data)


class ProjectsFileSchema(StrictSchema):
    """The whole file."""

    projects = _several(ProjectSchema(), required=True)
