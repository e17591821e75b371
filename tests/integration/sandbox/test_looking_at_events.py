"""What the sandbox shows of events, groups and identities, over HTTP and by command."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from app.cli.sandbox import sandbox_cli
from app.sandbox.application import create_sandbox
from app.sandbox.config import SandboxConfig
from app.sandbox.machine import machine_of
from tests.integration.sandbox.conftest import Running
from tests.unit.sandbox.calls import UUIDS, alias, event, identify

ACCOUNT = ("sandbox-account", "sandbox-secret")
LATELY = {"time": 1_753_920_000}


@pytest.fixture
def client() -> Iterator[FlaskClient]:
    app = create_sandbox(SandboxConfig(profiles=0, cohorts=1, id_management="original"))
    yield app.test_client()
    machine_of(app).close()


def take(client: FlaskClient, *sent: dict[str, Any]) -> None:
    answer = client.post("/import?strict=1&project_id=2195193", json=list(sent), auth=ACCOUNT)
    assert answer.status_code == 200, answer.json


def shown(client: FlaskClient, path: str, **query: Any) -> Any:
    answer = client.get(f"/sandbox{path}", query_string=query)
    assert answer.status_code == 200, answer.json
    return answer.json


def numbered(number: int, name: str = "A", person: str = "u1") -> dict[str, Any]:
    return event(name, distinct_id=person, **LATELY, **{"$insert_id": f"i-{number}"})


def test_events_are_paged_without_gaps_or_repeats(client: FlaskClient) -> None:
    take(client, *(numbered(number) for number in range(10)))
    take(client, numbered(3))
    seen: list[str] = []
    after: int | None = 0
    while after is not None:
        page = shown(client, "/events", limit=3, after=after)
        seen += [one["insert_id"] for one in page["events"]]
        after = page["next"]

    assert seen == [f"i-{number}" for number in (0, 1, 2, 4, 5, 6, 7, 8, 9, 3)]


def test_events_are_found_by_name_and_by_any_id_of_a_person(client: FlaskClient) -> None:
    take(client, numbered(1), numbered(2, "B"), numbered(3, "A", UUIDS[0]), numbered(4, "A", "u2"))
    take(client, identify("u1", UUIDS[0]))

    found = shown(client, "/events", event="A", distinct_id=UUIDS[0])["events"]
    assert [one["insert_id"] for one in found] == ["i-1", "i-3"]
    assert len({one["distinct_id"] for one in found}) == 1
    assert shown(client, "/event-counts", distinct_id="u1")["events"] == {"A": 2, "B": 1}


def test_arrivals_prove_what_came_more_than_once(client: FlaskClient) -> None:
    for _ in range(3):
        take(client, numbered(1))
    take(client, numbered(2))

    assert [(one["insert_id"], one["arrivals"]) for one in shown(client, "/arrivals")["arrivals"]] == [
        ("i-1", 3)
    ]
    assert len(shown(client, "/arrivals", min=1)["arrivals"]) == 2
    assert len(shown(client, "/events", raw=1)["events"]) == 4
    assert shown(client, "/event-counts") == {
        "events": {"A": 2},
        "arrivals": {"A": 4},
        "total": 2,
        "total_arrivals": 4,
    }


def test_groups_are_shown_by_key_and_id(client: FlaskClient) -> None:
    for key, number in (("Company", "a/b"), ("Team", "t")):
        record = {"$token": "sandbox-token", "$group_key": key, "$group_id": number, "$set": {"Size": 1}}
        client.post("/groups?ip=0", json=[record])

    assert [one["group_id"] for one in shown(client, "/groups")["groups"]] == ["a/b", "t"]
    assert [one["group_id"] for one in shown(client, "/groups", group_key="Team")["groups"]] == ["t"]
    assert shown(client, "/groups/Company/a/b")["properties"] == {"Size": 1}
    assert client.get("/sandbox/groups/Company/none").status_code == 404


def test_clusters_and_links_are_shown(client: FlaskClient) -> None:
    take(client, identify("u1", UUIDS[0]), alias("u1", "a1"), alias("u1", "a1"))
    assert (
        client.post("/import?project_id=2195193", json=[alias("u2", "a1")], auth=ACCOUNT).status_code == 400
    )

    cluster = shown(client, "/clusters/a1")
    assert set(cluster["ids"]) == {"u1", UUIDS[0], "a1"}
    assert [one["canonical"] for one in shown(client, "/clusters")["clusters"]] == [cluster["canonical"]]
    assert shown(client, "/clusters/nobody") == {
        "distinct_id": "nobody",
        "canonical": "nobody",
        "ids": ["nobody"],
    }
    outcomes = [one["outcome"] for one in shown(client, "/links")["links"]]
    assert outcomes == ["merged", "merged", "repeated", "refused"]
    assert [one["sequence"] for one in shown(client, "/links", limit=2, after=1)["links"]] == [2, 3]


def test_a_profile_is_shown_under_any_id_of_the_person(client: FlaskClient) -> None:
    client.post("/engage?ip=0", json=[{"$token": "sandbox-token", "$distinct_id": "u1", "$set": {"a": 1}}])
    take(client, alias("u1", "a1"))

    assert shown(client, "/profiles/a1")["properties"] == {"a": 1}


def test_a_cohort_told_under_a_linked_id_is_looked_for_under_the_canonical_one(client: FlaskClient) -> None:
    machine = machine_of(client.application)
    machine.snapshots.replace(1001, {"u1", "a1"}, 1)
    name = machine.cohorts.get(1001).name
    take(client, alias("u1", "a1"))
    record = {"$token": "sandbox-token", "$distinct_id": "u1", "$union": {"Cohorts": [name]}}
    client.post("/engage?ip=0", json=[record])

    assert shown(client, "/convergence")["converged"] is True


def test_the_overview_says_which_identity_system_it_is_and_how_much_there_is(client: FlaskClient) -> None:
    take(client, numbered(1), alias("u1", "a1"))
    take(client, numbered(1))

    found = shown(client, "/")
    names = ("id_management", "events", "arrivals", "groups", "clusters")
    assert [found[name] for name in names] == ["original", 1, 2, 0, 1]


@pytest.mark.parametrize(
    ("path", "query", "said"),
    [
        ("/events", {"after": "x"}, "after"),
        ("/events", {"limit": 0}, "limit"),
        ("/arrivals", {"min": "some"}, "min"),
        ("/links", {"after": "-1"}, "after"),
    ],
)
def test_a_mistake_is_answered_400_with_a_sentence(
    client: FlaskClient, path: str, query: dict[str, Any], said: str
) -> None:
    answer = client.get(f"/sandbox{path}", query_string=query)

    assert answer.status_code == 400
    assert said in answer.json["error"]  # type: ignore[index]


def test_habits_of_the_api_can_be_changed(client: FlaskClient) -> None:
    changed: Any = client.post("/sandbox/settings", json={"api": {"export": "raw"}}).json

    assert changed["api"]["export"] == "raw"
    client.post("/sandbox/reset")
    assert shown(client, "/settings")["api"]["export"] == "deduplicated"


def test_every_command_has_a_table_for_people_and_json_for_programs(run: Callable[..., Running]) -> None:
    sandbox = run("--profiles", "5", "--cohorts", "0", "--no-sender", "--id-management", "original")
    runner = CliRunner(env={"SANDBOX_URL": sandbox.url})
    looks = [
        "status",
        "events",
        "events --count",
        "events --person u1",
        "arrivals",
        "groups",
        "clusters",
        "links",
    ]
    for look in [*looks, "clusters u1", "fault status --path /import", "set api.export raw"]:
        table, as_json = (runner.invoke(sandbox_cli, [*look.split(), *more]) for more in ((), ("--json",)))
        assert table.exit_code == as_json.exit_code == 0, (look, table.output)
        assert isinstance(json.loads(as_json.output), dict)
    assert "original" in runner.invoke(sandbox_cli, ["status"]).output
