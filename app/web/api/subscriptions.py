"""`/subscriptions`: webhook subscriptions to the changes."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeVar

from flask import Response, request
from marshmallow import Schema

from app.status.subscribers import told_noted, told_subscription
from app.subscriptions.desk import Seen, TooManyTests
from app.subscriptions.subscription import Subscription
from app.subscriptions.subscriptions import TooManySubscriptions
from app.subscriptions.wish import InvalidWish, Wish
from app.web.api.access import caller
from app.web.api.answers import encoded
from app.web.api.bodies import MOST_BYTES
from app.web.api.cursors import text_cursor
from app.web.api.holding_schemas import ReasonSchema
from app.web.api.kinds import (
    INVALID_BODY,
    INVALID_QUERY,
    TOO_MANY_SUBSCRIPTIONS,
    TOO_MANY_TESTS,
    UNKNOWN_PROJECT,
    UNKNOWN_SUBSCRIPTION,
    Kind,
)
from app.web.api.loading import load_object
from app.web.api.log import fields
from app.web.api.problems import Fault, Problem
from app.web.api.subscription_schemas import (
    AskSubscriptionSchema,
    ChangeSubscriptionSchema,
    RedeliverSchema,
    RotateSchema,
)
from app.web.ports import WebServices

_T = TypeVar("_T")


@dataclass(frozen=True)
class SubscriptionViews:
    """Answers what is asked about subscriptions.

    Attributes:
        services: the desk.
    """

    services: WebServices

    def create(self) -> Response:
        """Make a subscription."""
        asked = self._body(AskSubscriptionSchema)
        projects, start = asked.pop("projects"), asked.pop("start")
        if projects is None:
            projects = [each for each in self.services.settings.projects if caller().reaches(each)]
        for project_id in projects:
            if project_id not in self.services.settings.projects or not caller().reaches(project_id):
                raise Problem(UNKNOWN_PROJECT, "One of projects is none that this token reaches.")
        try:
            wanted, secret = _tried(lambda: self.services.desk.create(Wish(**asked), projects, start))
        except TooManySubscriptions as err:
            raise Problem(TOO_MANY_SUBSCRIPTIONS, "There are 5,000.") from err
        fields()["subscription"] = wanted.id
        told = {**self._told(self._find(wanted.id)), "secret": secret.reveal()}
        where = {"Location": f"/api/v1/subscriptions/{wanted.id}", "Cache-Control": "no-store"}
        return encoded(HTTPStatus.CREATED, told, where)

    def list(self, query: dict[str, Any]) -> Response:
        """Answer a page of the list, the oldest first."""
        found = [each for each in self.services.desk.listed() if self._reaches(each)]
        if query["cursor"]:
            ids = [each.id for each in found]
            found = found[ids.index(query["cursor"]) + 1 :] if query["cursor"] in ids else []
        page, rest = found[: query["limit"]], found[query["limit"] :]
        cursor = text_cursor(page[-1].id) if rest else None
        behind = self.services.desk.distance()
        told = {
            "subscriptions": [told_subscription(seen, behind) for seen in self.services.desk.look(page)],
            "next_cursor": cursor,
        }
        return encoded(HTTPStatus.OK, told)

    def show(self, subscription_id: str) -> Response:
        """Answer one."""
        return self._answer(subscription_id)

    def change(self, subscription_id: str) -> Response:
        """Let its owner choose anew."""
        wanted = self._find(subscription_id).wanted
        changes = self._body(ChangeSubscriptionSchema)
        before = {
            "url": wanted.url,
            "types": sorted(wanted.types),
            "cohorts": wanted.cohorts,
            "batch": wanted.batch,
            "rate": wanted.rate,
            "description": wanted.description,
        }
        _tried(lambda: self.services.desk.change(wanted, Wish(**{**before, **changes})))
        return self._answer(subscription_id)

    def delete(self, subscription_id: str) -> Response:
        """Forget one, and answer how it stood."""
        seen = self._find(subscription_id)
        told = self._told(seen)
        self.services.desk.delete(seen.wanted)
        return encoded(HTTPStatus.OK, told)

    def pause(self, subscription_id: str) -> Response:
        """Send nothing more until it is resumed."""
        wanted = self._find(subscription_id).wanted
        said = self._body(ReasonSchema)["why"].strip()
        why = "".join(char if char.isprintable() else " " for char in said)
        self.services.desk.pause(wanted, caller().id, why)
        return self._answer(subscription_id)

    def resume(self, subscription_id: str) -> Response:
        """Send again."""
        self.services.desk.resume(self._find(subscription_id).wanted)
        return self._answer(subscription_id)

    def rotate(self, subscription_id: str) -> Response:
        """Give it a new secret."""
        wanted = self._find(subscription_id).wanted
        secret = self.services.desk.rotate(wanted, self._body(RotateSchema)["overlap_s"])
        if secret is None:
            raise _unknown()
        return encoded(HTTPStatus.OK, {"secret": secret.reveal()}, {"Cache-Control": "no-store"})

    def test(self, subscription_id: str) -> Response:
        """Send it a test message."""
        wanted = self._find(subscription_id).wanted
        try:
            posted = self.services.desk.test(wanted)
        except TooManyTests as err:
            raise Problem(TOO_MANY_TESTS, "Each keeps a thread until its receiver has answered.") from err
        told = {
            "taken": posted.taken,
            "status": posted.status,
            "reason": posted.reason,
            "ms": round(posted.seconds * 1000),
        }
        return encoded(HTTPStatus.OK, told)

    def redeliver(self, subscription_id: str) -> Response:
        """Tell everything behind a place again."""
        wanted = self._find(subscription_id).wanted
        asked = self._body(RedeliverSchema)
        project_id = self._project(wanted.projects, asked["project"], INVALID_BODY)
        _tried(lambda: self.services.desk.redeliver(wanted, project_id, asked["start"]))
        return self._answer(subscription_id)

    def deliveries(self, subscription_id: str, query: dict[str, Any]) -> Response:
        """Answer the last requests."""
        wanted = self._find(subscription_id).wanted
        project_id = self._project(wanted.projects, query.get("project"), INVALID_QUERY)
        found = self.services.desk.deliveries(wanted, project_id, query["limit"])
        return encoded(HTTPStatus.OK, {"deliveries": [told_noted(each) for each in found]})

    def _body(self, schema: type[Schema]) -> dict[str, Any]:
        return load_object(request, schema, min(MOST_BYTES, self.services.settings.max_body_bytes))

    def _find(self, subscription_id: str) -> Seen:
        """Find one all of whose projects the token reaches; any other is as good as none."""
        seen = self.services.desk.see(subscription_id)
        if seen is None or not self._reaches(seen.wanted):
            raise _unknown()
        return seen

    def _reaches(self, wanted: Subscription) -> bool:
        return all(map(caller().reaches, wanted.projects))

    def _project(self, known: tuple[str, ...], named: str | None, kind: Kind) -> str:
        if named is None and len(known) == 1:
            return known[0]
        if named is None or named not in known:
            detail = "must be one of the subscription's projects"
            raise Problem(kind, "Wrong: project.", [Fault("project", detail, "invalid")])
        return named

    def _answer(self, subscription_id: str) -> Response:
        return encoded(HTTPStatus.OK, self._told(self._find(subscription_id)))

    def _told(self, seen: Seen) -> dict[str, Any]:
        return told_subscription(seen, self.services.desk.distance())


def _tried(act: Callable[[], _T]) -> _T:
    try:
        return act()
    except InvalidWish as error:
        fault = Fault(error.field, error.detail, "invalid")
        raise Problem(INVALID_BODY, f"Wrong: {error.field}.", [fault]) from error


def _unknown() -> Problem:
    return Problem(UNKNOWN_SUBSCRIPTION, "There is no subscription with this id that this token reaches.")
