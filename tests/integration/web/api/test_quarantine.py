"""What could not be applied, over the API."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.integration.dead_letters.test_ageing import FIELDS, put_member, put_page
from tests.integration.web.api.relay import Relay, fault, problem
from tests.integration.web.services import SHOP


@pytest.fixture(autouse=True)
def _operator(relay: Relay) -> None:
    relay.authorization = relay.token("operate")


def get(relay: Relay, path: str) -> TestResponse:
    return relay.call("GET", f"/projects/{SHOP}/{path}", headers={"Authorization": relay.authorization})


def done(answer: TestResponse) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return dict(answer.get_json())


def test_members_are_listed_page_by_page_and_thrown_away(relay: Relay) -> None:
    for number in range(5):
        put_member(relay.services.redis, number, cohort_id=str(number % 2))
    first = done(get(relay, "quarantine/members?limit=3"))
    assert [member["index"] for member in first["members"]] == [0, 1, 2]
    assert first["members"][0]["reason"] == "distinct_id_missing"
    second = done(get(relay, f"quarantine/members?limit=3&cursor={first['next_cursor']}"))
    assert [member["index"] for member in second["members"]] == [3, 4]
    assert second["next_cursor"] is None
    assert done(relay.post("quarantine/members/discards", {"cohort_id": "1", "dry_run": True})) == {
        "dry_run": True,
        "discarded": 2,
    }
    assert done(relay.post("quarantine/members/discards", {"cohort_id": "1"}))["discarded"] == 2
    assert len(done(get(relay, "quarantine/members"))["members"]) == 3
    assert done(get(relay, "quarantine/members?reason=another"))["members"] == []


def test_pages_are_listed_without_their_bodies_and_thrown_away(relay: Relay) -> None:
    put_page(relay.services.redis, 1000, **FIELDS)
    answer = get(relay, "quarantine/pages?cohort_id=7")
    (page,) = done(answer)["pages"]
    assert (page["time_ms"], page["session_id"], page["size_bytes"]) == (1000, "s", 1000)
    assert "xxx" not in answer.text
    assert done(relay.post("quarantine/pages/discards", {"newer_than": "1d"}))["discarded"] == 0
    assert done(relay.post("quarantine/pages/discards", {"all": True}))["discarded"] == 1
    assert done(get(relay, "quarantine/pages"))["pages"] == []


@pytest.mark.parametrize("kind", ["members", "pages"])
def test_what_is_meant_must_be_said(relay: Relay, kind: str) -> None:
    assert fault(relay.post(f"quarantine/{kind}/discards", {}), 400, "invalid_body")["field"] == "all"
    wrong = relay.post(f"quarantine/{kind}/discards", {"older_than": "soon"})
    assert fault(wrong, 400, "invalid_body")["field"] == "older_than"
    assert fault(get(relay, f"quarantine/{kind}?x=1"), 422, "invalid_query")["field"] == "x"
    relay.authorization = relay.token("read")
    problem(relay.post(f"quarantine/{kind}/discards", {"all": True}), 403, "scope_missing")
