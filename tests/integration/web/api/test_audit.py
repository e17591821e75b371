"""Who changed what: every changing route is recorded, and nothing personal with it."""

import re
from typing import Any
from unittest import mock

import orjson
import pytest
import redis

from app.access.audit import Actor, Audit, Entry, Log, Written
from app.store import keys
from app.web.api.auditing import PERSONAL, PLAIN
from tests.integration.web.api.records import event
from tests.integration.web.api.relay import NDJSON, Relay, fault, problem
from tests.integration.web.api.test_access import addresses, ask
from tests.integration.web.services import BLOG, SHOP

LOOKING = {"GET"}


def written(relay: Relay, log: Log = "changes") -> list[Written]:
    return list(relay.services.audit.all(log))


def listed(relay: Relay, query: str = "", authorization: str | None = None) -> dict[str, Any]:
    headers = {"Authorization": authorization or relay.token("admin")}
    answer = relay.call("GET", f"/audit{query}", headers=headers)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.get_json()
    return told


def test_every_changing_route_is_recorded_whatever_it_answers_and_no_other(relay: Relay) -> None:
    authorization = relay.token("admin")
    routes = list(relay.routes())
    for (method, rule, scope), (_, path, _) in zip(routes, addresses(relay), strict=True):
        before = {entry.id for log in ("changes", "ingest") for entry in written(relay, log)}
        answer = ask(relay, method, path, authorization)
        log: Log = "ingest" if scope == "ingest" else "changes"
        new = [each for each in written(relay, log) if each.id not in before]
        if method in LOOKING:
            assert new == [], rule
            continue
        assert len(new) == 1, rule
        entry = new[0].entry
        assert (entry.action, entry.status) == (f"{method} {rule}", answer.status_code)
        assert entry.actor == Actor("token", authorization.split("_")[1], "a test")
        assert entry.outcome == (answer.get_json().get("code", "ok") if answer.is_json else "ok")


def test_every_parameter_of_a_changing_route_is_said_to_be_personal_or_not(relay: Relay) -> None:
    for method, rule, _ in relay.routes():
        if method not in LOOKING:
            assert set(re.findall(r"<(?:\w+:)?(\w+)>", rule)) <= PLAIN | PERSONAL, rule


def test_calls_that_are_refused_are_recorded_and_those_without_a_token_are_not(relay: Relay) -> None:
    for authorization in (relay.token("read"), relay.token("ingest", project_id=BLOG), "Bearer hunter2"):
        relay.post("events", [event()], headers={"Authorization": authorization})
    assert [each.entry.outcome for each in written(relay, "ingest")] == ["unknown_project", "scope_missing"]
    assert written(relay) == []


def test_an_entry_says_what_it_came_to_and_holds_nothing_of_the_body(
    relay: Relay, redis_client: redis.Redis
) -> None:
    relay.post("events", [event(distinct_id="ada@example.com"), {}], key="a-key")
    (entry,) = written(relay, "ingest")
    assert entry.entry.counts == {"accepted": 1, "rejected": 1}
    assert entry.entry.resources == {"project_id": SHOP}
    stored = redis_client.xrange(keys.audit("ingest"))
    assert b"ada" not in repr(stored).encode()
    assert b"a-key" not in repr(stored).encode()


def test_a_person_in_an_address_is_hashed_with_the_key(relay: Relay) -> None:
    from app.web.api import auditing  # noqa: PLC0415

    key = relay.services.settings.secret_key
    told = auditing._resources({"project_id": SHOP, "distinct_id": "ada", "new_name": "ada"}, key)
    assert told["project_id"] == SHOP
    assert told["distinct_id"] == told["new_name"]
    assert re.fullmatch(r"hmac:[0-9a-f]{24}", told["distinct_id"])
    assert auditing._resources({"letter_id": "ada@example.com"}, key) == {"letter_id": "?"}


def test_an_audit_log_that_cannot_be_written_costs_no_answer_and_is_logged(
    relay: Relay, lines: list[Any]
) -> None:
    with mock.patch.object(relay.services.audit, "write", side_effect=redis.ConnectionError("gone")):
        answer = relay.post("events", [event()])
    assert answer.status_code == 202
    (line,) = [each for each in lines if each["event"] == "audit_not_written"]
    assert (line["log_level"], line["outcome"], line["project_id"]) == ("error", "ok", SHOP)


