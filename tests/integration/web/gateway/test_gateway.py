"""Calls of Mixpanel through the gateway."""

import tracemalloc
from base64 import b64encode
from collections.abc import Iterator
from typing import Final

import orjson
import pytest
from openapi_spec_validator import validate

from app.access.scopes import SCOPES, of_endpoint
from app.mixpanel.catalog.catalog import CATALOG
from app.web.api import PREFIX
from app.web.gateway.kinds import CALL_KINDS
from app.web.gateway.offered import WITHHELD, methods
from tests.integration.mixpanel.server import Behaviour, Reply, Request
from tests.integration.web.api.relay import problem
from tests.integration.web.gateway.conftest import SECRETS, Gate
from tests.integration.web.services import BLOG, SHOP

LIST = "query/funnels-list"
PICKLISTS: Final = (
    (LIST, b'[{"funnel_id": 9, "name": "b"}, {"funnel_id": 7, "name": "A"}]', [("A", "7"), ("b", "9")]),
    ("query/cohorts", b'[{"id": 5, "name": "Buyers", "count": 3}]', [("Buyers", "5")]),
    ("pipelines/list", b'{"1001": [{"name": "daily", "frequency": "hourly"}]}', [("daily", "daily")]),
)
DAYS = "from_date=2026-01-01&to_date=2026-01-02"


def test_no_scope_lets_a_call_through_that_does_not_name_its_endpoint(gate: Gate) -> None:
    for held in (*SCOPES, "mixpanel:budget", "mixpanel:export.*", "mixpanel:query.funnels"):
        answer = gate.call(LIST, gate.token(held))
        problem(answer, 403, "scope_missing")
        assert "mixpanel:query.funnels-list" in answer.get_json()["detail"]
    assert gate.server.requests == []


def test_a_token_with_every_scope_of_the_relay_calls_no_endpoint_there_is(gate: Gate) -> None:
    token = gate.token(*SCOPES)
    for row in CATALOG.values():
        for method in methods(row):
            problem(gate.call(f"{row.family}/{row.name}", token, method), 403, "scope_missing")
    assert gate.server.requests == []


def test_an_endpoint_is_called_by_who_has_its_scope_or_its_familys(gate: Gate) -> None:
    gate.server.behaviour = lambda _request: Reply(200, b'[{"funnel_id": 7, "name": "Signup"}]')
    for held in ("mixpanel:query.funnels-list", "mixpanel:query.*"):
        token = gate.token(held)
        answer = gate.call(LIST, token)
        assert (answer.status_code, answer.get_json()) == (200, [{"funnel_id": 7, "name": "Signup"}])
        assert int(answer.headers["Age"]) >= 0
        assert answer.headers["Computed-At"]
        problem(gate.call("export/events", token), 403, "scope_missing")


def test_without_a_token_and_for_another_project_nothing_is_called(gate: Gate) -> None:
    problem(gate.call(LIST, None), 401, "token_missing")
    bound = gate.token("mixpanel:query.*", project_id=BLOG)
    problem(gate.call(LIST, bound), 404, "unknown_project")
    problem(gate.call(LIST, gate.token("mixpanel:query.*"), project_id="9"), 404, "unknown_project")
    assert gate.server.requests == []


def test_every_call_is_audited_with_who_what_and_the_decision(tight: Gate) -> None:
    gate = tight
    allowed, denied = gate.token("mixpanel:query.*"), gate.token("admin")
    gate.call(f"{LIST}?workspace_id=7", allowed)
    gate.call(LIST, denied)
    gate.call("query/nothing", allowed)
    gate.call(f"{LIST}?fresh=true", allowed)
    told = [
        (each.entry.actor.name, each.entry.resources, each.entry.outcome, each.entry.status)
        for each in reversed(gate.audited())
    ]
    what = {"project_id": SHOP, "family": "query", "endpoint": "funnels-list"}
    nothing = {**what, "endpoint": "nothing"}
    assert told == [
        ("a dashboard", {**what, "decision": "allowed"}, "ok", 200),
        ("a dashboard", {**what, "decision": "denied"}, "scope_missing", 403),
        ("a dashboard", {**nothing, "decision": "denied"}, "not_found", 404),
        ("a dashboard", {**what, "decision": "over_budget"}, "mixpanel_over_budget", 429),
    ]
    assert gate.services.audit.page("changes")[0] == []


def test_a_call_over_the_budget_says_when_the_next_slot_is(tight: Gate) -> None:
    token = tight.token("mixpanel:query.*")
    assert tight.call(LIST, token).status_code == 200
    answer = tight.call(f"{LIST}?fresh=true", token)
    problem(answer, 429, "mixpanel_over_budget")
    assert 3000 < int(answer.headers["Retry-After"]) <= 3601
    assert "Next slot: " in answer.get_json()["detail"]
    assert len(tight.server.requests) == 1


