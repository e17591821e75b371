"""The whole web application over a real Redis with something of everything, and what its document says."""

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, cast

import orjson
from flask import Flask
from openapi_schema_validator import OAS30Validator
from werkzeug.test import TestResponse

from app import create_app
from app.access.scopes import Scope
from app.cohorts.pages import parse
from app.services import Services, build_services
from app.store import keys
from app.web.api import PREFIX
from config.projects import Projects, ServiceAccount
from config.secret import Secret
from tests.integration.dead_letters.letters import event, group, profile
from tests.integration.web.api.relay import JSON, NDJSON, PROBLEM
from tests.integration.web.services import BLOG, SHOP, page, project, settings

STREAM: Final = "text/event-stream"
COHORT, PERSON = "7", "person-1"
NOWHERE: Final = "http://127.0.0.1:1"
_FAMILIES: Final = ("ingestion", "query", "export", "pipelines", "app", "legacy")
OF_A_PROJECT: Final = {"project"}
"""Parameters of queries that say which project is meant."""
LETTERS: Final = 30
RECORDS: Final = (("events", event()), ("groups-outbox", group()), ("profiles", profile()))


@dataclass(frozen=True)
class Operation:
    """One operation of the document.

    Attributes:
        method: of HTTP, in capitals.
        path: below the prefix, with placeholders.
        told: OpenAPI's operation object.
        shared: parameters of the whole path.
    """

    method: str
    path: str
    told: Mapping[str, Any]
    shared: tuple[Mapping[str, Any], ...] = ()

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def scope(self) -> Scope:
        return cast("Scope", self.told["x-scope"])

    @property
    def placeholders(self) -> list[str]:
        return re.findall(r"{(\w+)}", self.path)

    def parameters(self, where: str) -> list[Mapping[str, Any]]:
        told = (*self.shared, *self.told.get("parameters", ()))
        return [each for each in told if each["in"] == where]

    def bodies(self) -> Mapping[str, Any]:
        """Return the schema of each media type that the body may have."""
        content = self.told.get("requestBody", {}).get("content", {})
        return {kind: each["schema"] for kind, each in content.items()}


@dataclass
class Whole:
    """The application, its services, and the ids of what there is."""

    services: Services
    known: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.app: Flask = create_app(self.services)
        self.document: dict[str, Any] = self.app.test_client().get(f"{PREFIX}/openapi.json").get_json()
        self.admin = self.token("admin")

    def token(self, *scopes: Scope, project_id: str | None = None, expires_ms: int | None = None) -> str:
        """Make a token and return the header's value."""
        now_ms = time.time_ns() // 1_000_000
        _, text = self.services.tokens.create(
            "a test", scopes, now_ms, project_id=project_id, expires_ms=expires_ms
        )
        return f"Bearer {text.reveal()}"

    def operations(self) -> Iterator[Operation]:
        """Yield every operation of the document."""
        for path, found in sorted(self.document["paths"].items()):
            shared = tuple(found.get("parameters", ()))
            for method, told in sorted(found.items()):
                if method != "parameters":
                    yield Operation(method.upper(), path.removeprefix(PREFIX), told, shared)

    def address(self, operation: Operation, *query: str, **changes: str) -> str:
        """Return the operation's address about what there is.

        Args:
            operation: which.
            query: parts of it.
            changes: for placeholders. One of a name that is new here gets an id of nothing.
        """
        path = operation.path
        for name in operation.placeholders:
            path = path.replace(f"{{{name}}}", changes.get(name, self.known.get(name, "nothing-7")))
        given = {part.partition("=")[0] for part in query}
        named = {each["name"] for each in operation.parameters("query")} & OF_A_PROJECT
        asked = "&".join((*(f"{name}={SHOP}" for name in sorted(named - given)), *query))
        return f"{path}?{asked}" if asked else path

    def filled(self, operation: Operation) -> bool:
        """Say whether there is something at the operation's address; what is new here has no ids yet."""
        return set(operation.placeholders) <= self.known.keys()

    def call(
        self,
        operation: Operation,
        authorization: str | None,
        *,
        path: str | None = None,
        body: bytes | None = None,
        content_type: str = JSON,
        headers: Mapping[str, str] | None = None,
    ) -> TestResponse:
        """Send a request and hold its answer against the document."""
        if body is None and operation.bodies():
            body = b"{}"
        sent = dict(headers or {})
        if authorization is not None:
            sent["Authorization"] = authorization
        if body is not None:
            sent["Content-Type"] = content_type
        answer = self.app.test_client().open(
            f"{PREFIX}{path or self.address(operation)}", method=operation.method, data=body, headers=sent
        )
        self.check(operation, answer)
        return answer

    def check(self, operation: Operation, answer: TestResponse) -> None:
        """Assert that the document says of this answer all that it is."""
        status = str(answer.status_code)
        responses = operation.told["responses"]
        assert answer.status_code < 500, answer.text
        assert status in responses, f"{status} is not documented: {answer.text[:300]}"
        told = responses[status]
        assert answer.mimetype in told["content"], answer.mimetype
        if answer.mimetype == STREAM:
            answer.close()
        if answer.mimetype in (NDJSON, STREAM):
            return
        schema = told["content"][answer.mimetype]["schema"]
        validator = OAS30Validator({**schema, "components": self.document["components"]})
        wrong = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(answer.get_json())]
        assert not wrong, f"{status} is not as documented: {'; '.join(wrong)[:500]}"
        if answer.mimetype == PROBLEM:
            code = answer.get_json()["code"]
            assert f"`{code}`" in told["description"], f"{code} is not documented under {status}"


