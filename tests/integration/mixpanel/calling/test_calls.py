"""Calls against a server: what goes out, what comes back, what is tried again."""

import time
from dataclasses import replace
from urllib.parse import parse_qs

import orjson
import pytest
from structlog.testing import capture_logs

from app.mixpanel.calling.failures import CallFailed, InvalidArguments, OutOfBudget
from app.mixpanel.calling.options import NO_RETRIES, Estimate, Options, Wait
from app.mixpanel.calling.raw import RawRequest
from app.mixpanel.request_budget import Rates, Window
from config.secret import Secret
from tests.integration.mixpanel.calling.conftest import World
from tests.integration.mixpanel.server import Reply, Request

DAYS = {"from_date": "2026-08-01", "to_date": "2026-08-31"}
RECORDS = [{"$distinct_id": "ann", "$add": {"Visits": 1}}]
TIGHT = Rates("query", (Window(2, 60),), at_once=5, lease_s=20)


def test_a_call_sends_what_the_row_says_and_gives_the_answer(world: World) -> None:
    world.server.behaviour = lambda _request: Reply(
        200, b'{"computed_at": "2026-08-31T10:00:00+00:00"}', {"Content-Type": "application/json"}
    )
    result = world.api().call(world.project, "query", "funnels", {"funnel_id": 7, **DAYS})
    (request,) = world.server.requests
    assert (request.method, request.path) == ("GET", "/funnels")
    assert parse_qs(request.query)["funnel_id"] == ["7"]
    assert request.headers["Authorization"].startswith("Basic ")
    assert (result.status, result.content_type) == (200, "application/json")
    assert result.computed_at == "2026-08-31T10:00:00+00:00"
    assert result.json() == {"computed_at": result.computed_at}


def test_an_idempotent_call_is_tried_again_until_it_is_answered(world: World) -> None:
    attempts: list[int] = []

    def behaviour(request: Request) -> Reply:
        if request.method == "GET" and len(attempts) < 2:
            attempts.append(1)
            return Reply(503, b"")
        return Reply(200, b"{}")

    world.server.behaviour = behaviour
    world.api().call(world.project, "query", "insights", {"bookmark_id": 1})
    assert len(world.slept) == len(world.server.requests) - 1 == 2
    assert all(2 <= pause_s <= 9 for pause_s in world.slept)


def test_what_is_not_idempotent_is_sent_once_where_it_may_have_arrived(world: World) -> None:
    world.server.behaviour = lambda _request: Reply(500)
    with pytest.raises(CallFailed) as caught:
        world.api().call(world.project, "ingestion", "profile-add", body=RECORDS)
    assert (caught.value.problem.code, caught.value.may_have_applied) == ("server_error", True)
    assert len(world.server.requests) == 1


def test_a_rate_limit_of_mixpanels_is_waited_for(world: World) -> None:
    world.server.behaviour = lambda _request: Reply(429, headers={"Retry-After": "7"})
    with pytest.raises(CallFailed) as caught:
        world.api().call(world.project, "ingestion", "profile-add", body=RECORDS)
    assert (caught.value.problem.code, caught.value.retry_after_s) == ("rate_limited", 7.0)
    assert len(world.server.requests) == 4
    assert all(pause_s >= 7 for pause_s in world.slept)


def test_a_full_budget_fails_at_once_with_the_time_of_the_next_slot(world: World) -> None:
    api = world.api(rates=TIGHT)
    for _ in range(2):
        api.call(world.project, "query", "profiles")
    with pytest.raises(OutOfBudget) as caught:
        api.call(world.project, "query", "profiles")
    assert 55 < caught.value.retry_after_s <= 60
    assert len(world.server.requests) == 2
    assert not world.slept


def test_a_caller_may_wait_and_is_told_how_long(world: World) -> None:
    api, told = world.api(rates=TIGHT), list[Estimate]()
    for _ in range(2):
        api.call(world.project, "query", "profiles")
    with pytest.raises(OutOfBudget):  # the test's sleep is none: time does not pass
        api.call(world.project, "query", "profiles", wait=Wait(100.0, told.append))
    assert [one.why for one in told] == ["budget"]
    assert 55 < told[0].wait_s <= 61


def test_a_call_that_never_reaches_mixpanel_costs_no_slot(world: World) -> None:
    api = world.api(rates=TIGHT)
    nowhere = Options(host="http://127.0.0.1:1", retries=NO_RETRIES)
    for _ in range(3):
        with pytest.raises(CallFailed) as caught:
            api.call(world.project, "query", "profiles", options=nowhere)
        assert caught.value.problem.code == "unreachable"
    assert api.budget(world.project.id)["query"].windows[0].left == 2


def test_each_familys_budget_is_its_own(world: World) -> None:
    api = world.api()
    left = api.budget(world.project.id)
    most = {name: [window.most for window in one.windows] for name, one in left.items()}
    assert most == {
        "query": [60, 3],
        "export": [60, 3],
        "lexicon": [5],
        "gdpr": [1],
        "ingestion": [1_800_000, 2_000_000_000],
    }
    assert {name: one.most_at_once for name, one in left.items()} == {
        "query": 5,
        "export": 100,
        "lexicon": 5,
        "gdpr": 5,
        "ingestion": None,
    }
    world.server.behaviour = lambda _request: Reply(200, b'{"status": "ok", "results": {}}')
    api.call(world.project, "gdpr", "get-deletion", {"tracking_id": "x"})
    with pytest.raises(OutOfBudget):
        api.call(world.project, "gdpr", "get-deletion", {"tracking_id": "x"})
    api.call(world.project, "lexicon", "list")
    world.server.behaviour = lambda _request: Reply(200, b"1")
    api.call(world.project, "ingestion", "profile-add", body=RECORDS)
    left = api.budget(world.project.id)
    assert (left["lexicon"].windows[0].left, left["gdpr"].windows[0].left) == (4, 0)
    assert left["gdpr"].next_slot_s > 0
    assert ("lexicon", "1m", 4) in api.requests_left(world.project.id)
    assert left["ingestion"].windows[0].left == 1_800_000 - 1


