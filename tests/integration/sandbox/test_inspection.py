from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.sandbox.application import create_sandbox
from app.sandbox.config import SandboxConfig
from app.sandbox.machine import machine_of


@pytest.fixture
def client() -> Iterator[FlaskClient]:
    app = create_sandbox(SandboxConfig(profiles=50, cohorts=2))
    yield app.test_client()
    machine_of(app).close()


def members(client: FlaskClient, cohort_id: int) -> set[str]:
    return set(client.get(f"/sandbox/cohorts/{cohort_id}/members").json["current"])  # type: ignore[index]


def test_profiles_are_paged_without_gaps_or_repeats(client: FlaskClient) -> None:
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        page: Any = client.get("/sandbox/profiles", query_string={"limit": 7, "after": after}).json
        seen += [profile["distinct_id"] for profile in page["profiles"]]
        after = page["next"]

    assert len(seen) == len(set(seen)) == 50
    assert seen == client.get("/sandbox/profile-ids").json["distinct_ids"]  # type: ignore[index]


def test_profiles_are_counted_by_a_value_in_a_list(client: FlaskClient) -> None:
    records = [
        {"$token": "sandbox-token", "$distinct_id": one, "$union": {"Cohorts": ["VIP", 7]}} for one in "abc"
    ]
    client.post("/engage", json=records)

    for value, count in (("VIP", 3), ("7", 3), ("vip", 0)):
        found: Any = client.get(
            "/sandbox/profile-count", query_string={"property": "Cohorts", "value": value}
        ).json
        assert found["count"] == count
    assert client.get("/sandbox/list-values").json == {"property": "Cohorts", "values": {"VIP": 3, "7": 3}}


def test_people_can_be_made_to_enter_and_leave(client: FlaskClient) -> None:
    before = members(client, 1001)
    leaving = min(before)
    client.post("/sandbox/cohorts/1001/members", json={"enter": ["new"], "leave": [leaving]})

    assert members(client, 1001) == before - {leaving} | {"new"}


def test_a_cohort_can_be_defined_edited_and_deleted(client: FlaskClient) -> None:
    conditions = [{"property": "plan", "operator": "equals", "value": "trial"}]
    made = client.post("/sandbox/cohorts", json={"name": "Trials", "conditions": conditions})
    assert made.status_code == 201
    cohort: Any = made.json
    assert cohort["members"] > 0

    edited: Any = client.patch(f"/sandbox/cohorts/{cohort['cohort_id']}", json={"name": "Trying"}).json
    assert edited["name"] == "Trying"
    client.delete(f"/sandbox/cohorts/{cohort['cohort_id']}")
    assert client.get(f"/sandbox/cohorts/{cohort['cohort_id']}").status_code == 404


def test_cohorts_of_one_name_share_one_list_value(client: FlaskClient) -> None:
    machine = machine_of(client.application)
    for cohort in machine.cohorts.all():
        machine.cohorts.rename(cohort.cohort_id, "Same", "")
        machine.snapshots.replace(cohort.cohort_id, {"a", f"only-{cohort.cohort_id}"}, 1)
    records = [
        {"$token": "sandbox-token", "$distinct_id": one, "$union": {"Cohorts": ["Same"]}}
        for one in ("a", "only-1001", "only-1002")
    ]
    client.post("/engage", json=records)

    assert client.get("/sandbox/convergence").json["converged"] is True  # type: ignore[index]


def test_settings_change_by_group_and_hide_the_password(client: FlaskClient) -> None:
    changed: Any = client.post("/sandbox/settings", json={"limits": {"max_updates": 5}, "churn": 0.5}).json

    assert (changed["limits"]["max_updates"], changed["churn"]) == (5, 0.5)
    assert "password" not in changed["sender"]
    assert client.post("/engage", json=[{}] * 6).status_code == 413
    client.post("/sandbox/reset")
    assert client.get("/sandbox/settings").json["limits"]["max_updates"] == 2000  # type: ignore[index]


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("/faults", {"kind": "explode"}, "side and kind"),
        ("/faults", [], "must be a JSON object"),
        ("/settings", {"limits": {"max_updatse": 1}}, "no such setting"),
        ("/settings", {"limits": {"max_updates": "many"}}, "must be like 2000"),
        ("/settings", {"sender": {"password": "x"}}, "can be changed"),
        ("/settings", {"colour": 1}, "can be changed"),
        ("/clock", {"scale": 0}, "above 0"),
        ("/clock", {"advance_s": -5}, "not below 0"),
        ("/cohorts", {"name": ""}, "name"),
        ("/cohorts", {"name": "A", "conditions": [{}]}, "a condition is"),
        ("/cohorts/1001/members", {"enter": "me"}, "list of strings"),
    ],
)
def test_a_mistake_is_answered_400_with_a_sentence(
    client: FlaskClient, path: str, body: Any, said: str
) -> None:
    answer = client.post(f"/sandbox{path}", json=body)

    assert answer.status_code == 400
    assert said in answer.json["error"]  # type: ignore[index]


@pytest.mark.parametrize("path", ["/cohorts/7", "/cohorts/7/members", "/profiles/nobody", "/nothing"])
def test_what_is_not_there_is_answered_404(client: FlaskClient, path: str) -> None:
    answer = client.get(f"/sandbox{path}")

    assert answer.status_code == 404
    assert "error" in answer.json  # type: ignore[operator]


def test_the_clock_moves_and_stays_moved_over_a_restart(client: FlaskClient) -> None:
    moved: Any = client.post("/sandbox/clock", json={"advance_s": 1000, "scale": 2}).json

    assert moved["offset_s"] >= 1000
    assert moved["scale"] == 2
    assert (machine_of(client.application).meta.get("clock_offset_s") or 0) >= 1000


def test_requests_are_listed_and_counted_until_forgotten(client: FlaskClient) -> None:
    client.post("/engage", json=[], headers={"X-Mixpanel-Integration-ID": "mine"})

    listed: Any = client.get("/sandbox/requests?direction=in").json
    assert [entry["integration_id"] for entry in listed["requests"]] == ["mine"]
    assert client.get("/sandbox/counters").json["counters"]["engage_requests"] == 1  # type: ignore[index]
    client.delete("/sandbox/requests")
    assert client.get("/sandbox/counters").json == {"counters": {}}
