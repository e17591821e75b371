"""`flask dead-letters` over a real Redis: what it shows, what it does, what its status says."""

from pathlib import Path
from typing import Any

import click
import orjson
import pytest

from app.store import keys
from tests.integration.dead_letters.letters import Letters, event, profile

from .relay import SHOP, Relay

ADDED = profile(add={"Visits": 1})


@pytest.fixture
def letters(relay: Relay) -> Letters:
    return Letters(relay.services.redis)


def flask(relay: Relay, *args: str, status: int = 0, **more: Any) -> str:
    result = relay.flask("dead-letters", *args, **more)
    assert result.exit_code == status, result.output
    return str(result.stdout)


def test_the_list_is_a_line_a_letter_and_shows_no_record(relay: Relay, letters: Letters) -> None:
    letter_id = letters.add(profile("ada@example.com"), reason="much too long")
    shown = flask(relay, "list")
    assert shown.splitlines()[0].split() == [
        "project",
        "id",
        "destination",
        "code",
        "given",
        "up",
        "size",
        "reason",
    ]
    assert letter_id in shown
    assert "much too long" in shown
    assert "ada" not in shown
    shown = flask(relay, "list", "--records")
    assert '"$distinct_id":"ada@example.com"' in shown
    assert "$token" not in shown
    told = relay.json("dead-letters", "list")
    assert [each["id"] for each in told["dead_letters"]] == [letter_id]
    assert "record" not in told["dead_letters"][0]
    assert told["projects"] == [{"project_id": SHOP, "kept": 1, "next": None}]
    assert relay.json("dead-letters", "list", "--records")["dead_letters"][0]["record"]


def test_without_any_it_says_so(relay: Relay) -> None:
    assert flask(relay, "list") == "No dead letters.\n"
    assert relay.json("dead-letters", "list")["dead_letters"] == []


def test_the_list_goes_on_where_it_says(relay: Relay, letters: Letters) -> None:
    ids = [letters.add() for _ in range(5)]
    shown = flask(relay, "list", "--limit", "3")
    assert f"--project {SHOP} --after {ids[2]}" in shown
    rest = relay.json("dead-letters", "list", "--after", ids[2])["dead_letters"]
    assert [each["id"] for each in rest] == ids[3:]
    newest = relay.json("dead-letters", "list", "--newest", "--limit", "2")
    assert [each["id"] for each in newest["dead_letters"]] == ids[:-3:-1]
    assert newest["projects"][0]["next"] == ids[-2]


def test_filters_are_those_of_the_api(relay: Relay, letters: Letters) -> None:
    letters.add(at_ms=1_000)
    wanted = letters.add(event(), destination="events", code="invalid", reason="too DEEP")
    for options in (
        ("--destination", "events"),
        ("--code", "invalid"),
        ("--reason", "too deep"),
        ("--newer-than", "1h"),
    ):
        found = relay.json("dead-letters", "list", *options)["dead_letters"]
        assert [each["id"] for each in found] == [wanted]
    assert len(relay.json("dead-letters", "list", "--older-than", "2020-01-01")["dead_letters"]) == 1


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("list", "--code", "x"), "--code"),
        (("list", "--destination", "x"), "--destination"),
        (("list", "--older-than", "soon"), "--older-than"),
        (("list", "--after", "x"), "--after"),
        (("list", "--project", "9999"), "--project"),
        (("redrive",), "--all"),
        (("discard",), "--all"),
        (("redrive", "1-1", "--all"), "not both"),
        (("redrive", "1-1", "--code", "refused"), "not both"),
        (("redrive", "1-1", "--dry-run"), "not both"),
        (("redrive", "--all", "--edit"), "ID"),
        (("redrive", "--all", "--json"), "--yes"),
        (("discard", "--all", "--json"), "--yes"),
    ],
)
def test_a_wrong_option_is_named_and_changes_nothing(
    relay: Relay, letters: Letters, options: tuple[str, ...], named: str
) -> None:
    letter_id = letters.add()
    result = relay.flask("dead-letters", *options)
    assert result.exit_code == 2
    assert named in result.stderr
    assert letters.ids() == [letter_id]


