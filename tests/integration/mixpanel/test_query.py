"""What the client sends, and what it makes of answers, refusals, cuts and full budgets."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

import orjson
import pytest
import redis

from app.mixpanel.errors import (
    CredentialRefused,
    MixpanelError,
    OverBudget,
    Rejected,
    Retryable,
    SessionExpired,
    Throttled,
)
from app.mixpanel.query import MAX_ANSWER_BYTES, Query
from app.mixpanel.query_budget import query_rates
from app.mixpanel.request_budget import Left, RequestBudget
from app.mixpanel.transport import Transport
from config.projects import Project, ServiceAccount
from config.secret import Secret
from tests.integration.mixpanel.server import Reply, Server

RATES = query_rates(timeout_s=5)
NOW_US = 1_785_000_000_000_000


@pytest.fixture
def reader(project: Project, server: Server) -> Project:
    account = ServiceAccount("relay", Secret("account-hush"))
    return replace(
        project, service_account=account, hosts=replace(project.hosts, query=f"{server.url}/api/query")
    )


@pytest.fixture
def query(transport: Transport, redis_client: redis.Redis) -> Query:
    return Query(transport, RequestBudget(redis_client, RATES, now_us=lambda: NOW_US))


@pytest.fixture
def asking(query: Query, reader: Project, server: Server) -> tuple[Query, Project, Server]:
    return query, reader, server


def members(*ids: str, **changes: Any) -> Reply:
    answer: dict[str, Any] = {
        "page": 0,
        "page_size": 2,
        "results": [{"$distinct_id": one, "$properties": {"plan": "pro"}} for one in ids],
        "session_id": "1-A",
        "status": "ok",
        "total": None,
    }
    return Reply(body=orjson.dumps(answer | changes))


def form(server: Server) -> dict[str, str]:
    return {name: value for name, (value,) in parse_qs(server.requests[-1].body.decode()).items()}


def test_a_query_is_what_the_documentation_asks_for(query: Query, reader: Project, server: Server) -> None:
    server.behaviour = lambda _request: members("a")
    page = query.page(reader, "12345", 0, output_properties=["plan", "E-mail & more"])
    sent = server.requests[-1]
    assert (sent.path, sent.query) == ("/api/query/engage", "project_id=2195193")
    assert sent.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert sent.headers["Authorization"] == "Basic cmVsYXk6YWNjb3VudC1odXNo"
    assert sent.headers["X-Mixpanel-Integration-ID"] == "my-company"
    assert form(server) == {
        "filter_by_cohort": '{"id":12345}',
        "include_all_users": "true",
        "output_properties": '["plan","E-mail & more"]',
        "page": "0",
    }
    assert page.members == [("a", {"plan": "pro"})]


def test_a_further_page_names_its_session(query: Query, reader: Project, server: Server) -> None:
    server.behaviour = lambda _request: members("c", page=1)
    assert query.page(reader, "1", 1, "1-A", page_size=2).last
    assert (form(server)["page"], form(server)["session_id"]) == ("1", "1-A")


def test_without_properties_profiles_do_not_come_whole(query: Query, reader: Project, server: Server) -> None:
    server.behaviour = lambda _request: members("a")
    assert query.page(reader, "1", 0).members == [("a", {})]
    assert form(server)["output_properties"] == '["$last_seen"]'


def test_cohorts_are_listed_by_one_query(query: Query, reader: Project, server: Server) -> None:
    server.behaviour = lambda _request: Reply(body=b'[{"id": 7, "name": "VIP", "count": 3}]')
    (cohort,) = query.cohorts(reader)
    assert (cohort.id, cohort.name, cohort.count) == ("7", "VIP", 3)
    assert (server.requests[-1].path, server.requests[-1].query) == (
        "/api/query/cohorts/list",
        "project_id=2195193",
    )


@pytest.mark.parametrize("cohort_id", ["", "a", "1 ", "-1", "\uff11", '1}, "x": {'])
def test_an_id_that_is_no_number_is_not_sent(
    query: Query, reader: Project, server: Server, cohort_id: str
) -> None:
    with pytest.raises(ValueError, match="number"):
        query.page(reader, cohort_id, 0)
    assert not server.requests


def test_a_further_page_without_a_session_is_not_sent(query: Query, reader: Project, server: Server) -> None:
    with pytest.raises(ValueError, match="session"):
        query.page(reader, "1", 1)
    assert not server.requests


def test_a_project_without_a_service_account_is_not_asked(
    query: Query, project: Project, server: Server
) -> None:
    for ask in (lambda: query.cohorts(project), lambda: query.page(project, "1", 0)):
        with pytest.raises(CredentialRefused, match="no service account") as caught:
            ask()
        assert caught.value.status == 0
    assert not server.requests


Ask = Callable[[Query, Project], object]
Asking = tuple[Query, Project, Server]
ASKS: dict[str, Ask] = {
    "cohorts": lambda query, project: query.cohorts(project),
    "first": lambda query, project: query.page(project, "77", 0),
    "further": lambda query, project: query.page(project, "77", 3, "1-A"),
}


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
@pytest.mark.parametrize(
    ("kind", "reply"),
    [
        (CredentialRefused, Reply(401)),
        (CredentialRefused, Reply(403)),
        (Throttled, Reply(429, headers={"Retry-After": "30"})),
        (Retryable, Reply(503)),
        (Retryable, Reply(200, b"<html>")),
        (Retryable, Reply(200, b'{"error": "timed out"}')),
        (Retryable, Reply(cut="before")),
        (Retryable, Reply(200, b'[{"id": 7, "name": "VIP", "count": 3}]', cut="body")),
    ],
)
def test_what_goes_wrong_has_its_usual_name_and_gives_the_slot_back(
    asking: Asking, ask: Ask, kind: type[MixpanelError], reply: Reply
) -> None:
    query, reader, server = asking
    server.behaviour = lambda _request: reply
    with pytest.raises(kind):
        ask(query, reader)
    assert query.budget.left(reader.id) == Left((59, 2), 5)


@pytest.mark.parametrize("status", [400, 404])
def test_a_refusal_means_the_cohort_at_first_and_the_session_later(
    query: Query, reader: Project, server: Server, status: int
) -> None:
    said = b'{"error": "request for page in uncached query for params: secret-of-mixpanel"}'
    server.behaviour = lambda _request: Reply(status, said)
    with pytest.raises(Rejected, match="is there a cohort 77") as refused:
        ASKS["first"](query, reader)
    with pytest.raises(SessionExpired, match="from page 0") as expired:
        ASKS["further"](query, reader)
    with pytest.raises(Rejected, match=f"refused \\({status}\\)"):
        ASKS["cohorts"](query, reader)
    assert "secret" not in f"{refused.value}{expired.value}"


def test_nothing_is_sent_without_a_slot(query: Query, reader: Project, server: Server) -> None:
    server.behaviour = lambda _request: Reply(body=b"[]")
    for _ in range(3):
        query.cohorts(reader)
    with pytest.raises(OverBudget) as caught:
        query.cohorts(reader)
    assert caught.value.retry_after_s == 1.25
    assert len(server.requests) == 3


def test_further_pages_do_not_count_towards_the_hour_where_the_setting_says_so(
    asking: Asking, transport: Transport, redis_client: redis.Redis
) -> None:
    query, reader, server = asking
    free = query_rates(timeout_s=5, pages_count=False)
    query = Query(transport, RequestBudget(redis_client, free, now_us=lambda: NOW_US))
    server.behaviour = lambda _request: members("a")
    query.page(reader, "1", 0)
    server.behaviour = lambda _request: members("a", page=1)
    query.page(reader, "1", 1, "1-A")
    assert query.budget.left(reader.id).windows == (59, 1)


def test_a_mixpanel_that_is_not_there_costs_no_budget(
    query: Query, reader: Project, redis_client: redis.Redis
) -> None:
    away = replace(reader, hosts=replace(reader.hosts, query="http://127.0.0.1:9/api/query"))
    for _ in range(5):
        with pytest.raises(Retryable):
            query.cohorts(away)
    assert query.budget.left(reader.id) == Left((60, 3), 5)


def test_a_page_of_a_thousand_with_properties_fits_and_one_without_end_is_refused(
    query: Query, reader: Project, server: Server
) -> None:
    long = {"plan": "x" * 10_000}
    results = [{"$distinct_id": f"u{number}", "$properties": long} for number in range(1_000)]
    server.behaviour = lambda _request: members(results=results, page_size=1_000)
    page = query.page(reader, "1", 0, output_properties=["plan"])
    assert len(page.members) == 1_000
    assert page.members[999] == ("u999", long)
    server.behaviour = lambda _request: Reply(body=b"[" + b" " * (MAX_ANSWER_BYTES + 100_000) + b"]")
    with pytest.raises(Rejected, match="page 0 of cohort 1 is too large to be taken in"):
        query.page(reader, "1", 0)


def test_an_estimate_is_about_pages(query: Query, reader: Project) -> None:
    assert query.estimate(reader.id, 999) == 0
    assert 3_600 < query.estimate(reader.id, 60_000) < 3_601


def test_no_secret_and_nobody_shows_in_what_is_printed(query: Query, reader: Project, server: Server) -> None:
    server.behaviour = lambda _request: members("somebody")
    assert "somebody" not in repr(query.page(reader, "1", 0))
    server.behaviour = lambda _request: members("somebody", page_size=0)
    with pytest.raises(Retryable) as caught:
        query.page(reader, "1", 0)
    assert "somebody" not in f"{caught.value!r} {caught.value}"
