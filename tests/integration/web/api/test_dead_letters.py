"""Dead letters over the API: listed, shown, exported, sent again, thrown away."""

from typing import Any

import orjson
import pytest
from werkzeug.test import TestResponse

from app.destinations.dead_letters.redriving import CONFIRMATION
from tests.integration.dead_letters.letters import NOW_MS, TOKEN, Letters, event, profile
from tests.integration.web.api.relay import Relay, fault, problem
from tests.integration.web.services import SHOP

NOT_ONE = "dead-letters/1-1"


@pytest.fixture
def letters(relay: Relay) -> Letters:
    relay.authorization = relay.token("operate")
    return Letters(relay.services.redis)


def get(relay: Relay, path: str) -> TestResponse:
    answer = relay.call("GET", f"/projects/{SHOP}/{path}", headers={"Authorization": relay.authorization})
    assert TOKEN not in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    return answer


def listed(relay: Relay, query: str = "") -> dict[str, Any]:
    answer = get(relay, f"dead-letters{query}")
    assert answer.status_code == 200, answer.text
    return dict(answer.get_json())


def done(answer: TestResponse) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return dict(answer.get_json())


def delete(relay: Relay, path: str) -> TestResponse:
    return relay.call("DELETE", f"/projects/{SHOP}/{path}", headers={"Authorization": relay.authorization})


def test_the_list_shows_no_record_unless_asked(relay: Relay, letters: Letters) -> None:
    letter_id = letters.add(profile("ada@example.com"))
    told = listed(relay)
    assert told["kept"] == 1
    (first,) = told["dead_letters"]
    assert first == {
        "id": letter_id,
        "destination": "profiles",
        "code": "refused",
        "reason": "a reason",
        "time_ms": NOW_MS,
        "size_bytes": first["size_bytes"],
    }
    (whole,) = listed(relay, "?records=true")["dead_letters"]
    assert whole["record"] == {"$distinct_id": "ada@example.com", "$union": {"Cohorts": ["VIP"]}}
    assert whole["response"]
    assert done(get(relay, f"dead-letters/{letter_id}")) == whole
    problem(get(relay, NOT_ONE), 404, "unknown_dead_letter")
    problem(get(relay, "dead-letters/nonsense"), 404, "unknown_dead_letter")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [0, 1, 2]),
        ("?order=newest", [2, 1, 0]),
        ("?destination=events", [1]),
        ("?code=invalid", [1]),
        ("?reason=TOO", [1, 2]),
        ("?older_than=2027-01-15T08:00:01Z", [0]),
        ("?newer_than=2027-01-15T08:00:01Z", [1, 2]),
        ("?older_than=1h", []),
        ("?destination=events&code=refused", []),
    ],
)
def test_filters(relay: Relay, letters: Letters, query: str, expected: list[int]) -> None:
    ids = [
        letters.add(at_ms=NOW_MS),
        letters.add(event(), destination="events", code="invalid", reason="too deep", at_ms=NOW_MS + 1000),
        letters.add(reason="Too long", at_ms=NOW_MS + 2000),
    ]
    assert [ids.index(each["id"]) for each in listed(relay, query)["dead_letters"]] == expected


def test_pages_follow_the_cursor_to_the_end(relay: Relay, letters: Letters) -> None:
    ids = [letters.add() for _ in range(7)]
    found: list[str] = []
    query = "?limit=3"
    while True:
        told = listed(relay, query)
        found += [each["id"] for each in told["dead_letters"]]
        if told["next_cursor"] is None:
            break
        query = f"?limit=3&cursor={told['next_cursor']}"
    assert found == ids


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=x", "limit"),
        ("cursor=x", "cursor"),
        ("cursor=1-", "cursor"),
        ("destination=x", "destination"),
        ("code=x", "code"),
        ("older_than=soon", "older_than"),
        ("newer_than=", "newer_than"),
        ("reason=", "reason"),
        ("records=maybe", "records"),
        ("order=best", "order"),
        ("colour=red", "colour"),
    ],
)
def test_a_wrong_query_is_named(relay: Relay, letters: Letters, query: str, field: str) -> None:
    assert fault(get(relay, f"dead-letters?{query}"), 422, "invalid_query")["field"] == field


