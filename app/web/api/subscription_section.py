"""The endpoints of webhook subscriptions."""

from collections.abc import Mapping
from typing import Any, Final, Literal

from marshmallow import Schema

from app.access.scopes import Scope
from app.web.api.access import View
from app.web.api.bodies import JSON
from app.web.api.holding import BODIES
from app.web.api.holding_schemas import ReasonSchema
from app.web.api.kinds import (
    TOO_MANY_SUBSCRIPTIONS,
    TOO_MANY_TESTS,
    UNKNOWN_PROJECT,
    UNKNOWN_SUBSCRIPTION,
    Kind,
)
from app.web.api.schemas import NoQuery
from app.web.api.sections import Answer, Body, Endpoint, Section
from app.web.api.subscription_schemas import (
    AskSubscriptionSchema,
    ChangeSubscriptionSchema,
    DeliveriesQuery,
    DeliveriesSchema,
    NewSubscriptionSchema,
    RedeliverSchema,
    RotateSchema,
    SecretSchema,
    SubscriptionSchema,
    SubscriptionsQuery,
    SubscriptionsSchema,
    TestedSchema,
)
from app.web.api.subscriptions import SubscriptionViews
from app.web.ports import WebServices

_ALL: Final = "/subscriptions"
_ONE: Final = f"{_ALL}/<subscription_id>"
_CREATE: Final = """From then on, what happens is posted to `url`: one CloudEvent a message, in order, signed
after the Standard Webhooks scheme, tried again for three days (`docs/webhooks.md`). `secret` is told in this
answer only."""
_REDELIVER: Final = """Everything behind a place is told again, as far as the log still has it, and the
subscription is resumed. Messages have the ids that they had."""
_STANDS: Final[Mapping[int, Answer]] = {200: Answer("How it stands.", SubscriptionSchema)}


def section(services: WebServices) -> Section:
    """Return the endpoints."""
    views = SubscriptionViews(services)
    return Section(
        "subscriptions",
        "Services that are told of changes by webhook.",
        (*_of_all(views), *_of_one(views), *_of_its_state(views)),
    )


def _endpoint(
    path: str,
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"],
    view: View,
    told: tuple[str, str],
    answers: Mapping[int, Answer] = _STANDS,
    *,
    body: Body | None = None,
    query: type[Schema] = NoQuery,
    problems: tuple[Kind, ...] = (),
) -> Endpoint:
    summary, description = told
    scope: Scope = "read" if method == "GET" else "operate"
    known = (UNKNOWN_SUBSCRIPTION,) if "<subscription_id>" in path else ()
    return Endpoint(
        rule=path,
        method=method,
        view=view,
        scope=scope,
        summary=summary,
        description=description,
        answers=answers,
        problems=(*(BODIES if body else ()), *known, *problems),
        query=query,
        body=body,
    )


def _body(description: str, schema: type[Schema], example: Any, *, required: bool = True) -> Body:
    return Body(description, {JSON: {"schema": schema, "example": example}}, required=required)


def _of_all(views: SubscriptionViews) -> tuple[Endpoint, ...]:
    example = {"url": "https://hooks.example.com/cohorts", "types": ["members.*"], "cohorts": ["VIP*"]}
    return (
        _endpoint(
            _ALL,
            "POST",
            views.create,
            ("Subscribe", _CREATE),
            {201: Answer("The subscription, with its secret.", NewSubscriptionSchema)},
            body=_body("What is wanted.", AskSubscriptionSchema, example),
            problems=(UNKNOWN_PROJECT, TOO_MANY_SUBSCRIPTIONS),
        ),
        _endpoint(
            _ALL,
            "GET",
            views.list,
            ("List subscriptions", "The oldest first; those all of whose projects the token reaches."),
            {200: Answer("A page of them.", SubscriptionsSchema)},
            query=SubscriptionsQuery,
        ),
    )


def _of_one(views: SubscriptionViews) -> tuple[Endpoint, ...]:
    return (
        _endpoint(_ONE, "GET", views.show, ("Show a subscription", "As it stands.")),
        _endpoint(
            _ONE,
            "PATCH",
            views.change,
            ("Change a subscription", "What is left out stays. Its projects cannot be changed."),
            body=_body("What is to be different.", ChangeSubscriptionSchema, {"rate": 5}),
        ),
        _endpoint(
            _ONE,
            "DELETE",
            views.delete,
            ("Delete a subscription", "A message that is on its way may still arrive."),
            {200: Answer("It is gone; this is how it stood.", SubscriptionSchema)},
        ),
        _endpoint(
            f"{_ONE}/deliveries",
            "GET",
            views.deliveries,
            ("List deliveries", "The last requests, the newest first: at most 200, for a week."),
            {200: Answer("The deliveries.", DeliveriesSchema)},
            query=DeliveriesQuery,
        ),
    )


def _of_its_state(views: SubscriptionViews) -> tuple[Endpoint, ...]:
    why = _body("Why; may be left out.", ReasonSchema, {"why": "maintenance"}, required=False)
    overlap = _body("May be left out.", RotateSchema, {"overlap_s": 3600}, required=False)
    return (
        _endpoint(
            f"{_ONE}/pause",
            "PUT",
            views.pause,
            ("Pause a subscription", "What comes meanwhile waits in the log, while that has it."),
            body=why,
        ),
        _endpoint(
            f"{_ONE}/pause",
            "DELETE",
            views.resume,
            (
                "Resume a subscription",
                "At once, or behind a message on its way; whoever paused it, and also one that has ended.",
            ),
        ),
        _endpoint(
            f"{_ONE}/rotate-secret",
            "POST",
            views.rotate,
            ("Rotate the secret", "For a while, messages are signed with both."),
            {200: Answer("The new secret.", SecretSchema)},
            body=overlap,
        ),
        _endpoint(
            f"{_ONE}/test",
            "POST",
            views.test,
            ("Send a test message", "At once, of the type `cohort-relay.test`; its place stays."),
            {200: Answer("What came of it.", TestedSchema)},
            problems=(TOO_MANY_TESTS,),
        ),
        _endpoint(
            f"{_ONE}/redeliver",
            "POST",
            views.redeliver,
            ("Deliver again from a point", _REDELIVER),
            body=_body("From where.", RedeliverSchema, {"from": "oldest"}),
        ),
    )
