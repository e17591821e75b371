import threading
from collections.abc import Callable
from typing import Any

import pytest

from app.sandbox.config import ApiHabits, Limits
from app.sandbox.faults import Fault
from app.sandbox.machine import Machine
from app.sandbox.population.conditions import Condition
from tests.unit.sandbox.calls import TOKEN, decoded, query, query_cohorts
from tests.unit.sandbox.doubles import START_S, MovedClock

SECRET = ("sandbox-project-secret", "")
IDS = [f"u-{number:03}" for number in range(25)]


@pytest.fixture
def machine(make_machine: Callable[..., Machine]) -> Machine:
    machine = make_machine(profiles=0, cohorts=0)
    profiles = {one: {"in": at < 20, "at": at, "$email": f"{one}@x"} for at, one in enumerate(IDS)}
    machine.profiles.write(profiles, int(START_S * 1000))
    machine.cohorts.create("VIP", "who is in", [Condition("in", "equals", value=True)])
    machine.controls.api = ApiHabits(query_page_size=8)
    machine.controls.limits = Limits(queries_a_second=1000)
    return machine


COHORT = {"id": 1001}


def ids(page: Any) -> list[str]:
    return [one["$distinct_id"] for one in page["results"]]


def error(answer: Any) -> str:
    return str(decoded(answer)["error"])


def test_the_first_page_begins_a_session_and_the_others_read_it_on(machine: Machine) -> None:
    first = decoded(query(machine, filter_by_cohort=COHORT))
    assert {name: first[name] for name in ("page", "page_size", "status", "total")} == {
        "page": 0,
        "page_size": 8,
        "status": "ok",
        "total": 20,
    }
    session = first["session_id"]
    further = [
        decoded(query(machine, filter_by_cohort=COHORT, page=page, session_id=session)) for page in (1, 2, 3)
    ]
    assert [one["session_id"] for one in further] == [session] * 3
    assert [len(one["results"]) for one in (first, *further)] == [8, 8, 4, 0]
    assert [one for page in (first, *further) for one in ids(page)] == IDS[:20]


def test_who_was_found_stays_so_while_pages_are_read(machine: Machine) -> None:
    session = decoded(query(machine, filter_by_cohort=COHORT))["session_id"]
    machine.profiles.write({IDS[10]: {"in": False}, IDS[11]: None, IDS[22]: {"in": True}}, 0)
    machine.controls.api = ApiHabits(query_page_size=3)

    page = decoded(query(machine, filter_by_cohort=COHORT, page=1, session_id=session))
    assert ids(page) == IDS[8:16]
    assert page["results"][3] == {"$distinct_id": IDS[11], "$properties": {}}
    anew = decoded(query(machine, filter_by_cohort=COHORT))
    assert (anew["page_size"], anew["total"]) == (3, 19)


def test_properties_come_whole_or_as_named(machine: Machine) -> None:
    assert decoded(query(machine, distinct_id="u-001"))["results"] == [
        {"$distinct_id": "u-001", "$properties": {"in": True, "at": 1, "$email": "u-001@x"}}
    ]
    named = decoded(query(machine, distinct_ids=["u-001", "u-002", "x"], output_properties=["at", "none"]))
    assert [one["$properties"] for one in named["results"]] == [{"at": 1}, {"at": 2}]


def test_without_a_cohort_everybody_is_found(machine: Machine) -> None:
    assert decoded(query(machine))["total"] == 25
    assert decoded(query(machine, include_all_users=False, filter_by_cohort=COHORT))["total"] == 20


