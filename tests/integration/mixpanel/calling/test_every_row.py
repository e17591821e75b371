"""Every row of the catalog, called at the sandbox; what goes out is compared with what is published."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote

import orjson
import pytest
import redis
from flask import Flask, request
from werkzeug.serving import make_server

from app.mixpanel.calling.api import MixpanelApi
from app.mixpanel.calling.failures import CallFailed
from app.mixpanel.calling.results import Result
from app.mixpanel.catalog.catalog import CATALOG
from app.mixpanel.catalog.row import Endpoint, Parameter
from app.sandbox.application import create_sandbox
from app.sandbox.config import Limits, SandboxConfig
from app.sandbox.machine import machine_of
from config.projects import Hosts, Project, ServiceAccount
from config.secret import Secret
from tests.integration.mixpanel.calling.conftest import World
from tests.integration.mixpanel.calling.unpublished import LEGACY, PIPELINES, Arguments
from tests.integration.sandbox.openapi.call import Published
from tests.integration.sandbox.openapi.calls import DAYS, FAMILIES
from tests.integration.sandbox.openapi.published import meant, operations

MANY = 100_000
BASES = {
    "ingestion": "",
    "query": "/api/query",
    "export": "/api/2.0",
    "pipelines": "/api/2.0",
    "app": "/api/app",
    "legacy": "/api/2.0",
}
Row = tuple[str, str]
# What a description says that cannot be meant, by operation and the beginning of the fault.
DEPARTURES = (
    ("engage-query", "$.behaviors"),  # a number, though selectors of events go there
    ("profile-batch-update", "$: "),  # a text, though the prose says an array of updates
    ("group-batch-update", "$: "),
    ("group-union", "$[0]: '$unset'"),  # another operation's field is required
    ("delete-group", "$[0]: '$set'"),
)


@contextmanager
def serving(app: Flask) -> Iterator[str]:
    """Serve an app on a free port; give the URL."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass
class Recorded:
    """Requests as they arrived: path, query string, type and body."""

    requests: list[tuple[str, dict[str, str], str, Any]] = field(default_factory=list)

    def take(self) -> None:
        body: Any = request.get_data(cache=True) or None
        if body is not None and request.mimetype == "application/json":
            body = orjson.loads(body)
        elif body is not None and request.mimetype == "application/x-www-form-urlencoded":
            body = request.form.to_dict()
        self.requests.append((request.path, request.args.to_dict(), request.mimetype, body))


@dataclass
class Setting:
    """A client of a sandbox."""

    api: MixpanelApi
    redis: redis.Redis
    project: Project
    recorded: Recorded
    called: set[Row] = field(default_factory=set)

    def call(self, row: Row, arguments: Arguments, body: Any = None) -> Result:
        """Call one row; what it may be called how often is another test's."""
        self.redis.flushdb()
        self.called.add(row)
        return self.api.call(self.project, *row, arguments, body=body)


@pytest.fixture
def setting(world: World) -> Iterator[Setting]:
    limits = Limits(
        queries_an_hour=MANY,
        queries_a_second=MANY,
        exports_a_second=MANY,
        lexicon_a_minute=MANY,
        gdpr_a_second=MANY,
    )
    app, recorded = (
        create_sandbox(SandboxConfig(profiles=20, limits=limits, id_management="original")),
        Recorded(),
    )
    app.before_request(recorded.take)
    with serving(app) as url:
        project = replace(
            world.project,
            token=Secret("sandbox-token"),
            service_account=ServiceAccount("sandbox-account", Secret("sandbox-secret")),
            oauth_token=Secret("sandbox-oauth-token"),
            api_key=Secret("sandbox-api-key"),
            project_secret=Secret("sandbox-project-secret"),
            hosts=Hosts(**{name: url + base for name, base in BASES.items()}),
        )
        yield Setting(world.api(), world.redis, project, recorded)
    machine_of(app).close()