def test_one_is_shown_with_its_record(relay: Relay, letters: Letters) -> None:
    letter_id = letters.add(profile("ada"), reason="much too long")
    shown = flask(relay, "show", letter_id)
    for part in (letter_id, "profiles", "refused", "much too long", '"$distinct_id": "ada"'):
        assert part in shown
    told = relay.json("dead-letters", "show", letter_id)
    assert (told["project_id"], told["record"]["$distinct_id"]) == (SHOP, "ada")
    for wrong in ("1-1", "nonsense"):
        assert "flask dead-letters list" in relay.json("dead-letters", "show", wrong, status=1)["problems"][0]


def test_the_export_is_a_letter_a_line(relay: Relay, letters: Letters, tmp_path: Path) -> None:
    ids = [letters.add(profile(f"p{number}")) for number in range(3)]
    letters.add(event(), destination="events")
    result = relay.flask("dead-letters", "export", "--destination", "profiles")
    lines = [orjson.loads(line) for line in result.stdout.splitlines()]
    assert [line["id"] for line in lines] == ids
    assert lines[0]["record"]["$distinct_id"] == "p0"
    assert result.stderr == "3 dead letters exported.\n"
    flask(relay, "export", "--output", str(tmp_path / "letters.ndjson"))
    assert len((tmp_path / "letters.ndjson").read_bytes().splitlines()) == 4


def test_one_is_sent_again_and_twice_is_once(relay: Relay, letters: Letters) -> None:
    letter_id = letters.add()
    assert "waits in the outbox profiles" in flask(relay, "redrive", letter_id)
    told = relay.json("dead-letters", "redrive", letter_id)
    assert told["ok"]
    assert told["dead_letters"][0]["state"] == "redriven_before"
    assert len(letters.kept("profiles")) == 1


def test_of_several_it_says_what_became_of_each(relay: Relay, letters: Letters) -> None:
    good, unknown = letters.add(), letters.add(ADDED, code="outcome_unknown")
    invalid = letters.add({"$distinct_id": "null"}, code="unusable_id")
    told = relay.json("dead-letters", "redrive", good, unknown, invalid, "1-1", "x", status=3)
    states = [each["state"] for each in told["dead_letters"]]
    assert states == ["redriven", "needs_confirmation", "invalid", "not_found", "not_found"]
    assert not told["ok"]
    assert "counts twice" in told["dead_letters"][1]["detail"]
    assert relay.json("dead-letters", "redrive", unknown, "1-1", status=1)["ok"] is False
    assert relay.json("dead-letters", "redrive", unknown, "--confirm-outcome-unknown")["ok"]


def test_a_record_is_corrected_from_a_file(relay: Relay, letters: Letters, tmp_path: Path) -> None:
    letter_id = letters.add({"$distinct_id": "null"}, code="unusable_id")
    file = tmp_path / "record.json"
    for text, expected in (("{", "no JSON"), ("[]", "object"), ('{"$distinct_id": "a"}', "operation")):
        file.write_text(text)
        result = relay.flask("dead-letters", "redrive", letter_id, "--record", str(file))
        assert result.exit_code == 1
        assert expected in result.output
    file.write_text('{"$distinct_id": "a", "$set": {"n": 1}}')
    flask(relay, "redrive", letter_id, "--record", str(file))
    assert letters.kept("profiles") == [{"$distinct_id": "a", "$set": {"n": 1}}]


