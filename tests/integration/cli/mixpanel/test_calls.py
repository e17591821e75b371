"""A call of every family, and what an operator is told."""

import csv
import datetime as dt
import io
import time
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import Result

from app.access.audit import Entry
from app.cli.entry import create_cli_app
from app.mixpanel.catalog.families import FAMILIES
from app.sandbox.config import ApiHabits
from tests.integration.cli.mixpanel.conftest import World
from tests.integration.cli.relay import Relay

TODAY = dt.datetime.now(dt.UTC).date()
DAYS = ("--from", str(TODAY - dt.timedelta(days=5)), "--to", str(TODAY))
PIPELINE = "events-daily-gcs-raw"
TABLE = "55b4fb2b-e8de-466c-930f-8b36640b9b5e"
ORGANIZATION, WORKSPACE = "4195193", "3195193"


def event(insert_id: str) -> dict[str, Any]:
    return {
        "event": "E",
        "properties": {"distinct_id": "a", "$insert_id": insert_id, "time": int(time.time())},
    }


def call(relay: Relay, *args: str, status: int = 0, stdin: bytes | None = None) -> Result:
    """Run a command; no secret may ever be in what it prints."""
    runner = create_cli_app().test_cli_runner()
    result = runner.invoke(args=["mixpanel", *args], env=relay.environ, input=stdin)
    assert result.exit_code == status, (args, result.output, result.exception)
    assert "-secret" not in result.output
    return result


def answer(relay: Relay, *args: str, status: int = 0) -> Any:
    return orjson.loads(call(relay, *args, "--json", status=status).stdout)


CALLS: dict[str, list[tuple[str, ...]]] = {
    "ingestion": [
        ("import", "--body", orjson.dumps([event("i")]).decode()),
        ("track", "--event", "E", "--properties", '{"distinct_id": "a"}'),
        ("profile-set", "--distinct-id", "p-1", "--set", '{"plan": "pro"}'),
        ("group-union", "--group-key", "company", "--group-id", "c", "--union", '{"a": ["b"]}'),
        ("profile-delete", "--distinct-id", "p-2", "--yes"),
        ("lookup-tables",),
    ],
    "identity": [
        (
            "create-identity",
            "--data",
            '{"event": "$identify", "properties": {"$identified_id": "a", "$anon_id": "b"}}',
        )
    ],
    "query": [
        ("segmentation", "--event", "Signed up", "--on", 'properties["plan"]', *DAYS),
        (
            "events",
            "--event",
            "Signed up",
            "--event",
            "Logged in",
            "--type",
            "general",
            "--unit",
            "day",
            *DAYS,
        ),
        ("funnels-list",),
        ("cohorts",),
        ("profiles", "--distinct-ids", "p-1"),
        ("retention", "--born-event", "Signed up", "--interval-count", "3", *DAYS),
        ("insights", "--bookmark-id", "8001"),
    ],
    "export": [("events", "--file", "-", *DAYS)],
    "pipelines": [
        (
            *("create", "--type", "gcs-raw", "--from", str(TODAY), "--gcs-bucket", "b"),
            *("--gcs-region", "us-east1", "--events", "A", "--events", "B"),
        ),
        ("list",),
        ("pause", "--pipeline", PIPELINE),
        ("status", "--name", PIPELINE),
        ("delete", "--pipeline", PIPELINE, "--yes"),
    ],
    "lexicon": [
        ("replace", "--entity-type", "event", "--name", "Signed up", "--body", '{"description": "x"}'),
        ("list",),
    ],
    "annotations": [
        ("create", "--date", "2026-08-01 12:00:00", "--description", "Launch"),
        ("list",),
    ],
    "gdpr": [("create-retrieval", "--distinct-ids", "nobody")],
    "warehouse": [("list",)],
    "service-accounts": [("list", "--organization-id", ORGANIZATION), ("list-project",)],
    "experiments": [("create", "--workspace-id", WORKSPACE, "--name", "Blue button")],
    "feature-flags": [("list", "--workspace-id", WORKSPACE)],
    "legacy": [("events-names", "--type", "general")],
}


