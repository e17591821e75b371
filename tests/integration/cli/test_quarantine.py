"""`flask quarantine` over a real Redis."""

from pathlib import Path

import orjson
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


BODY = orjson.dumps(
    {"action": "members", "parameters": {"members": [{"mixpanel_distinct_id": "ada@example.com"}]}}
)


def actions(relay: Relay) -> list[str]:
    return [each.entry.action for each in relay.services.audit.page()[0]]


def test_a_page_is_shown_without_its_people_unless_asked_and_then_it_is_recorded(relay: Relay) -> None:
    put_page(relay.services.redis, 3_000, **{**FIELDS, "body": BODY, "reason": "KeyError at x.py:1"})
    assert "3000-1" in relay.flask("quarantine", "list", "--kind", "pages").stdout
    shown = relay.flask("quarantine", "show", "3000-1").stdout
    assert "KeyError at x.py:1" in shown
    assert "string(15)" in shown
    assert "ada" not in shown
    assert actions(relay) == []
    assert relay.json("quarantine", "show", "3000-1", "--people")["body"] == orjson.loads(BODY)
    assert actions(relay) == ["flask quarantine show --people"]
    assert relay.json("quarantine", "show", "2000-1")["body"] == "unreadable(1000)"


def test_a_member_is_shown_and_what_is_not_there_is_not(relay: Relay) -> None:
    first = relay.json("quarantine", "list")["members"][0]["id"]
    shown = relay.flask("quarantine", "show", first).stdout
    assert "distinct_id_missing" in shown
    assert "Index        0" in shown
    assert relay.json("quarantine", "show", "1-1", status=1)["ok"] is False
    assert relay.flask("quarantine", "show", "nonsense").exit_code == 1


def test_all_that_are_meant_are_exported_one_a_line(relay: Relay, tmp_path: Path) -> None:
    put_page(relay.services.redis, 3_000, **{**FIELDS, "body": BODY})
    result = relay.flask("quarantine", "export")
    lines = [orjson.loads(line) for line in result.stdout.splitlines()]
    assert [line["kind"] for line in lines] == ["member"] * 3 + ["page"] * 3
    assert "ada@" not in result.stdout
    assert "3 members and 3 pages exported" in result.stderr
    assert actions(relay) == []
    file = tmp_path / "pages"
    relay.flask("quarantine", "export", "--kind", "pages", "--cohort", "7", "--people", "--output", str(file))
    assert [orjson.loads(line)["id"] for line in file.read_text().splitlines()] == ["1000-1", "3000-1"]
    assert "ada@example.com" in file.read_text()
    assert actions(relay) == ["flask quarantine export --people"]
