"""Erasures over the API: asked for, shown, listed; whom a token reaches; what is written of them."""

from typing import Any
from urllib.parse import quote

import pytest
from redis import Redis
from werkzeug.test import TestResponse

from app.store import keys
from tests.integration.web.api.relay import Relay, problem
from tests.integration.web.services import BLOG, SHOP

ANN = "ann/with slash@example.com"


def erase(relay: Relay, distinct_id: str = ANN, query: str = "", project_id: str = SHOP) -> TestResponse:
    headers = {"Authorization": relay.token("operate")}
    return relay.call(
        "DELETE", f"/projects/{project_id}/people/{quote(distinct_id, safe='')}{query}", headers=headers
    )


def test_an_erasure_is_taken_in_and_shown_without_the_person(relay: Relay, redis_client: Redis) -> None:
    answer = erase(relay)
    assert answer.status_code == 202
    told = answer.get_json()
    assert (told["state"], told["ids"], told["mixpanel"]["state"]) == ("asked", 1, "not_asked")
    assert answer.headers["Location"] == f"/api/v1/erasures/{told['id']}"
    assert erase(relay).get_json()["id"] == told["id"]
    reading = {"Authorization": relay.token("read")}
    shown = relay.call("GET", f"/erasures/{told['id']}", headers=reading)
    assert shown.get_json() == told
    listed = relay.call("GET", f"/projects/{SHOP}/erasures", headers=reading).get_json()
    assert listed == {"erasures": [told], "next_cursor": None}
    assert "ann" not in shown.text
    found: Any = redis_client.xrevrange(keys.audit("changes"), count=2)
    for _, stored in found:
        assert b"ann" not in stored[b"entry"]
        assert b"hmac:" in stored[b"entry"]


def test_without_an_oauth_token_mixpanel_is_not_asked(relay: Relay) -> None:
    problem(erase(relay, query="?mixpanel=true"), 409, "no_deletion_access")
    assert erase(relay, query="?mixpanel=maybe").status_code == 422


@pytest.mark.parametrize("erasure_id", ["1001-99", "nothing", "9-1"])
def test_what_is_not_there_is_not_found(relay: Relay, erasure_id: str) -> None:
    answer = relay.call("GET", f"/erasures/{erasure_id}", headers={"Authorization": relay.token("read")})
    problem(answer, 404, "unknown_erasure")


def test_another_projects_erasure_is_as_good_as_none(relay: Relay) -> None:
    told = erase(relay, project_id=BLOG).get_json()
    headers = {"Authorization": relay.token("read", project_id=SHOP)}
    problem(relay.call("GET", f"/erasures/{told['id']}", headers=headers), 404, "unknown_erasure")


def test_it_needs_the_scope_operate(relay: Relay) -> None:
    headers = {"Authorization": relay.token("read", "ingest")}
    problem(relay.call("DELETE", f"/projects/{SHOP}/people/a", headers=headers), 403, "scope_missing")
