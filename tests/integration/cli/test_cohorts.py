"""`flask cohorts` over a real Redis and real lanes."""

from typing import Any

import pytest

from app.store import keys

from .relay import SHOP, Relay


def page_of(number: int, total: int) -> dict[str, Any]:
    return {"page_info": {"total_pages": total, "page_count": number}}


@pytest.fixture
def synced(relay: Relay) -> Relay:
    """A cohort after a full sync, and the first of two pages of a second one."""
    relay.accept("members", "a", "b", "c")
    relay.accept("add_members", "d", session="s2", **page_of(1, 2))
    relay.run_lane("apply")
    return relay


def test_cohorts_are_listed_with_their_counts(synced: Relay) -> None:
    result = synced.flask("cohorts", "list")
    (row,) = result.output.splitlines()[2:]
    assert row.split()[:4] == [SHOP, "7", "VIP", "4"]
    (listed,) = synced.json("cohorts", "list")["cohorts"]
    assert (listed["project_id"], listed["cohort"]["id"], listed["cohort"]["members"]) == (SHOP, "7", 4)


def test_without_cohorts_it_says_where_they_come_from(relay: Relay) -> None:
    result = relay.flask("cohorts", "list")
    assert (result.exit_code, result.output) == (
        0,
        "No cohorts yet; they appear with their first page.\n",
    )


def test_a_cohort_is_shown_with_its_sessions_newest_first(synced: Relay) -> None:
    answer = synced.json("cohorts", "show", "7")
    assert [(each["id"], each["state"], each["calls"]) for each in answer["sessions"]] == [
        ("s2", "open", {"add_members": [1, 2]}),
        ("s1", "completed", {"members": [1, 1]}),
    ]
    text = synced.flask("cohorts", "show", "7").output
    assert text.startswith("Cohort 7: VIP")
    assert "add_members 1 of 2" in text
    assert text.index("s2") < text.index("s1")


def test_the_number_of_sessions_can_be_chosen(synced: Relay) -> None:
    assert len(synced.json("cohorts", "show", "7", "--sessions", "1")["sessions"]) == 1


def test_a_cohort_is_found_by_its_name_whatever_its_case(synced: Relay) -> None:
    assert synced.json("cohorts", "show", "vip")["cohort"]["id"] == "7"


def test_a_name_that_two_cohorts_share_asks_for_the_id(synced: Relay) -> None:
    synced.accept("members", "x", session="s3", mixpanel_cohort_id="8")
    synced.run_lane("apply")
    result = synced.flask("cohorts", "show", "VIP")
    assert result.exit_code == 1
    assert "7 of project 1001, 8 of project 1001" in result.stderr


def test_an_unknown_cohort_is_one_sentence_and_status_1(synced: Relay) -> None:
    result = synced.flask("cohorts", "show", "nobody")
    assert result.exit_code == 1
    assert result.stderr.startswith('No cohort has the id or the name "nobody"')
    assert synced.json("cohorts", "show", "nobody", status=1)["problems"]


def test_an_unknown_project_is_named_with_those_that_there_are(synced: Relay) -> None:
    result = synced.flask("cohorts", "list", "--project", "9")
    assert result.exit_code == 2
    assert "9 is not configured; there is 1001" in result.stderr


def test_a_rename_under_way_and_doubts_are_noted(synced: Relay) -> None:
    synced.services.redis.hset(keys.cohort(SHOP, "7"), mapping={"suspect": "a page was set aside"})
    synced.accept("add_members", session="s2", mixpanel_cohort_name="Very important", **page_of(2, 2))
    assert "SUSPECT: a page was set aside" in synced.flask("cohorts", "show", "7").output
    synced.services.redis.hset(keys.cohort(SHOP, "7"), mapping={"rename": b'[["VIP"],1,0]'})
    assert "being renamed from VIP" in synced.flask("cohorts", "list").output