@pytest.mark.parametrize("family", CALLS)
def test_a_family_is_called(relay: Relay, family: str) -> None:
    for endpoint, *args in CALLS[family]:
        call(relay, family, endpoint, *args)


def test_no_family_is_left_out() -> None:
    assert set(CALLS) == set(FAMILIES)


def test_an_answer_is_a_table_or_json_or_csv(relay: Relay) -> None:
    args = ("query", "segmentation", "--event", "Signed up", "--on", 'properties["plan"]', *DAYS)
    said = answer(relay, *args)
    shown = call(relay, *args).stdout.splitlines()
    assert shown[0].split()[0] == "date"
    rows = list(csv.DictReader(io.StringIO(call(relay, *args, "--csv").stdout)))
    assert [row["date"] for row in rows] == sorted(said["data"]["series"])
    assert sum(int(row["pro"]) for row in rows) == 3
    assert sum(int(row["free"]) for row in rows) == 1


def test_a_second_answer_is_kept_and_says_how_old_it_is_unless_a_fresh_one_is_wanted(relay: Relay) -> None:
    assert "ago" not in call(relay, "query", "cohorts").stderr
    assert "(--fresh asks anew)" in call(relay, "query", "cohorts").stderr
    assert "ago" not in call(relay, "query", "cohorts", "--fresh").stderr


def test_all_pages_of_people_come_a_line_each(relay: Relay, world: World) -> None:
    before = world.machine.controls.api
    world.machine.controls.api = ApiHabits(query_page_size=2, query_pages="free")
    lines = call(relay, "query", "profiles", "--where", "true", "--all").stdout.splitlines()
    world.machine.controls.api = before
    found = [orjson.loads(line)["$distinct_id"] for line in lines]
    assert len(found) == len(set(found)) >= 3


def test_a_funnel_is_found_by_its_name(relay: Relay) -> None:
    known = answer(relay, "query", "funnels-list")[0]
    by_id = answer(relay, "query", "funnels", "--funnel", str(known["funnel_id"]), *DAYS)
    assert answer(relay, "query", "funnels", "--funnel", known["name"].upper(), *DAYS) == by_id
    wrong = call(relay, "query", "funnels", "--funnel", "Nothing", *DAYS, status=2)
    assert "--funnel: is the name of no funnel; `query funnels-list`" in wrong.stderr
    assert "step" in call(relay, "query", "funnels", "--funnel", known["name"], *DAYS).stdout.splitlines()[0]


def test_all_that_is_wrong_with_the_options_is_said_at_once_and_nothing_is_sent(relay: Relay) -> None:
    wrong = call(relay, "query", "funnels", "--from", "yesterday", "--interval", "x", status=2)
    for line in (
        "--from-date / --from: must be a day, such as 2026-08-31",
        "--to-date / --to: is missing",
        "--funnel-id / --funnel: is missing",
        "--interval: must be a whole number",
    ):
        assert line in wrong.stderr
    assert answer(relay, "query", "funnels", status=2)["code"] == "invalid_argument"


def test_a_body_comes_from_a_file_or_from_standard_input(relay: Relay, tmp_path: Path) -> None:
    lines = b"\n".join(orjson.dumps(event(f"n{number}")) for number in range(3))
    file = tmp_path / "events.ndjson"
    file.write_bytes(lines)
    assert answer(relay, "ingestion", "import", "--body", f"@{file}")["num_records_imported"] == 3
    piped = call(relay, "ingestion", "import", "--body", "-", "--json", stdin=lines)
    assert orjson.loads(piped.stdout)["num_records_imported"] == 3
    both = call(relay, "ingestion", "import", "--body", "-", "--event", "E", stdin=lines, status=2)
    assert "not both" in both.stderr
    gone = call(relay, "ingestion", "import", "--body", "@nowhere", status=2)
    assert "nowhere: No such file" in gone.stderr