def test_what_is_left_of_the_budgets_is_told_to_all_but_those_who_only_hand_in(gate: Gate) -> None:
    for held in ("read", "admin", "mixpanel:budget", "mixpanel:query.funnels"):
        answer = gate.call("budget", gate.token(held))
        assert answer.status_code == 200
        windows = answer.get_json()["budgets"]["query"]["windows"]
        assert {"unit": "requests", "most": 60, "length_s": 3600, "left": 60} in windows
    problem(gate.call("budget", gate.token("ingest")), 403, "scope_missing")
    assert gate.audited() == []


def test_answers_are_kept_for_others_unless_a_fresh_one_is_wanted(gate: Gate) -> None:
    token = gate.token("mixpanel:query.*")
    for query in ("", "", "?fresh=true"):
        assert gate.call(f"{LIST}{query}", token).status_code == 200
    assert len(gate.server.requests) == 2


def test_what_reads_is_asked_by_get_or_post_and_what_changes_by_its_own_method(gate: Gate) -> None:
    gate.server.behaviour = lambda _request: Reply(200, b"{}")
    token = gate.token("mixpanel:query.*", "mixpanel:annotations.*")
    by_get = gate.call(f"query/funnels?funnel_id=7&{DAYS}", token)
    body = {"funnel_id": 7, "from_date": "2026-01-01", "to_date": "2026-01-02"}
    by_post = gate.call("query/funnels?fresh=1", token, "POST", json=body)
    assert (by_get.status_code, by_post.status_code) == (200, 200)
    first, second = gate.server.requests
    assert (first.path, first.query) == (second.path, second.query)
    wrong = gate.call("annotations/create", token)
    problem(wrong, 405, "method_not_allowed")
    assert wrong.headers["Allow"] == "POST"
    made = gate.call(
        "annotations/create", token, "POST", json={"date": "2026-01-01 00:00:00", "description": "Sale"}
    )
    assert made.status_code == 200, made.text
    last = gate.server.requests[-1]
    assert last.method == "POST"
    assert orjson.loads(last.body) == {"date": "2026-01-01 00:00:00", "description": "Sale"}


def test_arguments_that_an_endpoint_does_not_take_are_named(gate: Gate) -> None:
    answer = gate.call("query/funnels?funnel_id=seven&colour=red", gate.token("mixpanel:query.*"))
    problem(answer, 422, "mixpanel_invalid_argument")
    assert {"colour", "funnel_id", "from_date", "to_date"} <= {
        each["field"] for each in answer.get_json()["errors"]
    }
    assert "seven" not in answer.text
    for query in ("wait=never", "wait=61", "wait=-1", "fresh=perhaps", "wait=1&wait=2"):
        problem(gate.call(f"{LIST}?{query}", gate.token("mixpanel:query.*")), 422, "invalid_query")


def test_a_picklist_has_labels_and_keys(gate: Gate) -> None:
    token = gate.token("mixpanel:query.*", "mixpanel:pipelines.*")
    for path, said, items in PICKLISTS:
        gate.server.behaviour = lambda _request, said=said: Reply(200, said)  # type: ignore[misc]
        answer = gate.call(f"{path}?format=picklist", token)
        assert answer.get_json() == {"items": [{"label": label, "key": key} for label, key in items]}
    other = gate.call("query/insights?format=picklist", token)
    problem(other, 422, "mixpanel_invalid_argument")


def test_no_credential_leaves_the_relay_in_an_answer_or_an_error(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate.services.mixpanel, "_sleep", lambda _s: None)
    token = gate.token("mixpanel:query.*", "mixpanel:export.*", "mixpanel:pipelines.*")
    for status in (200, 400, 401, 402, 403, 404, 413, 429, 500):
        gate.server.behaviour = _echoing(status)
        answer = gate.call("pipelines/list?fresh=true", token)  # it has no budget
        assert answer.text.count("***") == len(SECRETS) + 1  # and what Basic auth makes of them
        _spared(answer.text + str(answer.headers))
    gate.server.behaviour = _echoing(400)
    for path in (LIST, f"export/events?{DAYS}"):
        _spared(gate.call(path, token).text)
    _spared(repr([each.entry for each in gate.audited()]))
    assert len(gate.server.requests) > 10


