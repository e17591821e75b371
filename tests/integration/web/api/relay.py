"""The API over a real Redis, as a service calls it; every answer is held against the OpenAPI document."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import orjson
from flask import Flask
from openapi_schema_validator import OAS30Validator
from redis import Redis
from werkzeug.test import TestResponse

from app.access.audit import Audit
from app.access.failed_logins import FailedLogins
from app.access.scopes import Scope
from app.access.tokens import Tokens
from app.cohorts.changelog import ChangeLog
from app.cohorts.consumers import Consumers
from app.cohorts.groups import ConsumerGroups
from app.cohorts.holding import Holding, Limits
from app.cohorts.inbox import Inbox
from app.cohorts.quarantine import Quarantine
from app.cohorts.registry import Cohorts
from app.cohorts.sessions import Sessions
from app.cohorts.walking import Walk
from app.cohorts.why import Whys
from app.destinations.dead_letters import DeadLetters
from app.destinations.dead_letters.redriving import Redriver
from app.destinations.identity.ledger import Ledger
from app.destinations.identity.pending import PendingLinks
from app.destinations.moving.cursors import Cursors
from app.destinations.operating import Operating
from app.destinations.outbox import Outboxes
from app.destinations.remaining import Standings
from app.destinations.status import DestinationStatuses
from app.erasure.erasures import Erasures
from app.feed.encoding import Encoder
from app.feed.reading import Feed
from app.lanes.lanes import Lanes
from app.lanes.queue import LaneQueue
from app.lanes.work import OutboxName, profiles_only
from app.metrics.recorder import Recorder
from app.resync.audit.findings import Findings
from app.resync.copies import Copies
from app.resync.estimate import Estimates
from app.resync.resyncs import Resyncs
from app.resync.rule_changes import RuleChanges
from app.subscriptions.addresses import AddressPolicy
from app.subscriptions.desk import Desk
from app.subscriptions.posting import Poster
from app.subscriptions.subscriptions import Subscriptions
from app.web.api import PREFIX
from app.web.ports import Outboxes as OutboxesPort
from config.settings import Settings
from tests.integration.web.services import SHOP, FakeEstimates, FakeHeartbeats, FakeInbox
from tests.integration.web.shared_apps import shared_app

NOW_MS = 1_800_000_000_000
LIMITS = Limits(entries=20, bytes=1_000_000, age_s=86_400.0)
JSON, NDJSON, PROBLEM = "application/json", "application/x-ndjson", "application/problem+json"


@dataclass
class ApiServices:
    """What the API needs: tokens and outboxes in a real Redis."""

    settings: Settings
    redis: Redis
    tokens: Tokens
    failed_logins: FailedLogins
    audit: Audit
    desk: Desk
    feed: Feed
    encoder: Encoder
    consumers: Consumers
    cohorts: Cohorts
    walk: Walk
    sessions: Sessions
    whys: Whys
    outboxes: OutboxesPort
    links: Ledger
    dead_letters: DeadLetters
    redriver: Redriver
    quarantine: Quarantine
    pending_links: PendingLinks
    resyncs: Resyncs
    rule_changes: RuleChanges
    erasures: Erasures
    copies: Copies
    query: Estimates
    operating: Operating
    cursors: Cursors
    standings: Standings
    inbox: FakeInbox = field(default_factory=FakeInbox)
    recorder: Recorder = field(default_factory=Recorder)
    heartbeats: FakeHeartbeats = field(default_factory=FakeHeartbeats)


def desk_of(redis: Redis, settings: Settings) -> Desk:
    """Make the desk of subscriptions; loopback alone may be called."""
    poster = Poster(AddressPolicy(settings.subscriber_networks), timeout_s=2)
    return Desk(
        settings,
        redis,
        Subscriptions(redis),
        feed=Feed(redis),
        encoder=Encoder("https://relay.example.com"),
        poster=poster,
    )


def services(redis: Redis, settings: Settings) -> ApiServices:
    """Make them."""
    lanes = Lanes(redis, LaneQueue(redis), settings.lease_s)
    outboxes = Outboxes(redis, lanes, settings.outbox_cap_bytes)
    changelog = ChangeLog(redis, lanes, settings.log_keep_entries)
    pending = PendingLinks(redis, outboxes)
    letters, sessions = DeadLetters(redis), Sessions(redis)
    consumer_groups = ConsumerGroups(redis)
    return ApiServices(
        settings,
        redis,
        tokens=Tokens(redis),
        failed_logins=FailedLogins(redis, settings.failed_login_limit),
        audit=Audit(redis, settings.audit_cap),
        desk=desk_of(redis, settings),
        feed=Feed(redis),
        encoder=Encoder("https://relay.example.com"),
        consumers=Consumers(redis, consumer_groups, Holding(redis, (consumer_groups,), LIMITS)),
        cohorts=Cohorts(redis),
        walk=Walk(redis),
        sessions=sessions,
        whys=Whys(redis, sessions),
        outboxes=outboxes,
        links=Ledger(redis),
        pending_links=pending,
        dead_letters=letters,
        redriver=Redriver(redis, lanes, letters, settings.outbox_cap_bytes),
        quarantine=Quarantine(redis),
        resyncs=Resyncs(redis, lanes, Cohorts(redis)),
        rule_changes=RuleChanges(redis, lanes),
        erasures=Erasures(redis, lanes, Ledger(redis), settings.erasure_suppression_h),
        copies=Copies(redis, lanes, Findings(redis, lanes, profiles_only), 3_900.0),
        query=FakeEstimates(),
        operating=Operating(redis, lanes),
        cursors=Cursors(redis, lanes, changelog, outboxes, pending),
        standings=Standings(
            redis,
            Inbox(redis, lanes, 1_000, 2_000),
            outboxes,
            DestinationStatuses(redis, changelog, outboxes),
        ),
    )


class Relay:
    """A relay's API, and a service that has a token which may hand things in."""

    def __init__(self, made: ApiServices) -> None:
        self.services = made
        self.app: Flask = shared_app(made)
        self.document = _document(self.app)
        self.authorization = self.token("ingest")

    def token(self, *scopes: Scope, project_id: str | None = None, expires_ms: int | None = None) -> str:
        """Make a token and return the header's value."""
        _, text = self.services.tokens.create(
            "a test", scopes, NOW_MS, project_id=project_id, expires_ms=expires_ms
        )
        return f"Bearer {text.reveal()}"

    def call(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> TestResponse:
        """Send a request, and hold its answer against the document."""
        answer = self.app.test_client().open(
            f"{PREFIX}{path}", method=method, data=body, headers=dict(headers or {}), **more
        )
        self._check(method, path.partition("?")[0], answer)
        return answer

    def post(
        self,
        name: str,
        body: Any,
        *,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> TestResponse:
        """Hand something in: bytes as they are, anything else as JSON."""
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()  # however deep
        usual = {"Authorization": self.authorization, "Content-Type": JSON}
        keyed = {} if key is None else {"Idempotency-Key": key}
        project_id = more.pop("project_id", SHOP)
        path = f"/projects/{project_id}/{name}{more.pop('query', '')}"
        return self.call("POST", path, sent, {**usual, **keyed, **(headers or {})}, **more)

    def kept(self, name: OutboxName, project_id: str = SHOP) -> list[list[dict[str, Any]]]:
        """Return what an outbox holds: a list a submission."""
        outboxes = self.services.outboxes
        assert isinstance(outboxes, Outboxes)
        found = outboxes.read(project_id, name, 0, 1_000_000)
        return [[orjson.loads(record) for record in submission.records] for submission in found]

    def routes(self) -> Iterable[tuple[str, str, Scope]]:
        """Yield method, rule and scope of every route that needs a token."""
        for rule in self.app.url_map.iter_rules():
            scope: Scope | None = getattr(self.app.view_functions[rule.endpoint], "scope", None)
            if scope is not None:
                for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                    yield method, rule.rule, scope

    def _check(self, method: str, path: str, answer: TestResponse) -> None:
        operation = self._operation(method, path)
        if operation is None:
            return
        told = operation["responses"][str(answer.status_code)]
        schema = told["content"][answer.mimetype]["schema"]
        if answer.mimetype == NDJSON:
            return
        OAS30Validator({**schema, "components": self.document["components"]}).validate(answer.get_json())
        assert set(told.get("headers", {})) - {"Idempotency-Replayed", "WWW-Authenticate"} <= set(
            answer.headers.keys()
        )

    def _operation(self, method: str, path: str) -> dict[str, Any] | None:
        for known, operations in self.document["paths"].items():
            if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", known), f"{PREFIX}{path}"):
                found: dict[str, Any] | None = operations.get(method.lower())
                return found
        return None


@cache
def _document(app: Flask) -> dict[str, Any]:
    found: dict[str, Any] = app.test_client().get(f"{PREFIX}/openapi.json").get_json()
    return found


def problem(answer: TestResponse, status: int, code: str) -> dict[str, Any]:
    """Assert that an answer is a problem, whole and of this kind, and return it."""
    told: dict[str, Any] = answer.get_json()
    assert (answer.status_code, told.get("status"), told.get("code")) == (status, status, code), told
    assert answer.mimetype == PROBLEM
    assert told["type"] == f"{PREFIX}/problems/{code}"
    assert told["title"]
    assert told["detail"]
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", told["instance"])
    return told


def fault(answer: TestResponse, status: int, code: str) -> dict[str, Any]:
    """Assert that a problem names one fault, and return that."""
    (found,) = problem(answer, status, code)["errors"]
    assert found["detail"]
    return dict(found)
