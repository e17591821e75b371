from collections.abc import Callable
from typing import Any

import orjson
import pytest

from app.sandbox.config import Limits
from app.sandbox.faults import Fault
from app.sandbox.machine import Machine
from tests.unit.sandbox.asking import PROJECT, SECRET, ask
from tests.unit.sandbox.calls import ACCOUNT, TOKEN, decoded, event, export, query, query_cohorts, send_import
from tests.unit.sandbox.doubles import MovedClock

ADMIN, ANALYST, CONSUMER = (
    (f"sandbox-{role}", "sandbox-secret") for role in ("admin", "analyst", "consumer")
)
NAMES = "/api/query/events/names"
SCHEMAS = f"{PROJECT}/schemas"
ANNOTATION = {"date": "2026-09-01 12:00:00", "description": "Launch"}
ACCOUNTS = "/api/app/organizations/4195193/service-accounts"


@pytest.fixture
def machine(make_machine: Callable[..., Machine]) -> Machine:
    return make_machine(profiles=5, cohorts=1)


def names(machine: Machine, who: Any = ACCOUNT, **query: str) -> int:
    return ask(machine, "GET", NAMES, who, type="general", **query).status


def test_a_query_takes_an_account_with_its_project_or_the_secret(machine: Machine) -> None:
    machine.controls.limits = Limits(queries_a_second=100)
    assert names(machine) == names(machine, CONSUMER) == names(machine, SECRET) == 200
    assert names(machine, SECRET, project_id="") == 200
    for who in (None, (TOKEN, ""), ("sandbox-account", "wrong"), ("nobody", "sandbox-secret")):
        assert names(machine, who) == 401
    assert names(machine, project_id="") == names(machine, project_id="1") == 403


@pytest.mark.parametrize(
    ("who", "statuses"),
    [
        (CONSUMER, [200, 403, 403]),
        (ANALYST, [200, 201, 403]),
        (ADMIN, [200, 201, 200]),
        (ACCOUNT, [200, 201, 200]),
    ],
)
def test_what_an_account_may_do_is_its_role(machine: Machine, who: Any, statuses: list[int]) -> None:
    answers = [
        ask(machine, "GET", f"{PROJECT}/annotations", who),
        ask(machine, "POST", f"{PROJECT}/annotations", who, ANNOTATION),
        ask(machine, "GET", ACCOUNTS, who),
    ]
    assert [answer.status for answer in answers] == statuses
    if 403 in statuses:
        assert decoded(answers[2])["status"] == "error"


def test_importing_needs_an_admin_and_reading_only_a_consumer(machine: Machine) -> None:
    statuses = [send_import(machine, [event()], who=who).status for who in (CONSUMER, ANALYST, ADMIN)]
    assert statuses == [401, 401, 200]
    assert export(machine, who=CONSUMER).status == query(machine, who=CONSUMER).status == 200


def test_an_account_that_was_made_is_recognized_until_it_ends_or_goes(
    machine: Machine, clock: MovedClock
) -> None:
    machine.controls.limits = Limits(queries_a_second=100)
    made = {
        "username": "reader",
        "projects": [{"id": 2195193, "role": "consumer"}],
        "expires": "2026-09-22T00:00:00Z",
    }
    account = decoded(ask(machine, "POST", ACCOUNTS, body=made))["results"]
    who = (account["username"], account["token"])
    assert names(machine, who) == 200
    assert decoded(ask(machine, "GET", f"{ACCOUNTS}/{account['id']}"))["last_used"] > account["created"][:10]

    taken = {"projects": [{"id": 2195193, "service_account_ids": [account["id"]]}]}
    assert ask(machine, "POST", f"{ACCOUNTS}/remove-from-project", body=taken).status == 200
    assert names(machine, who) == 403
    assert export(machine, who=who).status == query(machine, who=who).status == 401
    given = {"projects": [{"id": 2195193, "role": "analyst"}], "service_account_ids": [account["id"]]}
    assert ask(machine, "POST", f"{ACCOUNTS}/add-to-project", body=given).status == 200
    assert names(machine, who) == 200
    clock.advance(86_400)
    assert names(machine, who) == 401


