"""What is kept of a call, and what is said about it."""

from typing import Any

import pytest

from app.lanes.work import OutboxName
from app.web.factory import build_web
from tests.integration.web.api.records import event, group, profile
from tests.integration.web.api.relay import JSON, Relay
from tests.integration.web.services import BLOG, SHOP, basic, page

SHARED: list[dict[str, Any]] = [
    {"__set": {"a": None, "b": {"c": [1]}}},
    {"__set_once": {"a": 1}},
    {"__union": {"a": ["x", 1, 1.5]}},
    {"__remove": {"a": "x"}},
    {"__unset": ["a", "b"]},
    {"__delete": True},
    {"__delete": None},
]
COUNTING: list[dict[str, Any]] = [{"__add": {"n": -1.5}}, {"__append": {"a": {"b": 1}}}]
RECORDS: dict[OutboxName, list[dict[str, Any]]] = {
    "events": [
        event(time=1_700_000_000, __insert_id=f"i-{number}", a={"b": [1, None]}) for number in range(3)
    ],
    "profiles": [profile(**operation) for operation in (*SHARED, *COUNTING)],
    "groups": [group(**operation) for operation in SHARED],
}


@pytest.mark.parametrize(("name", "records"), RECORDS.items())
def test_what_is_whole_is_kept_as_it_came_with_its_source_in_its_order_as_one_submission(
    relay: Relay, name: OutboxName, records: list[dict[str, Any]]
) -> None:
    answer = relay.post(name, records, key="k")
    assert answer.get_json() == {"accepted": len(records), "rejected": [], "replayed": False}
    source = {"$source": "cohort-relay"}
    assert relay.kept(name) == [
        [
            {**each, "properties": {**each["properties"], **source}} if name == "events" else each
            for each in records
        ]
    ]


def test_each_project_has_outboxes_of_its_own(relay: Relay) -> None:
    relay.post("groups", [group(__set={"a": 1})], project_id=BLOG)
    assert (len(relay.kept("groups", BLOG)), relay.kept("groups", SHOP)) == (1, [])


def test_the_log_says_who_and_how_many_and_nothing_of_the_records(relay: Relay, lines: list[Any]) -> None:
    relay.post("events", [event(distinct_id="somebody@example.com", Plan="Pro"), {}])
    (line,) = lines
    assert line.pop("ms") >= 0
    assert line == {
        "event": "api",
        "log_level": "info",
        "route": "POST /api/v1/projects/<project_id>/events",
        "project": SHOP,
        "caller": relay.authorization.split("_")[1],
        "accepted": 1,
        "rejected": 1,
        "outcome": "ok",
        "status": 202,
    }


def test_a_repetition_and_a_refusal_are_told_apart_in_the_log(relay: Relay, lines: list[Any]) -> None:
    for _ in range(2):
        relay.post("events", [event()], key="k")
    relay.post("events", [{}])
    relay.post("events", [event()], headers={"Authorization": "Bearer hunter2"})
    told = [line.get("outcome", line["event"]) for line in lines]
    assert told == ["ok", "replayed", "invalid_records", "failed_logins"]
    assert [line["log_level"] for line in lines] == ["info", "info", "warning", "warning"]
    assert "hunter2" not in str(lines)


def test_pages_that_anybody_reads_are_no_calls(relay: Relay, lines: list[Any]) -> None:
    client = build_web(relay.services).test_client()
    for path in ("openapi.json", "docs", "problems/not_found"):
        client.get(f"/api/v1/{path}")
    assert lines == []


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "nothing/of-somebody", "not_found"),
        ("GET", "problems/none", "not_found"),
        ("GET", f"projects/{SHOP}/events", "method_not_allowed"),
    ],
)
def test_what_a_problem_is_called_stands_in_the_log(
    relay: Relay, lines: list[Any], method: str, path: str, code: str
) -> None:
    told = relay.app.test_client().open(f"/api/v1/{path}", method=method).get_json()
    (line,) = lines
    assert (line["outcome"], line["instance"]) == (code, told["instance"])
    assert "somebody" not in str(line)


def test_the_webhook_and_the_api_do_not_open_for_each_others_credentials(relay: Relay) -> None:
    answer = relay.post("events", [event()], headers=basic("shop"))
    assert answer.status_code == 401
    headers = {"Authorization": relay.token("admin"), "Content-Type": JSON}
    webhook = relay.app.test_client().post("/webhooks/mixpanel/cohorts", data=page(), headers=headers)
    assert webhook.status_code == 401
