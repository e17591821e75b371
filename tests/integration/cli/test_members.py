"""`flask cohorts members` and `flask members show`."""

import orjson
import pytest

from app.cohorts.sessions import Sessions

from .relay import SHOP, Relay


@pytest.fixture(autouse=True)
def synced(relay: Relay) -> None:
    relay.accept("members", *(f"person-{number}" for number in range(60)))
    relay.run_lane("apply")


def test_members_are_listed_up_to_a_limit_and_counted(relay: Relay) -> None:
    told = relay.json("cohorts", "members", "vip", "--limit", "7")
    assert (len(told["members"]), told["count"]) == (7, 60)
    assert told["members"][0]["session_id"] == "s1"
    assert told["position"] == str(relay.services.feed.end("1001"))
    shown = relay.flask("cohorts", "members", "7").stdout
    assert shown.rstrip().endswith("50 of 60")


def test_all_members_come_one_a_line(relay: Relay) -> None:
    shown = relay.flask("cohorts", "members", "7", "--ndjson")
    assert shown.stderr == f"position: {relay.services.feed.end('1001')}\n"
    lines = shown.stdout.splitlines()
    assert {orjson.loads(line)["distinct_id"] for line in lines} == {f"person-{n}" for n in range(60)}
    assert len(relay.flask("cohorts", "members", "7", "--ndjson", "--limit", "3").stdout.splitlines()) == 3
    assert relay.flask("cohorts", "members", "7", "--ndjson", "--json").exit_code == 2


def test_a_cohort_that_is_not_there_is_a_sentence(relay: Relay) -> None:
    assert "flask cohorts list" in relay.json("cohorts", "members", "nothing", status=1)["problems"][0]


def test_why_somebody_is_in_is_shown(relay: Relay) -> None:
    (why,) = relay.json("members", "show", "person-1")["cohorts"]
    assert (why["project_id"], why["cohort_name"], why["member"]) == (SHOP, "VIP", True)
    assert why["brought_by"]["page"] == {"action": "members", "number": 1}
    shown = relay.flask("members", "show", "person-1", "--project", SHOP).stdout
    assert "s1, members page 1" in shown
    relay.accept("add_members", session="s2")
    relay.accept("remove_members", "person-1", session="s2")
    relay.run_lane("apply")
    assert "a later one will confirm" in relay.flask("members", "show", "person-1").stdout


def test_somebody_unknown_is_in_no_cohort(relay: Relay) -> None:
    assert relay.json("members", "show", "nobody")["cohorts"] == []
    assert "In no cohort" in relay.flask("members", "show", "nobody").stdout


def test_sessions_go_on_behind_one_that_is_forgotten(relay: Relay) -> None:
    assert Sessions(relay.services.redis).page(SHOP, "7", "forgotten", 10) == ([], None)