def test_the_sandboxs_own_accounts_stay(machine: Machine) -> None:
    assert ask(machine, "DELETE", f"{ACCOUNTS}/1").status == 400
    assert ask(machine, "DELETE", f"{ACCOUNTS}/99").status == 404
    assert ask(machine, "GET", "/api/app/organizations/1/service-accounts").status == 403
    assert ask(machine, "GET", "/api/app/workspaces/1/experiments").status == 403


def test_all_queries_share_one_budget(machine: Machine, clock: MovedClock) -> None:
    assert [names(machine), query(machine).status, query_cohorts(machine).status] == [200] * 3
    assert names(machine) == query(machine).status == 429
    clock.advance(1)
    machine.controls.limits = Limits(queries_an_hour=4)
    assert [names(machine), names(machine)] == [200, 429]
    clock.advance(3600)
    assert names(machine) == 200


def test_whoever_is_refused_uses_nothing_of_a_budget(machine: Machine) -> None:
    assert [names(machine, None) for _ in range(9)] == [401] * 9
    assert [names(machine) for _ in range(4)] == [200, 200, 200, 429]


def test_exports_have_a_budget_of_their_own(machine: Machine, clock: MovedClock) -> None:
    assert [export(machine).status for _ in range(4)] == [200, 200, 200, 429]
    assert names(machine) == 200
    clock.advance(1)
    machine.controls.limits = Limits(exports_an_hour=4)
    assert [export(machine).status for _ in range(2)] == [200, 429]
    clock.advance(3600)
    machine.controls.limits = Limits(exports_at_once=0)
    assert export(machine).status == 429


def test_the_lexicon_takes_five_requests_a_minute(machine: Machine, clock: MovedClock) -> None:
    def listed() -> int:
        return ask(machine, "GET", SCHEMAS).status

    assert [listed() for _ in range(6)] == [200] * 5 + [429]
    clock.advance(61)
    assert listed() == 200


def test_the_lexicon_takes_fewer_than_4000_entries_a_minute(machine: Machine, clock: MovedClock) -> None:
    def uploaded(properties: int) -> int:
        schema = {"properties": {f"p{number}": {"type": "string"} for number in range(properties)}}
        entry = {"entityType": "event", "name": "E", "schemaJson": schema}
        return ask(machine, "POST", SCHEMAS, body={"entries": [entry]}).status

    assert [uploaded(3998), uploaded(0)] == [200, 429]
    clock.advance(61)
    assert uploaded(3999) == 429


def test_a_fault_strikes_an_endpoint_by_its_path(machine: Machine) -> None:
    machine.faults.add(Fault("api", "status", status=503, path="/annotations"))
    assert names(machine) == 200
    statuses = [ask(machine, "GET", f"{PROJECT}/annotations").status for _ in range(2)]
    assert statuses == [503, 200]
    counters = machine.journal.counters()
    assert counters["annotations_status_503"] == counters["annotations_status_200"] == 1
    assert counters["query_events_names_requests"] == 1


def test_every_operation_can_be_struck(machine: Machine) -> None:
    for operation in machine.api.desk.operations:
        Fault("api", "status", path=operation.name)


def test_two_operations_never_answer_at_one_place(machine: Machine) -> None:
    places = [(one.method, one.rule) for one in machine.api.desk.operations]
    assert len(set(places)) == len(places)


def test_a_mistake_about_flags_and_experiments_is_a_200_that_is_none(machine: Machine) -> None:
    answer = ask(machine, "GET", "/api/app/workspaces/3195193/experiments/none")
    assert (answer.status, decoded(answer)["type"]) == (200, "not_found")
    answer = ask(machine, "POST", "/api/app/workspaces/3195193/experiments", body={})
    assert orjson.loads(answer.body) == {
        "status": "error",
        "type": "validation_error",
        "error": "name: required",
    }
    assert ask(machine, "GET", "/api/app/workspaces/3195193/experiments", None).status == 401


def test_starting_anew_forgets_what_was_kept(machine: Machine) -> None:
    ask(machine, "POST", f"{PROJECT}/annotations", body=ANNOTATION)
    machine.seeding.again()
    assert decoded(ask(machine, "GET", f"{PROJECT}/annotations"))["results"] == []
    assert len(machine.saved.funnels()) == len(machine.saved.reports()) == 1
