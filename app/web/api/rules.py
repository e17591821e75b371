"""`/projects/{project_id}/rules`: what changed rules mean for members, and migrating them."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from flask import Response, request

from app.resync.rule_changes import RulesStatus
from app.web.api.access import caller
from app.web.api.answers import encoded
from app.web.api.bodies import JSON, MOST_BYTES
from app.web.api.kinds import (
    BODY_INCOMPLETE,
    BODY_TOO_LARGE,
    CONFLICT,
    INVALID_BODY,
    MEDIA_TYPE,
)
from app.web.api.loading import load_object
from app.web.api.problems import Problem
from app.web.api.rule_schemas import ApplyRulesSchema, RulePlanSchema, RulesStatusSchema
from app.web.api.sections import Answer, Body, Endpoint, Section
from app.web.ports import WebServices

_PLANNING: Final = """Members who stay in a cohort are never named by a sync again, so changed rules reach
them only by a migration. This says what that would do, cohort by cohort, and does nothing. The rules are
those that the answering process was started with."""
_APPLYING: Final = """Begins the migration of every cohort that the plan names, between pages and behind live
changes; a crash repeats no step. A migration to other rules that is under way gives way to it. Where nothing
is left to do, nothing happens. `409` where the process has other rules than those that `rules` names."""


@dataclass(frozen=True)
class RuleViews:
    """Answers what is asked about changed rules.

    Attributes:
        services: what knows about them.
    """

    services: WebServices

    def status(self, project_id: str) -> Response:
        """Answer how members stand to the rules."""
        return encoded(HTTPStatus.OK, self._status(project_id).told())

    def plan(self, project_id: str) -> Response:
        """Answer what a migration would do."""
        return encoded(HTTPStatus.OK, self._status(project_id).plan.told())

    def apply(self, project_id: str) -> Response:
        """Begin a migration."""
        settings = self.services.settings
        asked = load_object(request, ApplyRulesSchema, min(MOST_BYTES, settings.max_body_bytes))
        project = settings.projects[project_id]
        if asked["rules"] != project.rules.digest:
            raise Problem(CONFLICT, "This process has other rules than those that were planned with.")
        applied = self.services.rule_changes.apply(project, caller().id)
        return encoded(HTTPStatus.ACCEPTED, applied.told())

    def _status(self, project_id: str) -> RulesStatus:
        return self.services.rule_changes.status(self.services.settings.projects[project_id])


def section(services: WebServices) -> Section:
    """Return the endpoints."""
    views = RuleViews(services)
    return Section(
        "rules",
        "Changed rules, and the members who are to follow them.",
        (*_reading(views), _applying(views)),
    )


def _reading(views: RuleViews) -> tuple[Endpoint, ...]:
    return (
        Endpoint(
            rule="/projects/<project_id>/rules",
            method="GET",
            view=views.status,
            scope="read",
            summary="Show how members stand to the rules",
            description="Which cohorts are migrated to the rules, are being migrated, or wait for it.",
            answers={200: Answer("How it stands.", RulesStatusSchema)},
        ),
        Endpoint(
            rule="/projects/<project_id>/rules/plan",
            method="GET",
            view=views.plan,
            scope="read",
            summary="Plan a migration to the rules",
            description=_PLANNING,
            answers={200: Answer("What it would do.", RulePlanSchema)},
        ),
    )


def _applying(views: RuleViews) -> Endpoint:
    return Endpoint(
        rule="/projects/<project_id>/rules/apply",
        method="POST",
        view=views.apply,
        scope="operate",
        summary="Migrate members to the rules",
        description=_APPLYING,
        answers={202: Answer("It is asked for; `GET` the rules to see how it goes.", RulesStatusSchema)},
        problems=(INVALID_BODY, BODY_TOO_LARGE, MEDIA_TYPE, BODY_INCOMPLETE, CONFLICT),
        body=Body(
            "Which rules.", {JSON: {"schema": ApplyRulesSchema, "example": {"rules": "0123456789abcdef" * 4}}}
        ),
    )