def test_every_row_is_answered_and_what_it_sends_is_as_published(setting: Setting) -> None:
    for calls in FAMILIES.values():
        known: Arguments = {}
        for published in calls():
            if published.status < 300:
                _call_published(setting, published, known)
    _call_pipelines(setting)
    for name, arguments in LEGACY.items():
        assert setting.call(("legacy", name), arguments).status == 200
    merge = {"event": "$merge", "properties": {"$distinct_ids": ["a", "b"], "token": "sandbox-token"}}
    assert setting.call(("identity", "merge"), {}, [merge]).json()["num_records_imported"] == 1
    _compare(setting, "identity-merge")
    assert setting.called == set(CATALOG)


def _call_published(setting: Setting, published: Published, known: Arguments) -> None:
    name = next(name for name, row in CATALOG.items() if row.operation == published.operation)
    arguments, body = _arguments(CATALOG[name], published.path.format(**known), published)
    if published.none:
        with pytest.raises(CallFailed) as failed:
            setting.call(name, arguments, body)
        assert failed.value.status == published.status
        return
    result = setting.call(name, arguments, body)
    assert result.status == published.status, name
    _compare(setting, published.operation)
    if published.keeps is not None:
        found = result.json()
        for step in published.keeps[1]:
            found = found[step]
        known[published.keeps[0]] = found


def _call_pipelines(setting: Setting) -> None:
    for kind, fields in PIPELINES.items():
        made = setting.call(
            ("pipelines", f"create-{kind}"), {"from_date": DAYS["from_date"], **fields}
        ).json()
        _compare(setting, "create-warehouse-pipeline")
        edited = {"name": made["pipeline_names"][0], "events": ["Signed up"]}
        assert setting.call(("pipelines", f"edit-{kind}"), edited).status == 200


def _compare(setting: Setting, operation: str) -> None:
    described = operations()[operation]
    _, query, mimetype, body = setting.recorded.requests[-1]
    if isinstance(body, dict) and mimetype == "application/x-www-form-urlencoded":
        body = _typed_form(described.bodies[mimetype], body)
    known = [begin for name, begin in DEPARTURES if name == operation]
    faults = [
        one for one in described.request_faults(query, mimetype, body) if not one.startswith(tuple(known))
    ]
    assert faults == [], operation


def _typed_form(schema: Any, body: dict[str, str]) -> Arguments:
    """Return a form's fields as what they stand for."""
    kinds: dict[str, Any] = {}
    for variant in schema.get("anyOf", [schema]):
        if variant.get("properties", {}).get("type", {}).get("default", body.get("type")) == body.get("type"):
            kinds |= variant.get("properties", {})
    return {name: meant(kinds.get(name, {}), value) for name, value in body.items()}


def _arguments(row: Endpoint, path: str, published: Published) -> tuple[Arguments, Any]:
    """Return what a published call says in the catalog's words: its arguments, and its body or None."""
    whole = re.escape(BASES[row.host] + row.path.split("#")[0])
    template = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", whole)
    match = re.fullmatch(template, path)
    assert match is not None, path
    said: Arguments = {name: unquote(value) for name, value in match.groupdict().items()}
    data, sent = published.said.get("data"), published.said.get("json")
    said |= published.said.get("query", {})
    said |= data if isinstance(data, dict) else {}
    said |= sent if isinstance(sent, dict) else {}
    body = sent if isinstance(sent, list) else data.decode() if isinstance(data, bytes) else None
    known = {one.name: one for one in row.parameters}
    return {name: _meant(known[name], one) if name in known else one for name, one in said.items()}, body


def _meant(parameter: Parameter, said: Any) -> Any:
    if not isinstance(said, str):
        return said
    if parameter.encoded or parameter.type in {"array", "object"}:
        return orjson.loads(said) if said[:1] in {"[", "{"} else [said]
    return meant({"type": parameter.type}, said)
