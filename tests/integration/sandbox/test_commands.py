import json
from collections.abc import Callable
from typing import Any

import pytest
import requests
from click.testing import CliRunner, Result

from app.cli.sandbox import sandbox_cli
from app.sandbox.commands import COMMANDS
from tests.integration.sandbox.conftest import Running, free_port
from tests.integration.sandbox.receiver import Receiver

Invoke = Callable[..., Result]


@pytest.fixture
def sandbox(run: Callable[..., Running], receiver: Receiver) -> Running:
    return run("--profiles", "300", "--cohorts", "2", "--no-sender", "--webhook-url", receiver.url)


@pytest.fixture
def invoke(sandbox: Running) -> Invoke:
    def call(*arguments: str, **options: Any) -> Result:
        return CliRunner(env={"SANDBOX_URL": sandbox.url}).invoke(sandbox_cli, arguments, **options)

    return call


def fields(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


def test_every_command_has_a_table_for_people_and_json_for_programs(sandbox: Running, invoke: Invoke) -> None:
    looks: list[tuple[str, ...]] = [
        ("status",),
        ("profiles",),
        ("cohorts",),
        ("members", "1001"),
        ("requests",),
        ("faults",),
        ("clock",),
        ("profiles", "--count"),
        ("profiles", "--property", "plan", "--value", "trial"),
        ("sync",),
        ("churn", "--share", "0.1"),
        ("rename", "1001", "Best"),
        ("pause", "1001"),
        ("resume", "1001"),
        ("fault", "status", "--status", "429"),
        ("set", "limits.max_updates", "10"),
    ]
    for arguments in looks:
        table = invoke(*arguments)
        assert table.exit_code == 0, (arguments, table.output)
        assert not table.output.startswith("{")
        assert isinstance(fields(invoke(*arguments, "--json")), dict)


def test_cohorts_are_listed_with_what_was_exported(invoke: Invoke) -> None:
    before = fields(invoke("cohorts", "--json"))["cohorts"]
    assert [cohort["snapshot_ms"] for cohort in before] == [None, None]
    invoke("sync", "1001")

    after = fields(invoke("cohorts", "--json"))["cohorts"]
    assert after[0]["snapshot_members"] == after[0]["members"] > 0
    assert "Power users" in invoke("cohorts").output


def test_a_fault_is_injected_and_taken_back(sandbox: Running, invoke: Invoke) -> None:
    invoke("fault", "status", "--status", "401", "--count", "0")
    assert requests.post(f"{sandbox.url}/engage", json=[], timeout=5).status_code == 401

    assert fields(invoke("faults", "--clear", "--json")) == {"cleared": 1}
    assert requests.post(f"{sandbox.url}/engage", json=[], timeout=5).status_code == 200


def test_check_compares_cohorts_with_profiles_and_exits_with_1_if_they_differ(
    sandbox: Running, invoke: Invoke
) -> None:
    invoke("sync")
    assert invoke("check").exit_code == 1
    for cohort in fields(invoke("cohorts", "--json"))["cohorts"]:
        members = fields(invoke("members", str(cohort["cohort_id"]), "--json"))["current"]
        records = [
            {"$token": "sandbox-token", "$distinct_id": member, "$union": {"Cohorts": [cohort["name"]]}}
            for member in members
        ]
        requests.post(f"{sandbox.url}/engage", json=records, timeout=5)

    assert invoke("check").exit_code == 0
    invoke("rename", "1001", "Renamed")
    assert invoke("check").exit_code == 1


def test_a_reset_asks_first(invoke: Invoke) -> None:
    invoke("sync")
    assert invoke("reset", input="n\n").exit_code == 1
    assert invoke("reset", input="y\n").exit_code == 0

    assert fields(invoke("cohorts", "--json"))["cohorts"][0]["snapshot_ms"] is None


def test_one_profile_is_shown_whole_or_missed_in_words(invoke: Invoke) -> None:
    some = fields(invoke("profiles", "--limit", "1", "--json"))["profiles"][0]["distinct_id"]

    assert "lifetime_value" in invoke("profile", some).output
    missed = invoke("profile", "no/such one")
    assert (missed.exit_code, missed.output) == (1, "Error: there is no profile of that id\n")


def test_a_sandbox_that_does_not_run_is_a_clear_sentence() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    result = CliRunner().invoke(sandbox_cli, ["status", "--url", url])

    assert result.exit_code == 1
    assert (
        result.output
        == f"Error: no sandbox answers at {url}: start one with `run`, or name another with --url\n"
    )


def test_something_else_on_the_port_is_a_clear_sentence(receiver: Receiver) -> None:
    result = CliRunner().invoke(sandbox_cli, ["status", "--url", receiver.url])

    assert result.exit_code == 1
    assert "is not a sandbox" in result.output


def test_flask_and_the_module_have_the_same_commands() -> None:
    assert set(sandbox_cli.commands) == {command.name for command in COMMANDS}


@pytest.mark.parametrize("url", ["localhost:8080", "ftp://x/y", "http://", "http://x:port/"])
def test_a_webhook_url_that_is_none_is_refused_at_once(url: str) -> None:
    result = CliRunner().invoke(sandbox_cli, ["run", "--webhook-url", url])

    assert result.exit_code == 2
    assert "a whole URL is needed" in result.output