def test_a_changing_call_is_in_the_audit_log_and_a_read_is_not(relay: Relay) -> None:
    call(relay, "query", "cohorts")
    call(relay, "pipelines", "pause", "--name", "none", status=1)
    call(relay, "ingestion", "profile-set", "--distinct-id", "p-1", "--set", "{}")
    assert [(one.action, one.resources["endpoint"], one.outcome) for one in audited(relay)] == [
        ("flask mixpanel", "ingestion.profile-set", "ok"),
        ("flask mixpanel", "pipelines.pause", "failed"),
    ]


@pytest.mark.parametrize(
    "args",
    [
        ("lexicon", "delete-all"),
        ("ingestion", "profile-delete", "--distinct-id", "p-9"),
        ("ingestion", "profile-batch", "--body", '[{"$distinct_id": "p-9", "$delete": ""}]'),
        ("gdpr", "create-deletion", "--distinct-ids", "p-9"),
        ("lexicon", "replace-many", "--truncate", "--entries", "[]"),
        ("raw", "annotations", "DELETE", "/projects/2195193/annotations/1"),
    ],
)
def test_what_deletes_asks_first(relay: Relay, args: tuple[str, ...]) -> None:
    refused = call(relay, *args, stdin=b"n\n", status=1)
    assert "in project 2195193? [y/N]" in refused.stderr
    assert [one.outcome for one in audited(relay)] == ["aborted"]
    assert "give --yes" in call(relay, *args, "--json", status=2).stderr


def test_what_mixpanel_refuses_is_told_with_what_to_do(
    relay: Relay, caplog: pytest.LogCaptureFixture
) -> None:
    gone = call(relay, "pipelines", "status", "--name", "none", status=1)
    assert "Mixpanel knows nothing of that name or id (404)." in gone.stderr
    assert "Mixpanel said: " in gone.stderr
    assert "mixpanel_request" not in caplog.text
    said = answer(relay, "pipelines", "status", "--name", "none", status=1)
    assert (said["ok"], said["code"], said["status"]) == (False, "not_found", 404)


def test_who_does_not_wait_is_told_the_next_slot_and_budget_shows_it(relay: Relay) -> None:
    for number in range(3):
        call(relay, "query", "segmentation", "--event", f"E{number}", *DAYS)
    full = [
        call_any(relay, "query", "segmentation", "--event", f"F{number}", *DAYS, "--no-wait")
        for number in range(3)
    ]
    late = [one for one in full if one.exit_code == 3]
    assert late, [one.output for one in full]
    assert "Next slot: " in late[0].stderr
    left = answer(relay, "budget")["projects"]["2195193"]
    assert left["query"]["windows"][0]["left"] < 58
    assert set(left) == {"query", "export", "lexicon", "gdpr", "ingestion"}
    assert "of 60 an hour" in call(relay, "budget").stdout


def test_a_raw_request_reaches_any_path_with_the_credential_of_its_family(relay: Relay) -> None:
    said = answer(relay, "raw", "query", "POST", "/cohorts/list")
    assert {"id", "name", "count"} <= set(said[0])
    args = ("--query", "event=Signed up", "--query", f"from_date={DAYS[1]}", "--query", f"to_date={DAYS[3]}")
    assert answer(relay, "raw", "query", "get", "/segmentation", *args)["data"]["values"]
    made = ("annotations", "POST", "/projects/2195193/annotations/tags", "--json-body", '{"name": "raw"}')
    assert '"raw"' in orjson.dumps(answer(relay, "raw", *made)).decode()
    wrong = call(relay, "raw", "annotations", "GET", "/projects/1/annotations", status=2)
    assert "PATH: names another project" in wrong.stderr


def test_the_endpoints_are_listed(relay: Relay) -> None:
    assert "funnels-list" in call(relay, "list", "query").stdout
    assert len(answer(relay, "list")["endpoints"]) > 130


def call_any(relay: Relay, *args: str) -> Result:
    return create_cli_app().test_cli_runner().invoke(args=["mixpanel", *args], env=relay.environ)


def audited(relay: Relay) -> list[Entry]:
    return [one.entry for one in relay.services.audit.all("changes")]