def test_a_record_is_corrected_in_an_editor(
    relay: Relay, letters: Letters, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter_id = letters.add(profile("ada"))
    monkeypatch.setattr(click, "edit", lambda text, extension: None)
    assert "nothing was done" in relay.flask("dead-letters", "redrive", letter_id, "--edit").stderr
    monkeypatch.setattr(click, "edit", lambda text, extension: text.replace("VIP", "Gold"))
    flask(relay, "redrive", letter_id, "--edit")
    assert letters.kept("profiles") == [{"$distinct_id": "ada", "$union": {"Cohorts": ["Gold"]}}]


def test_by_filter_it_asks_first_and_says_what_it_leaves(relay: Relay, letters: Letters) -> None:
    for number in range(1_200):
        letters.add(profile(f"p{number}"))
    unknown = letters.add(ADDED, code="outcome_unknown")
    unusable = letters.add({"$distinct_id": "null"}, code="unusable_id")
    asked = relay.flask("dead-letters", "redrive", "--all")
    assert asked.exit_code == 1
    assert "Send 1,200 dead letters to Mixpanel again?" in asked.stderr
    assert len(letters.ids()) == 1_202
    counted = relay.json("dead-letters", "redrive", "--all", "--dry-run")
    assert (counted["redriven"], counted["needs_confirmation"], counted["invalid"]) == (1_200, 1, 1)
    shown = flask(relay, "redrive", "--all", "--yes", status=3)
    assert "1,200 dead letters on the way" in shown
    assert "--confirm-outcome-unknown" in shown
    assert unusable in shown
    assert letters.ids() == [unknown, unusable]
    assert len(letters.kept("profiles")) == 1_200
    flask(relay, "redrive", "--code", "unusable_id", "--yes", status=1)
    flask(relay, "redrive", "--code", "invalid", "--yes")


def test_a_full_outbox_ends_it_with_what_was_done(relay: Relay, letters: Letters) -> None:
    for number in range(900):
        letters.add(profile(f"p{number}", set={"Text": "x" * 40}))
    told = relay.json("dead-letters", "redrive", "--all", "--yes", status=3, OUTBOX_CAP_BYTES="60000")
    assert told["full"]
    assert told["redriven"] == len(letters.kept("profiles")) == 900 - len(letters.ids())
    told = relay.json("dead-letters", "redrive", "--all", "--yes", status=1, OUTBOX_CAP_BYTES="1024")
    assert (told["full"], told["redriven"]) == (True, 0)
    shown = flask(relay, "redrive", letters.ids()[0], status=1, OUTBOX_CAP_BYTES="1024")
    assert "outbox_full" in shown


def test_letters_are_thrown_away(relay: Relay, letters: Letters) -> None:
    first, second = letters.add(), letters.add()
    for _ in range(1_200):
        letters.add(code="invalid")
    asked = relay.flask("dead-letters", "discard", first)
    assert asked.exit_code == 1
    assert "for good?" in asked.stderr
    assert flask(relay, "discard", first, "--yes") == "1 dead letter discarded.\n"
    assert relay.flask("dead-letters", "discard", first, "--yes").exit_code == 1
    counted = relay.json("dead-letters", "discard", "--code", "invalid", "--dry-run")
    assert (counted["discarded"], counted["dry_run"]) == (1_200, True)
    assert relay.flask("dead-letters", "discard", "--code", "invalid").exit_code == 1
    assert relay.json("dead-letters", "discard", "--code", "invalid", "--yes")["discarded"] == 1_200
    assert letters.ids() == [second]


def test_warnings_do_not_end_up_in_the_answer(relay: Relay, letters: Letters) -> None:
    letter_id = letters.add()
    relay.services.redis.set("rq:queues", "no set")  # the lane's job cannot be queued: a warning
    assert relay.json("dead-letters", "redrive", letter_id)["ok"]
    assert relay.services.redis.exists(keys.outbox(SHOP, "profiles"))


def test_without_redis_it_is_a_sentence(relay: Relay) -> None:
    for args in (("list",), ("show", "1-1"), ("redrive", "1-1"), ("discard", "--all", "--yes"), ("export",)):
        result = relay.flask("dead-letters", *args, REDIS_URL="redis://127.0.0.1:1/0")
        assert result.exit_code == 1
        assert "cannot be reached" in result.stderr