def build(redis_url: str) -> Whole:
    """Make the application over this Redis, and put something of everything into it."""
    hosts = dict.fromkeys(_FAMILIES, NOWHERE)
    account = ServiceAccount("account", Secret("secret"))
    projects = [
        replace(each, hosts=each.hosts.overridden(hosts), service_account=account)
        for each in (project(SHOP, "shop"), project(BLOG, "blog"))
    ]
    services = build_services(
        settings(
            redis_url, projects=Projects(projects), failed_login_limit=1_000_000, max_body_bytes=1_000_000
        )
    )
    whole = Whole(services)
    _apply_a_page(services)
    letter_id = _give_up_some(services)
    _set_some_aside(services)
    resync = _ask_for_a_resync(whole)
    whole.known.update(
        project_id=SHOP,
        cohort_id=COHORT,
        distinct_id=PERSON,
        letter_id=letter_id,
        entry_id=_an_id(services),
        resync_id=resync,
        destination="profiles",
    )
    return whole


def _apply_a_page(services: Services) -> None:
    members = [{"mixpanel_distinct_id": PERSON}, {"mixpanel_distinct_id": "person-2"}, {"email": "nobody"}]
    body = page(members=members)
    services.inbox.accept(parse(body).head, body)
    wake = int(cast("bytes", services.redis.hget(keys.lane(SHOP, "apply"), "wake")))
    held = services.lanes.start(SHOP, "apply", wake)
    assert held
    ended = services.runners["apply"].run(held, services.settings.projects[SHOP], time.monotonic() + 5)
    services.lanes.finish(held, ended)


def _give_up_some(services: Services) -> str:
    """Write dead letters of each destination; return the id of one that can be sent again."""
    added = b""
    for number in range(LETTERS):
        name, record = RECORDS[number % len(RECORDS)]
        fields: dict[Any, Any] = {
            "destination": name,
            "time_ms": 1_700_000_000_000 + number,
            "code": ("refused", "outcome_unknown")[number % 2],
            "reason": "a reason",
            "response": "{}",
            "record": orjson.dumps(record),
        }
        added = cast("bytes", services.redis.xadd(keys.dead_letters(SHOP), fields))
    return added.decode()


def _set_some_aside(services: Services) -> None:
    entry: dict[Any, Any] = {"cohort_id": COHORT, "session_id": "s", "action": "members", "page": 1}
    entry |= {"body": b"x" * 100, "at_ms": 1_700_000_000_000}
    services.redis.xadd(keys.set_aside(SHOP), entry, id=_an_id(services))
    services.redis.hincrby(keys.quarantine_counts(SHOP), "pages", 1)


def _an_id(services: Services) -> str:
    """Return an id in quarantine: that of a member, and of the page that is set aside, too."""
    return services.quarantine.members(SHOP)[0][0].id


def _ask_for_a_resync(whole: Whole) -> str:
    answer = whole.app.test_client().post(
        f"{PREFIX}/projects/{SHOP}/cohorts/{COHORT}/resyncs",
        json={"mode": "reconcile", "dry_run": True},
        headers={"Authorization": whole.admin},
    )
    assert answer.status_code == 202, answer.text
    return str(answer.get_json()["id"])
