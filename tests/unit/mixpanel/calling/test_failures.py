"""The table of errors: each status and each 200 that is none has one problem, and says what to do."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.mixpanel.calling.building import Built, build
from app.mixpanel.calling.credentials import redactor_of
from app.mixpanel.calling.failures import CallFailed, OutOfBudget, explain
from app.mixpanel.calling.options import DEFAULT
from app.mixpanel.calling.problems import PROBLEMS
from app.mixpanel.calling.verdicts import judge, legacy
from app.mixpanel.catalog.catalog import CATALOG
from app.mixpanel.errors import OverBudget, Rejected, Retryable, Said, SessionExpired
from app.mixpanel.refusals import refusal
from app.mixpanel.transport import Answer
from tests.unit.mixpanel.calling.projects import ALL, TOKEN

REDACT = redactor_of(ALL)
NOW = datetime(2026, 8, 31, tzinfo=UTC)


def explained(
    status: int, body: bytes = b"", retry_after: str | None = None, key: str = "cohorts"
) -> CallFailed:
    row = CATALOG["query", key]
    return explain(refusal(status, body, retry_after, NOW), "query cohorts", REDACT, row)


@pytest.mark.parametrize(
    ("status", "code", "again"),
    [
        (302, "redirected", False),
        (400, "bad_request", False),
        (401, "unauthorized", False),
        (402, "payment_required", False),
        (403, "forbidden", False),
        (404, "not_found", False),
        (405, "method_not_allowed", False),
        (408, "server_error", True),
        (410, "not_found", False),
        (413, "too_large", False),
        (418, "rejected", False),
        (422, "bad_request", False),
        (429, "rate_limited", True),
        (500, "server_error", True),
        (502, "server_error", True),
        (503, "server_error", True),
        (504, "server_error", True),
    ],
)
def test_each_status_is_one_problem(status: int, code: str, again: bool) -> None:
    error = explained(status)
    assert (error.problem.code, error.again, error.status) == (code, again, status)
    assert error.problem.todo in str(error)
    assert f"({status})" in str(error)


@pytest.mark.parametrize("trouble", ["timeout", "unreachable", "broken"])
def test_each_trouble_without_an_answer_is_one_problem(trouble: str) -> None:
    raised = Retryable("x", trouble=trouble, outcome_unknown=trouble != "unreachable")  # type: ignore[arg-type] # of the three
    error = explain(raised, "query cohorts", REDACT)
    assert (error.problem.code, error.again) == (trouble, True)
    assert error.may_have_applied == (trouble != "unreachable")


def test_what_was_said_is_kept_for_the_caller_without_secrets_and_out_of_the_text() -> None:
    error = explained(400, f'{{"error": "{TOKEN} of jane@example.com"}}'.encode())
    assert error.answered == '{"error": "*** of jane@example.com"}'
    shown = str(error) + repr(error) + repr(vars(error))
    assert "jane" not in shown
    assert len(explained(400, b"x" * 9_999).answered) == 500


def test_details_name_the_limit_the_role_and_the_wait() -> None:
    assert "2097152 bytes" in str(explained(413, b"request exceeds max limit of 2097152 bytes"))
    assert "It asks to wait 17 s." in str(explained(429, retry_after="17"))
    row = replace(CATALOG["query", "cohorts"], role="admin")
    assert "role admin" in str(explain(refusal(403, b"", None, NOW), "x", REDACT, row))
    assert "https://" in str(explained(404))


def test_a_full_budget_names_the_time_of_the_next_slot() -> None:
    error = explain(OverBudget(60.0), "query cohorts", REDACT)
    assert isinstance(error, OutOfBudget)
    assert 55 < (error.at - datetime.now(UTC)).total_seconds() <= 60
    assert error.at.isoformat(timespec="seconds") in str(error)


def test_a_forgotten_session_has_a_problem_of_its_own() -> None:
    assert explain(SessionExpired("gone"), "x", REDACT).problem.code == "session_expired"


def built(family: str, name: str, **arguments: object) -> Built:
    body = arguments.pop("body", None)
    return build(CATALOG[family, name], ALL, arguments, DEFAULT, body=body)


RECORDS = [{"$distinct_id": "a", "$set": {"b": 1}}]
NONE = [
    ("profile-set", b"0", "invalid_records"),
    ("profile-set", b'{"status": 0, "error": "no distinct_id"}', "invalid_records"),
    ("profile-set", b'{"code": 400, "failed_records": [{"index": 0}]}', "invalid_records"),
    ("profile-set", b'{"code": 200, "failed_records": [{"index": 0}]}', "invalid_records"),
    ("cohorts", b'{"error": "nope", "request": "/x"}', "refused"),
    ("cohorts", b'{"status": "error", "results": []}', "refused"),
    ("cohorts", b'{"code": 404}', "refused"),
    ("cohorts", b'{"status": "error", "type": "not_found", "error": "there is none"}', "not_found"),
    ("cohorts", b'{"error": "Invalid parameter: unit"}', "invalid_parameter"),
]
FINE = [
    ("profile-set", b"1"),
    ("profile-set", b'{"status": 1, "error": null}'),
    ("profile-set", b'{"code": 200, "num_good_events": 1, "status": "OK"}'),
    ("cohorts", b"[]"),
    ("cohorts", b"0"),
    ("cohorts", b'{"status": "ok", "results": {"status": "FAILURE"}}'),
    ("cohorts", b'{"error": {"count": 5}, "status": {"count": 2}, "code": {"count": 1}}'),
]


def of(name: str) -> Built:
    return built("query", name) if name == "cohorts" else built("ingestion", name, body=RECORDS)


@pytest.mark.parametrize(("name", "body", "code"), NONE)
def test_a_200_that_is_none_is_one_problem(name: str, body: bytes, code: str) -> None:
    with pytest.raises(CallFailed) as caught:
        judge(of(name), Answer(200, body), REDACT)
    assert caught.value.problem.code == code
    assert caught.value.answered
    assert not caught.value.again


@pytest.mark.parametrize(("name", "body"), FINE)
def test_a_200_that_is_one_passes_whatever_names_people_chose(name: str, body: bytes) -> None:
    judge(of(name), Answer(200, body), REDACT)


@pytest.mark.parametrize("body", [b"", b"<html>", b"{", b"1,2"])
def test_what_is_no_json_can_be_asked_for_again(body: bytes) -> None:
    with pytest.raises(Retryable) as caught:
        judge(of("cohorts"), Answer(200, body, content_type="text/html"), REDACT)
    assert explain(caught.value, "x", REDACT).problem.code == "unreadable"


def test_an_answer_that_was_cut_is_none() -> None:
    with pytest.raises(CallFailed) as caught:
        judge(of("cohorts"), Answer(200, b"[]", whole=False), REDACT)
    assert caught.value.problem.code == "answer_too_long"


def test_a_page_for_people_is_no_csv() -> None:
    days = {"from_date": "2026-08-01", "to_date": "2026-08-02"}
    asked = built("query", "events", event=["A"], type="general", unit="day", format="csv", **days)
    judge(asked, Answer(200, b"date,A\n", content_type="text/csv"), REDACT)
    with pytest.raises(Retryable):
        judge(asked, Answer(200, b"<!DOCTYPE html>", content_type="text/html; charset=utf-8"), REDACT)
    with pytest.raises(CallFailed):
        judge(asked, Answer(200, b'{"error": "nope"}'), REDACT)


def test_lines_that_end_early_are_none() -> None:
    asked = built("export", "events", from_date="2026-08-01", to_date="2026-08-01")
    judge(asked, Answer(200, b'{"event": "A"}\n{"event": "B", "properties": {"error": "x"}}\n'), REDACT)
    with pytest.raises(CallFailed) as caught:
        judge(asked, Answer(200, b'{"event": "A"}\nterminated early\n'), REDACT)
    assert caught.value.problem.code == "terminated_early"


def test_the_errors_of_the_legacy_api_are_read_from_their_text() -> None:
    error = Rejected(400, "the server answered 400")
    error.said = Said(b'{"error": "Expired request", "request": "/api/2.0/events/"}')
    found = legacy(error, "legacy events", REDACT)
    assert found is not None
    assert (found.problem.code, found.status) == ("expired_request", 400)
    assert "clock" in str(found)
    error.said = Said(b"<html>")
    assert legacy(error, "legacy events", REDACT) is None


def test_every_problem_says_what_to_do_and_is_documented() -> None:
    page = (Path(__file__).resolve().parents[4] / "docs/mixpanel-client.md").read_text()
    for code, problem in PROBLEMS.items():
        assert problem.todo.endswith(".")
        assert 400 <= problem.answer < 600
        assert f"`{code}`" in page, code
