"""What could not be applied, over the API."""

from typing import Any

import orjson
import pytest
from werkzeug.test import TestResponse

from tests.integration.dead_letters.test_ageing import FIELDS, put_member, put_page
from tests.integration.web.api.relay import NDJSON, Relay, fault, problem
from tests.integration.web.services import SHOP


@pytest.fixture(autouse=True)
def _operator(relay: Relay) -> None:
    relay.authorization = relay.token("operate")


PAGE: dict[str, Any] = {
    "action": "members",
    "parameters": {
        "mixpanel_cohort_id": "7",
        "mixpanel_cohort_name": "VIP",
        "members": [{"mixpanel_distinct_id": "ada@example.com", "$city": "London", "age": 36}],
    },
}


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
    assert done(relay.post("quarantine-member-discards", {"cohort_id": "1", "dry_run": True})) == {
        "dry_run": True,
        "discarded": 2,
    }
    assert done(relay.post("quarantine-member-discards", {"cohort_id": "1"}))["discarded"] == 2
    assert len(done(get(relay, "quarantine/members"))["members"]) == 3
    assert done(get(relay, "quarantine/members?reason=another"))["members"] == []


def test_pages_are_listed_without_their_bodies_and_thrown_away(relay: Relay) -> None:
    put_page(relay.services.redis, 1000, **FIELDS)
    answer = get(relay, "quarantine/pages?cohort_id=7")
    (page,) = done(answer)["pages"]
    assert (page["time_ms"], page["session_id"], page["size_bytes"]) == (1000, "s", 1000)
    assert "xxx" not in answer.text
    assert done(relay.post("quarantine-page-discards", {"newer_than": "1d"}))["discarded"] == 0
    assert done(relay.post("quarantine-page-discards", {"all": True}))["discarded"] == 1
    assert done(get(relay, "quarantine/pages"))["pages"] == []


@pytest.mark.parametrize("kind", ["member", "page"])
def test_what_is_meant_must_be_said(relay: Relay, kind: str) -> None:
    assert fault(relay.post(f"quarantine-{kind}-discards", {}), 400, "invalid_body")["field"] == "all"
    wrong = relay.post(f"quarantine-{kind}-discards", {"older_than": "soon"})
    assert fault(wrong, 400, "invalid_body")["field"] == "older_than"
    assert fault(get(relay, f"quarantine/{kind}s?x=1"), 422, "invalid_query")["field"] == "x"
    relay.authorization = relay.token("read")
    problem(relay.post(f"quarantine-{kind}-discards", {"all": True}), 403, "scope_missing")


def test_pages_follow_the_cursor_to_the_end(relay: Relay) -> None:
    for number in range(1, 8):
        put_page(relay.services.redis, number, **{**FIELDS, "cohort_id": str(number % 2)})
    found: list[int] = []
    cursor = ""
    while True:
        told = done(get(relay, f"quarantine/pages?limit=2&cohort_id=1{cursor}"))
        assert len(told["pages"]) <= 2
        found += [page["time_ms"] for page in told["pages"]]
        if told["next_cursor"] is None:
            break
        cursor = f"&cursor={told['next_cursor']}"
    assert found == [1, 3, 5, 7]


def test_a_page_is_shown_with_the_form_of_its_people_and_with_them_only_where_the_audit_log_tells_of_it(
    relay: Relay,
) -> None:
    put_page(
        relay.services.redis, 1000, **{**FIELDS, "body": orjson.dumps(PAGE), "reason": "KeyError at x.py:1"}
    )
    answer = get(relay, "quarantine/pages/1000-1")
    told = done(answer)
    assert (told["id"], told["cohort_id"], told["reason"]) == ("1000-1", "7", "KeyError at x.py:1")
    assert told["body"]["parameters"]["mixpanel_cohort_name"] == "VIP"
    assert told["body"]["parameters"]["members"] == [
        {"mixpanel_distinct_id": "string(15)", "$city": "string(6)", "age": "number"}
    ]
    assert relay.services.audit.page()[0] == []
    assert done(get(relay, "quarantine/pages/1000-1?people=true"))["body"] == PAGE
    ((written,), _) = relay.services.audit.page()
    assert written.entry.action.startswith("GET /api/v1/projects/")
    assert (written.entry.outcome, written.entry.resources) == (
        "shown",
        {"project_id": SHOP, "entry_id": "1000-1"},
    )


def test_a_member_is_shown_and_what_is_not_there_is_not(relay: Relay) -> None:
    put_member(relay.services.redis, 3, 1000)
    assert done(get(relay, "quarantine/members/1000-3"))["index"] == 3
    for path in ("members/1000-4", "members/x", "pages/1000-3", "pages/(1"):
        problem(get(relay, f"quarantine/{path}"), 404, "unknown_quarantined")


def test_all_that_are_meant_are_exported_one_a_line(relay: Relay) -> None:
    for number in range(1, 7):
        put_member(relay.services.redis, number, cohort_id=str(number % 2))
        put_page(relay.services.redis, number, **{**FIELDS, "body": orjson.dumps(PAGE)})
    answer = get(relay, "quarantine-member-export?cohort_id=1")
    assert answer.mimetype == NDJSON
    assert [orjson.loads(line)["index"] for line in answer.text.splitlines()] == [1, 3, 5]
    pages = get(relay, "quarantine-page-export").text
    assert "ada" not in pages
    assert [orjson.loads(line)["time_ms"] for line in pages.splitlines()] == [1, 2, 3, 4, 5, 6]
    assert relay.services.audit.page()[0] == []
    whole = get(relay, "quarantine-page-export?people=true&newer_than=1970-01-01T00:00:00.006Z").text
    assert orjson.loads(whole)["body"] == PAGE
    assert [each.entry.outcome for each in relay.services.audit.page()[0]] == ["shown"]