def test_the_export_is_a_letter_a_line_whole(relay: Relay, letters: Letters) -> None:
    ids = [letters.add(profile(f"person {number}")) for number in range(1_100)]
    letters.add(event(), destination="events")
    answer = get(relay, "dead-letter-export?destination=profiles")
    lines = [orjson.loads(line) for line in answer.data.splitlines()]
    assert [line["id"] for line in lines] == ids
    assert lines[7]["record"]["$distinct_id"] == "person 7"
    assert get(relay, "dead-letter-export?code=invalid").data == b""


def test_one_is_sent_again_and_again_is_once(relay: Relay, letters: Letters) -> None:
    letter_id = letters.add()
    path = f"dead-letters/{letter_id}/redrive"
    first = done(relay.post(path, b"", headers={"Content-Type": ""}))
    assert first == {"id": letter_id, "state": "redriven", "outbox": "profiles"}
    again = done(relay.post(path, {"record": {"$distinct_id": "other", "$set": {"a": 1}}}))
    assert (again["state"], again["id"]) == ("redriven_before", letter_id)
    assert again["redriven_ms"] > 0
    assert len(letters.kept("profiles")) == 1
    problem(relay.post(f"{NOT_ONE}/redrive", {}), 404, "unknown_dead_letter")


def test_a_correction_is_held_to_the_checks_of_what_is_handed_in(relay: Relay, letters: Letters) -> None:
    letter_id = letters.add({"$distinct_id": "null"}, code="unusable_id")
    path = f"dead-letters/{letter_id}/redrive"
    assert fault(relay.post(path, {}), 422, "invalid_records")["field"] == "record.$distinct_id"
    wrong = {"record": {"$distinct_id": "a", "$add": {"n": "one"}}}
    assert fault(relay.post(path, wrong), 422, "invalid_records")["field"] == "record.$add.n"
    assert done(relay.post(path, {"record": {"$distinct_id": "a", "$add": {"n": 1}}}))["state"] == "redriven"
    assert letters.kept("profiles") == [{"$distinct_id": "a", "$add": {"n": 1}}]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"record": None}, "record"),
        ({"record": []}, "record"),
        ({"confirm_outcome_unknown": "perhaps"}, "confirm_outcome_unknown"),
        ({"records": {}}, "records"),
    ],
)
def test_a_wrong_body_is_named_and_changes_nothing(
    relay: Relay, letters: Letters, body: dict[str, Any], field: str
) -> None:
    letter_id = letters.add()
    assert fault(relay.post(f"dead-letters/{letter_id}/redrive", body), 400, "invalid_body")["field"] == field
    assert letters.ids() == [letter_id]


def test_what_may_count_twice_is_asked_about_in_words(relay: Relay, letters: Letters) -> None:
    letter_id = letters.add(profile(add={"Visits": 1}), code="outcome_unknown")
    path = f"dead-letters/{letter_id}/redrive"
    told = problem(relay.post(path, {}), 409, "confirmation_needed")
    assert told["detail"] == CONFIRMATION
    assert told["errors"][0]["field"] == "confirm_outcome_unknown"
    assert done(relay.post(path, {"confirm_outcome_unknown": True}))["state"] == "redriven"


def test_one_is_thrown_away(relay: Relay, letters: Letters) -> None:
    letter_id, other = letters.add(), letters.add()
    path = f"dead-letters/{letter_id}"
    assert done(delete(relay, path)) == {"id": letter_id, "state": "discarded"}
    problem(delete(relay, path), 404, "unknown_dead_letter")
    problem(delete(relay, "dead-letters/nonsense"), 404, "unknown_dead_letter")
    problem(relay.post(f"{path}/redrive", {}), 404, "unknown_dead_letter")
    assert letters.ids() == [other]


