"""Read cohorts of a sandbox, which shares no code with the client: page by page, interrupted, forgotten."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import redis
from flask import Flask
from werkzeug.serving import make_server

from app.mixpanel.errors import (
    CredentialRefused,
    MixpanelError,
    Rejected,
    Retryable,
    SessionExpired,
    Throttled,
)
from app.mixpanel.query import Query
from app.mixpanel.query_answers import MembersPage
from app.mixpanel.query_budget import query_rates
from app.mixpanel.request_budget import RequestBudget, Window
from app.mixpanel.transport import Transport
from app.sandbox.application import create_sandbox
from app.sandbox.config import ApiHabits, Limits, SandboxConfig
from app.sandbox.faults import Fault
from app.sandbox.machine import Machine, machine_of
from app.sandbox.population.conditions import Condition
from config.projects import Project, ServiceAccount
from config.secret import Secret

IDS = [f"u-{number:03}" for number in range(25)]
ONE, EXACT, NONE, UNKNOWN = "1001", "1002", "1003", "1004"


@pytest.fixture
def sandbox() -> Iterator[Flask]:
    app = create_sandbox(SandboxConfig(profiles=0, cohorts=0))
    machine = machine_of(app)
    machine.controls.api = ApiHabits(query_page_size=8)
    machine.controls.limits = Limits(queries_a_second=1000, queries_an_hour=1000)
    people = {one: {"at": at, "vip": at < 24, "name": f"N{at}"} for at, one in enumerate(IDS)}
    machine.profiles.write(people, 0)
    machine.cohorts.create("All", "", [Condition("at", "at_least", 0)])
    machine.cohorts.create("Exactly three pages", "", [Condition("vip", "equals", value=True)])
    machine.cohorts.create("Nobody", "", [Condition("at", "at_least", 1000)])
    yield app
    machine.close()


@pytest.fixture
def machine(sandbox: Flask) -> Machine:
    return machine_of(sandbox)


@pytest.fixture
def url(sandbox: Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, sandbox, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/api/query"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def reader(project: Project, url: str) -> Project:
    account = ServiceAccount("sandbox-account", Secret("sandbox-secret"))
    return replace(project, service_account=account, hosts=replace(project.hosts, query=url))


def client(redis_client: redis.Redis, transport: Transport) -> Query:
    """Return a client whose own budget never stands in the way."""
    rates = replace(query_rates(timeout_s=5), windows=(Window(10_000, 60),))
    return Query(transport, RequestBudget(redis_client, rates))


@pytest.fixture
def query(redis_client: redis.Redis, transport: Transport) -> Query:
    return client(redis_client, transport)


class Reading:
    """What a caller keeps: the pages so far. It goes on where it stopped."""

    def __init__(self, query: Query, project: Project, cohort_id: str) -> None:
        self._query, self._project, self._cohort_id = query, project, cohort_id
        self.pages: list[MembersPage] = []

    def step(self) -> MembersPage:
        last = self.pages[-1] if self.pages else None
        page = self._query.page(
            self._project,
            self._cohort_id,
            len(self.pages),
            last.session_id if last else None,
            ("name",),
            page_size=last.page_size if last else None,
        )
        self.pages.append(page)
        return page

    def read(self) -> list[str]:
        while not (self.pages and self.pages[-1].last):
            self.step()
        return [distinct_id for page in self.pages for distinct_id, _ in page.members]


@pytest.mark.parametrize(
    ("cohort_id", "expected", "pages"), [(ONE, IDS, 4), (EXACT, IDS[:24], 4), (NONE, [], 1)]
)
def test_a_cohort_is_read_to_its_end(
    query: Query, reader: Project, cohort_id: str, expected: list[str], pages: int
) -> None:
    reading = Reading(query, reader, cohort_id)
    assert reading.read() == expected
    assert len(reading.pages) == pages
    assert {page.total for page in reading.pages} == {len(expected)}
    shown = [properties for page in reading.pages for _, properties in page.members]
    assert shown == [{"name": f"N{number}"} for number in range(len(expected))]


def test_cohorts_are_listed_with_their_counts(query: Query, reader: Project) -> None:
    assert [(one.id, one.name, one.count) for one in query.cohorts(reader)] == [
        (ONE, "All", 25),
        (EXACT, "Exactly three pages", 24),
        (NONE, "Nobody", 0),
    ]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault("api", "status", status=503), Retryable),
        (Fault("api", "status", status=429, retry_after_s=7), Throttled),
        (Fault("api", "status", status=401), CredentialRefused),
        (Fault("api", "cut"), Retryable),
        (Fault("api", "cut", when="after"), Retryable),
    ],
)
def test_a_read_that_is_interrupted_goes_on_where_it_stopped_although_people_come_and_go(
    query: Query, reader: Project, machine: Machine, fault: Fault, kind: type[MixpanelError]
) -> None:
    reading = Reading(query, reader, ONE)
    reading.step()
    reading.step()
    machine.faults.add(fault)
    with pytest.raises(kind):
        reading.step()
    machine.profiles.write({"new": {"at": 5}, IDS[0]: None, IDS[20]: None}, 0)
    assert reading.read() == IDS
    assert len(reading.pages) == 4


def test_another_process_can_go_on(redis_client: redis.Redis, reader: Project, make_transport: Any) -> None:
    first = Reading(client(redis_client, make_transport()), reader, ONE)
    first.step()
    second = Reading(client(redis_client, make_transport()), reader, ONE)
    second.pages = first.pages
    assert second.read() == IDS


def test_a_session_that_is_forgotten_or_too_old_is_told_and_a_new_one_reads_all(
    query: Query, reader: Project, machine: Machine
) -> None:
    for forget in (machine.api.query.sessions.clear, lambda: machine.clock.advance(25 * 3600)):
        reading = Reading(query, reader, ONE)
        reading.step()
        forget()
        with pytest.raises(SessionExpired):
            reading.step()
        assert Reading(query, reader, ONE).read() == IDS


def test_a_cohort_that_is_not_there_and_a_credential_that_is_not_right_are_refused(
    query: Query, reader: Project
) -> None:
    with pytest.raises(Rejected, match=f"cohort {UNKNOWN}"):
        query.page(reader, UNKNOWN, 0)
    stranger = replace(reader, service_account=ServiceAccount("sandbox-account", Secret("wrong")))
    for ask in (lambda: query.cohorts(stranger), lambda: query.page(stranger, ONE, 0)):
        with pytest.raises(CredentialRefused):
            ask()


def test_fifty_callers_inside_our_budget_never_see_a_429(
    redis_client: redis.Redis, transport: Transport, reader: Project, machine: Machine
) -> None:
    """Both sides count by their own clocks; ours takes each window longer than it is, here a good deal."""
    machine.controls.limits = Limits(queries_an_hour=6, queries_a_second=3, queries_at_once=5)
    budget = RequestBudget(redis_client, query_rates(timeout_s=5, an_hour=6), uneven_s=1.5)
    query, answers = Query(transport, budget), list[str]()
    stop = threading.Event()

    def call() -> None:
        while not stop.is_set() and budget.left(reader.id).windows[0]:
            try:
                query.cohorts(reader)
                answers.append("ok")
            except MixpanelError as error:
                answers.append(error.code)
                stop.wait(0.05)

    threads = [threading.Thread(target=call) for _ in range(50)]
    timer = threading.Timer(20, stop.set)
    timer.start()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    timer.cancel()
    assert answers.count("ok") == 6
    assert set(answers) == {"ok", "over_budget"}