def test_where_the_store_is_away_its_audit_is_not_waited_for(relay: Relay, lines: list[Any]) -> None:
    away = mock.patch.object(relay.services.outboxes, "submit", side_effect=redis.ConnectionError("gone"))
    with away, mock.patch.object(relay.services.audit, "write") as write:
        problem(relay.post("events", [event()]), 503, "store_unavailable")
    write.assert_not_called()
    assert "audit_not_written" in [each["event"] for each in lines]


def entries(relay: Relay, count: int, **changes: Any) -> None:
    plain = {
        "actor": Actor("user", "ada", "host"),
        "action": "flask x",
        "resources": {},
        "outcome": "ok",
        "status": 0,
    }
    for _ in range(count):
        relay.services.audit.write(Entry(**{**plain, **changes}))


def test_the_log_is_listed_page_by_page_the_newest_first(relay: Relay) -> None:
    entries(relay, 7)
    everything = [each.id for each in written(relay)]
    assert everything == sorted(everything, reverse=True)
    found: list[str] = []
    query = "?limit=3"
    while True:
        told = listed(relay, query)
        found += [each["id"] for each in told["entries"]]
        entries(relay, 1)  # what is written meanwhile comes before the first page
        if told["next_cursor"] is None:
            break
        query = f"?limit=3&cursor={told['next_cursor']}"
    assert found == everything
    assert told["dropped"] == 0


def test_the_log_is_filtered_by_who_what_when_and_project(relay: Relay) -> None:
    entries(relay, 1, action="flask tokens revoke")
    entries(relay, 1, action="POST /x", actor=Actor("token", "abc", "orders"), resources={"project_id": BLOG})
    for query, count in {
        "actor=ada": 1,
        "actor=abc": 1,
        "actor=ab": 0,
        "action=TOKENS": 1,
        "action=flask+x": 0,
        f"project_id={BLOG}": 1,
        "newer_than=1h": 2,
        "older_than=1h": 0,
        "older_than=2099-01-01": 2,
        "newer_than=2099-01-01": 0,
        "older_than=1970-01-01": 0,
        "log=ingest": 0,
    }.items():
        assert len(listed(relay, f"?{query}")["entries"]) == count, query


def test_a_token_of_one_project_is_told_of_that_one(relay: Relay) -> None:
    for project_id in (SHOP, BLOG):
        entries(relay, 1, resources={"project_id": project_id})
    entries(relay, 1)
    bound = relay.token("admin", project_id=BLOG)
    (entry,) = listed(relay, authorization=bound)["entries"]
    assert entry["resources"] == {"project_id": BLOG}
    answer = relay.call("GET", f"/audit?project_id={SHOP}", headers={"Authorization": bound})
    assert fault(answer, 422, "invalid_query")["field"] == "project_id"


def test_the_log_is_exported_one_a_line(relay: Relay) -> None:
    entries(relay, 1_200)
    headers = {"Authorization": relay.token("admin"), "Accept": NDJSON}
    answer = relay.call("GET", "/audit", headers=headers)
    found = [orjson.loads(line) for line in answer.text.splitlines()]
    assert [each["id"] for each in found] == [each.id for each in written(relay)]
    assert found[0]["time"].endswith("Z")


def test_the_log_is_capped_and_says_how_many_went(relay: Relay, redis_client: redis.Redis) -> None:
    audit = Audit(redis_client, cap=200)
    relay.services.audit = audit
    entries(relay, 1_000)
    kept = len(written(relay))
    assert 200 <= kept <= 300
    assert audit.dropped() == listed(relay)["dropped"] == 1_000 - kept


def test_what_is_400_days_old_is_not_shown(relay: Relay, redis_client: redis.Redis) -> None:
    entries(relay, 1)
    (encoded,) = [fields[b"entry"] for _, fields in redis_client.xrange(keys.audit("changes"))]  # type: ignore[index,union-attr]
    redis_client.unlink(keys.audit("changes"))
    for days in (401, 399):
        at_ms = (redis_client.time()[0] - days * 86_400) * 1000
        redis_client.xadd(keys.audit("changes"), {"entry": encoded}, id=f"{at_ms}-0")
    assert len(written(relay)) == 1


@pytest.mark.parametrize("query", ["limit=0", "cursor=x", "log=other", "older_than=soon", "who=ada"])
def test_a_wrong_question_is_refused(relay: Relay, query: str) -> None:
    answer = relay.call("GET", f"/audit?{query}", headers={"Authorization": relay.token("admin")})
    fault(answer, 422, "invalid_query")