@pytest.mark.parametrize("what", ["redrives", "discards"])
def test_by_filter_step_by_step(relay: Relay, letters: Letters, what: str) -> None:
    for number in range(1_500):
        letters.add(profile(f"p{number}"))
    kept = letters.add(profile(add={"a": 1}), code="outcome_unknown")
    path, body = f"dead-letter-{what}", {"code": "refused"}
    name = {"redrives": "redriven", "discards": "discarded"}[what]
    counted = done(relay.post(path, {**body, "dry_run": True}))
    assert (counted[name], counted["dry_run"], len(letters.ids())) == (1_000, True, 1_501)
    first = done(relay.post(path, body))
    assert (first[name], first["dry_run"]) == (1_000, False)
    second = done(relay.post(path, {**body, "cursor": first["next_cursor"]}))
    assert second[name] == 500
    assert second["next_cursor"] is None
    assert letters.ids() == [kept]
    assert len(letters.kept("profiles")) == (1_500 if what == "redrives" else 0)


def test_by_filter_it_says_what_was_left_and_why(relay: Relay, letters: Letters) -> None:
    unknown = letters.add(profile(add={"a": 1}), code="outcome_unknown")
    unusable = letters.add({"$distinct_id": "null"}, code="unusable_id")
    letters.add()
    told = done(relay.post("dead-letter-redrives", {"all": True}))
    assert [told[name] for name in ("redriven", "needs_confirmation", "invalid", "looked_at")] == [1, 1, 1, 3]
    ((left),) = told["faults"]
    assert (left["id"], left["field"]) == (unusable, "$distinct_id")
    assert letters.ids() == [unknown, unusable]
    told = done(relay.post("dead-letter-redrives", {"all": True, "confirm_outcome_unknown": True}))
    assert told["redriven"] == 1


@pytest.mark.parametrize("what", ["redrives", "discards"])
def test_all_of_them_only_where_that_is_said(relay: Relay, letters: Letters, what: str) -> None:
    letters.add()
    for body in ({}, {"dry_run": False}, {"all": False}):
        assert fault(relay.post(f"dead-letter-{what}", body), 400, "invalid_body")["field"] == "all"
    for wrong in ("x", "1-1", "1-1.x"):
        asked = {"all": True, "cursor": wrong}
        assert fault(relay.post(f"dead-letter-{what}", asked), 400, "invalid_body")["field"] == "cursor"
    assert len(letters.ids()) == 1
    assert done(relay.post(f"dead-letter-{what}", {"all": True}))["looked_at"] == 1
    assert done(relay.post(f"dead-letter-{what}", {"all": True}))["looked_at"] == 0


def test_no_record_reaches_the_log(relay: Relay, letters: Letters, lines: list[Any]) -> None:
    letter_id = letters.add(profile("ada@example.com"), reason="ada@example.com is too long")
    get(relay, "dead-letters?records=true")
    get(relay, "dead-letter-export")
    relay.post(f"dead-letters/{letter_id}/redrive", {"record": {"$distinct_id": "ada@example.com"}})
    relay.post(f"dead-letters/{letter_id}/redrive", {})
    assert len(lines) >= 4
    assert "ada" not in str(lines)


def test_reading_needs_read_and_changing_operate(relay: Relay, letters: Letters) -> None:
    letter_id = letters.add()
    relay.authorization = relay.token("read")
    assert get(relay, f"dead-letters/{letter_id}").status_code == 200
    problem(relay.post(f"dead-letters/{letter_id}/redrive", {}), 403, "scope_missing")
    problem(delete(relay, f"dead-letters/{letter_id}"), 403, "scope_missing")
    assert letters.ids() == [letter_id]
