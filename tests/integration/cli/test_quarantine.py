"""`flask quarantine` over a real Redis."""

import pytest

from tests.integration.dead_letters.test_ageing import FIELDS, put_member, put_page

from .relay import Relay


@pytest.fixture(autouse=True)
def _put_aside(relay: Relay) -> None:
    redis = relay.services.redis
    for number in range(3):
        put_member(redis, number, cohort_id=str(number % 2))
    put_page(redis, 1_000, **FIELDS)
    put_page(redis, 2_000)


def test_both_are_listed_and_a_page_says_why_it_stays_where_it_is(relay: Relay) -> None:
    shown = relay.flask("quarantine", "list").stdout
    assert "distinct_id_missing" in shown
    assert "?" in shown
    assert "never applied later" in shown
    assert "xxx" not in shown
    members = relay.flask("quarantine", "list", "--kind", "members", "--cohort", "0").stdout
    assert members.count("distinct_id_missing") == 2
    assert "PAGES" not in members
    told = relay.json("quarantine", "list", "--limit", "2")
    assert [member["index"] for member in told["members"]] == [0, 1]
    assert [page["session_id"] for page in told["pages"]] == ["s", ""]


def test_they_are_thrown_away_as_asked(relay: Relay) -> None:
    assert relay.flask("quarantine", "discard").exit_code == 2
    assert relay.flask("quarantine", "discard", "--all").exit_code == 1
    counted = relay.json("quarantine", "discard", "--all", "--dry-run")
    assert (counted["members"], counted["pages"]) == (3, 2)
    assert relay.json(
        "quarantine", "discard", "--reason", "distinct_id_missing", "--cohort", "1", "--yes"
    ) == {
        "ok": True,
        "dry_run": False,
        "members": 1,
        "pages": 0,
    }
    assert "2 pages discarded" in relay.flask("quarantine", "discard", "--kind", "pages", "--yes").stdout
    assert relay.json("quarantine", "discard", "--all", "--yes")["members"] == 2
    assert relay.flask("quarantine", "list").stdout == "Nothing is in quarantine.\n"
