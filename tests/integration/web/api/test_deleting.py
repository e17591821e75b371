"""Deleting a project, over the API."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from app.installation.deleting import Deleting
from app.metrics.stored import StoredMetrics
from app.store import keys
from app.web.api import deleting
from tests.integration.installation.planting import everything, planted
from tests.integration.web.api.relay import Relay, problem
from tests.integration.web.services import SHOP

FORMER = "4711"


@pytest.fixture(autouse=True)
def _admin(relay: Relay) -> None:
    relay.authorization = relay.token("admin")


def delete(relay: Relay, project_id: str, query: str = "") -> TestResponse:
    headers = {"Authorization": relay.authorization}
    return relay.call("DELETE", f"/projects/{project_id}{query}", headers=headers)


def done(answer: TestResponse) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return dict(answer.get_json())


def test_a_dry_run_counts_and_changes_nothing(relay: Relay) -> None:
    mine = planted(relay.services.redis, FORMER)
    before = everything(relay.services.redis)
    told = done(delete(relay, FORMER, "?dry_run=true"))
    assert (told["state"], told["keys"]) == ("counted", len(mine))
    after = everything(relay.services.redis)
    assert {key for key in after if FORMER.encode() in key} == mine
    assert {key: after[key] for key in mine} == {key: before[key] for key in mine}


def test_a_project_that_is_not_configured_is_deleted_and_then_unknown(relay: Relay) -> None:
    mine = planted(relay.services.redis, FORMER)
    others = planted(relay.services.redis, SHOP)
    relay.token("read", project_id=FORMER)
    told = done(delete(relay, FORMER))
    assert (told["state"], told["keys"], told["tokens"]) == ("deleted", len(mine), 1)
    left = set(relay.services.redis.scan_iter("*"))
    assert not left & mine
    assert others <= left
    problem(delete(relay, FORMER), 404, "unknown_project")
    (entry, *_), _ = relay.services.audit.page()
    assert entry.entry.resources["project_id"] == FORMER


def test_one_that_is_configured_only_if_that_is_said(relay: Relay) -> None:
    planted(relay.services.redis, SHOP)
    problem(delete(relay, SHOP), 409, "project_configured")
    assert relay.services.redis.exists(keys.trust(SHOP))
    assert done(delete(relay, SHOP, "?although_configured=true"))["state"] == "deleted"
    assert not relay.services.redis.exists(keys.trust(SHOP))
    assert done(delete(relay, SHOP, "?although_configured=true"))["keys"] == 0
    assert not relay.services.redis.exists(keys.leaving(SHOP))


def test_a_call_ends_in_time_and_the_next_goes_on(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = planted(relay.services.redis, FORMER)
    monkeypatch.setattr(deleting, "SLICE_S", -1.0)
    assert done(delete(relay, FORMER))["state"] == "deleting"
    monkeypatch.undo()
    told = done(delete(relay, FORMER))
    assert (told["state"], told["keys"]) == ("deleted", len(mine))


def test_while_it_is_deleted_what_is_handed_in_is_answered_503(relay: Relay) -> None:
    services = relay.services
    next(Deleting(services.redis, services.tokens, StoredMetrics(services.redis)).run(SHOP, "somebody"))
    event = {"event": "a", "properties": {"distinct_id": "u", "time": 1_700_000_000, "$insert_id": "i"}}
    answer = relay.post("events", [event])
    problem(answer, 503, "store_unavailable")
    assert answer.headers["Retry-After"]


@pytest.mark.parametrize("project_id", ["*", "%2A", "audit", "[0-9]", "nobody"])
def test_what_is_no_project_is_unknown(relay: Relay, project_id: str) -> None:
    planted(relay.services.redis, SHOP)
    problem(delete(relay, project_id, "?although_configured=true"), 404, "unknown_project")
    assert relay.services.redis.exists(keys.trust(SHOP))


def test_it_takes_the_scope_admin_and_a_token_that_reaches_the_project(relay: Relay) -> None:
    planted(relay.services.redis, FORMER)
    relay.authorization = relay.token("operate", "read", "ingest")
    problem(delete(relay, FORMER), 403, "scope_missing")
    relay.authorization = relay.token("admin", project_id=SHOP)
    problem(delete(relay, FORMER), 404, "unknown_project")
    assert relay.services.redis.exists(keys.trust(FORMER))