def test_no_credential_leaves_the_relay_in_a_stream(gate: Gate) -> None:
    lines = [b'{"event": "a", "properties": {"t": "%s"}}\n' % each.encode() for each in SECRETS.values()]
    gate.server.behaviour = lambda _request: Reply(200, pieces=lines)
    answer = gate.call(f"export/events?{DAYS}", gate.token("mixpanel:export.*"))
    assert answer.text.count("***") == len(SECRETS)
    _spared(answer.text)


def test_what_answers_with_a_credential_is_not_offered(gate: Gate) -> None:
    token = gate.token("mixpanel:service-accounts.*")
    for family, name in WITHHELD:
        problem(gate.call(f"{family}/{name}", token, "POST", json={}), 404, "not_found")
    assert gate.server.requests == []


def test_an_answer_runs_in_no_browser(gate: Gate) -> None:
    said = Reply(200, b"<script>alert(1)</script>", {"Content-Type": "text/html"})
    gate.server.behaviour = lambda _request: said
    answer = gate.call(
        "ingestion/track", gate.token("mixpanel:ingestion.*"), "POST", json=[{"event": "a", "properties": {}}]
    )
    assert answer.mimetype != "text/html"


def test_an_export_is_passed_on_in_bounded_memory(gate: Gate) -> None:
    line = b'{"event": "a", "properties": {"time": 1, "x": "%s"}}\n' % (b"x" * 200)
    piece, pieces = line * 200, 600

    def long() -> Iterator[bytes]:
        return (piece for _ in range(pieces))

    gate.server.behaviour = lambda _request: Reply(200, pieces=long())
    token = gate.token("mixpanel:export.*")
    tracemalloc.start()
    try:
        answer = gate.call(f"export/events?{DAYS}", token, buffered=False)
        size = sum(map(len, answer.iter_encoded()))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    answer.close()
    assert size == len(piece) * pieces
    assert size > 30_000_000
    assert peak < 8_000_000
    assert gate.services.mixpanel.budget(SHOP)["export"].at_once == 100


def test_an_export_that_breaks_off_is_no_complete_answer(gate: Gate) -> None:
    gate.server.behaviour = lambda _request: Reply(200, pieces=[b'{"event": "a"}\n', b"terminated early\n"])
    answer = gate.call(f"export/events?{DAYS}", gate.token("mixpanel:export.*"), buffered=False)
    with pytest.raises(Exception, match="export"):
        list(answer.iter_encoded())
    answer.close()
    assert gate.services.mixpanel.budget(SHOP)["export"].at_once == 100


def test_calls_leave_most_threads_to_others(gate: Gate) -> None:
    gate.server.behaviour = lambda _request: Reply(200, pieces=[b'{"event": "a"}\n'])
    token, seats = (
        gate.token("mixpanel:export.*", "mixpanel:query.*"),
        gate.services.settings.web_threads // 4,
    )
    open_ = [gate.call(f"export/events?{DAYS}&wait=3", token, buffered=False) for _ in range(seats)]
    assert [each.status_code for each in open_] == [200] * seats
    problem(gate.call(LIST, token), 503, "too_many_calls")
    for each in open_:
        each.close()
    assert gate.call(LIST, token).status_code == 200


def test_the_type_of_a_problem_leads_to_what_it_means(gate: Gate) -> None:
    client = gate.app.test_client()
    for kind in CALL_KINDS:
        assert client.get(kind.type).get_json()["advice"] == kind.advice
        assert (kind.retry_after_s is not None) == (kind.status == 429 or kind.status >= 500)


def test_the_document_describes_every_endpoint_that_is_offered_and_is_valid(gate: Gate) -> None:
    told = gate.app.test_client().get(f"{PREFIX}/mixpanel/openapi.json").get_json()
    validate(told)
    for row in CATALOG.values():
        path = told["paths"].get(f"{PREFIX}/projects/{{project_id}}/mixpanel/{row.family}/{row.name}", {})
        offered = () if row.key in WITHHELD else methods(row)
        assert {each.upper() for each in path if each != "parameters"} == set(offered)
        for method in offered:
            assert path[method.lower()]["x-scope"] == of_endpoint(row.family, row.name)


def _echoing(status: int) -> Behaviour:
    """Answer with all that a careless server would tell of a request, and more."""

    def echo(request: Request) -> Reply:
        said = repr([*SECRETS.values(), request.headers, request.query]).replace('"', "'")
        return Reply(status, b'{"error": "%s"}' % said.encode(), {"Retry-After": "0"})

    return echo


def _spared(text: str) -> None:
    basic = b64encode(f"relay.mp:{SECRETS['account']}".encode()).decode()
    assert [name for name, secret in {**SECRETS, "basic": basic}.items() if secret in text] == []