def test_a_200_that_is_none_is_a_failure_that_says_what_to_do(world: World) -> None:
    world.server.behaviour = lambda _request: Reply(200, b'{"status": 0, "error": "token, missing or empty"}')
    with pytest.raises(CallFailed) as caught:
        world.api().call(world.project, "ingestion", "profile-add", body=RECORDS)
    assert caught.value.problem.code == "invalid_records"
    assert "missing or empty" in caught.value.answered


def test_the_legacy_table_is_read_from_a_400(world: World) -> None:
    project = replace(world.project, project_secret=Secret("s"), api_key=Secret("k"))
    world.server.behaviour = lambda _request: Reply(400, b'{"error": "Invalid request signature"}')
    with pytest.raises(CallFailed) as caught:
        world.api().call(project, "legacy", "events-names", {"type": "general"})
    assert caught.value.problem.code == "invalid_signature"


def test_a_signed_request_is_signed_anew_when_it_is_tried_again(world: World) -> None:
    project = replace(world.project, project_secret=Secret("s"), api_key=Secret("k"))
    world.server.behaviour = lambda _request: Reply(200 if len(world.server.requests) > 1 else 503, b"{}")
    api = world.api(sleep=lambda _seconds: time.sleep(1.05))
    api.call(project, "legacy", "events-names", {"type": "general"})
    first, second = [parse_qs(request.query) for request in world.server.requests]
    assert int(second["expire"][0]) > int(first["expire"][0])
    assert second["sig"] != first["sig"]


def test_an_export_can_be_taken_whole(world: World) -> None:
    lines = b'{"event": "A", "properties": {"computed_at": 1}}\n' * 2
    world.server.behaviour = lambda _request: Reply(200, lines)
    result = world.api().call(world.project, "export", "events", DAYS)
    assert result.body == lines
    assert result.computed_at.endswith("+00:00")


def test_an_answer_without_a_body_is_one_where_its_status_says_so(world: World) -> None:
    world.server.behaviour = lambda _request: Reply(204, b"")
    assert world.api().call(world.project, "query", "profiles").status == 204


def test_a_use_of_the_project_secret_is_warned_of_once_and_each_time_told_to_the_caller(world: World) -> None:
    project = replace(world.project, service_account=None, project_secret=Secret("s"))
    api = world.api()
    with capture_logs() as logs:
        results = [api.call(project, "query", "profiles") for _ in range(2)]
    assert [one["event"] for one in logs if one["log_level"] == "warning"] == ["project_secret_retires"]
    assert all("3 March 2027" in result.warnings[0] for result in results)


def test_profiles_are_paged_to_the_last_in_one_session(world: World) -> None:
    def behaviour(request: Request) -> Reply:
        form = parse_qs(request.body.decode())
        page = int(form.get("page", ["0"])[0])
        assert not page or form["session_id"] == ["s"]
        rows = [{"$distinct_id": str(page)}] * (2 if page < 2 else 1)
        answer = {"page": page, "page_size": 2, "session_id": "s", "results": rows, "status": "ok"}
        return Reply(200, orjson.dumps(answer))

    world.server.behaviour = behaviour
    pages = list(world.api().profiles(world.project, {"where": "true"}))
    assert [len(page["results"]) for page in pages] == [2, 2, 1]


def test_a_forgotten_session_says_so(world: World) -> None:
    world.server.behaviour = lambda _request: Reply(400, b'{"error": "no such session"}')
    with pytest.raises(CallFailed) as caught:
        world.api().call(world.project, "query", "profiles", {"page": 1, "session_id": "s"})
    assert caught.value.problem.code == "session_expired"


def test_a_raw_request_goes_out_with_credential_and_budget(world: World) -> None:
    api = world.api()
    world.server.behaviour = lambda _request: Reply(200, b"\x89PNG", {"Content-Type": "image/png"})
    result = api.raw(world.project, "query", RawRequest("PATCH", "/new/thing", json={"a": 1}))
    (request,) = world.server.requests
    assert (request.method, request.path, request.query) == ("PATCH", "/new/thing", "project_id=2195193")
    assert (request.body, result.body, result.content_type) == (b'{"a":1}', b"\x89PNG", "image/png")
    assert api.budget(world.project.id)["query"].windows[0].left == 59


def test_a_raw_post_is_not_tried_again_unless_it_is_said_to_be_harmless(world: World) -> None:
    world.server.behaviour = lambda _request: Reply(500)
    for idempotent, requests in ((None, 1), (True, 4)):
        world.server.requests.clear()
        with pytest.raises(CallFailed):
            world.api().raw(world.project, "annotations", RawRequest("POST", "/x", idempotent=idempotent))
        assert len(world.server.requests) == requests


def test_what_is_not_in_the_catalog_is_named(world: World) -> None:
    for family, name in (("query", "nothing"), ("nothing", "at-all")):
        with pytest.raises(InvalidArguments):
            world.api().call(world.project, family, name)
    with pytest.raises(InvalidArguments):
        world.api().raw(world.project, "nothing", RawRequest("GET", "/x"))


def test_a_request_may_not_take_longer_than_the_lease_of_its_slot(world: World) -> None:
    with pytest.raises(InvalidArguments):
        world.api().call(world.project, "query", "profiles", options=Options(timeout_s=3_600))