@pytest.mark.parametrize("form", [{"page": 1}, {"page": 0}, {}])
@pytest.mark.parametrize("session", ["gone", "other", "expired"])
def test_a_session_that_is_not_this_querys_or_too_old_is_refused(
    machine: Machine, clock: MovedClock, session: str, form: dict[str, Any]
) -> None:
    found = decoded(query(machine, filter_by_cohort=COHORT))["session_id"]
    assert query(machine, filter_by_cohort=COHORT, session_id=found, **form).status == 200
    if session == "expired":
        clock.advance(24 * 3600)
    asked: dict[str, Any] = {} if session == "other" else {"filter_by_cohort": COHORT}
    answer = query(machine, session_id="none" if session == "gone" else found, **asked, **form)
    assert (answer.status, error(answer)) == (400, "request for page in uncached query for params")


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"where": 'properties["a"] ~ 1'}, "where"),
        ({"behaviors": "[]"}, "behaviors"),
        ({"page": "1"}, "session_id"),
        ({"page": "-1"}, "page"),
        ({"page": "x"}, "page"),
        ({"filter_by_cohort": "1001"}, "filter_by_cohort"),
        ({"filter_by_cohort": '{"id": "1001"}'}, "filter_by_cohort"),
        ({"filter_by_cohort": '{"id": 9}'}, "filter_by_cohort"),
        ({"filter_by_cohort": "{"}, "filter_by_cohort"),
        ({"output_properties": '"a"'}, "output_properties"),
        ({"include_all_users": "maybe"}, "include_all_users"),
    ],
)
def test_a_query_with_a_mistake_is_answered_400_with_a_sentence(
    machine: Machine, form: dict[str, Any], said: str
) -> None:
    answer = query(machine, **form)
    assert answer.status == 400
    assert error(answer).startswith(f"{said}: ")


def test_account_and_secret_read_and_the_token_does_not(machine: Machine) -> None:
    for ask in (query, query_cohorts):
        assert ask(machine).status == ask(machine, who=SECRET).status == 200
        for who in (None, (TOKEN, ""), ("sandbox-account", "wrong")):
            assert ask(machine, who=who).status == 401
    assert query(machine, project_id="1").status == 401


def test_cohorts_are_listed_with_their_counts(machine: Machine) -> None:
    (cohort,) = decoded(query_cohorts(machine))
    assert cohort.pop("created")
    assert cohort == {
        "id": 1001,
        "name": "VIP",
        "description": "who is in",
        "count": 20,
        "is_visible": 1,
        "project_id": 2195193,
    }


def test_there_are_three_queries_a_second_and_sixty_an_hour(machine: Machine, clock: MovedClock) -> None:
    machine.controls.limits = Limits()
    assert [query(machine).status for _ in range(4)] == [200, 200, 200, 429]
    clock.advance(1)
    machine.controls.limits = Limits(queries_an_hour=4)
    assert [query_cohorts(machine).status for _ in range(2)] == [200, 429]
    clock.advance(3600)
    assert query(machine).status == 200


@pytest.mark.parametrize(
    ("habit", "expected"), [("counted", [200, 200, 429, 429]), ("free", [200, 200, 200, 429])]
)
def test_whether_further_pages_count_is_a_habit(machine: Machine, habit: Any, expected: list[int]) -> None:
    machine.controls.api = ApiHabits(query_page_size=8, query_pages=habit)
    machine.controls.limits = Limits(queries_an_hour=2)
    first = query(machine)
    further = query(machine, page=1, session_id=decoded(first)["session_id"])
    assert [first.status, further.status, *(query(machine).status for _ in range(2))] == expected


def test_five_queries_are_answered_at_once(machine: Machine) -> None:
    machine.faults.add(Fault("api", "delay", count=5, delay_s=60, path="/query/engage"))
    answers: list[int] = []
    slow = [threading.Thread(target=lambda: answers.append(query(machine).status)) for _ in range(5)]
    for thread in slow:
        thread.start()
    while machine.faults.active():
        machine.stop.wait(0.001)
    assert query(machine).status == 429
    machine.stop.set()
    for thread in slow:
        thread.join()
    assert answers == [200] * 5
    assert query(machine).status == 200


def test_faults_strike_queries_by_their_path(machine: Machine) -> None:
    machine.faults.add(Fault("api", "status", status=503, path="/query/cohorts/list"))
    assert query(machine).status == 200
    assert [query_cohorts(machine).status for _ in range(2)] == [503, 200]
    machine.faults.add(Fault("api", "partial", path="/query/engage"))
    assert query(machine).status == 200
    assert machine.journal.counters()["query_cohorts_list_status_503"] == 1
