import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli.config import config_cli

from .conftest import ONE_PROJECT, REQUIRED


@pytest.fixture(autouse=True)
def in_an_empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ONE_PROJECT:
        monkeypatch.delenv(name, raising=False)


def check(environ: dict[str, str], *options: str) -> Result:
    return CliRunner().invoke(config_cli, ["check", *options], env=environ)


def test_good_settings_are_summed_up_without_their_secrets() -> None:
    result = check({**ONE_PROJECT, "MIXPANEL_REGION": "eu"})
    assert result.exit_code == 0
    assert "2195193" in result.output
    assert "https://api-eu.mixpanel.com" in result.output
    assert '$union Cohorts = ["{cohort_name}"]' in result.output
    assert "1 project, 1 rule" in result.output
    assert "hush" not in result.output


def test_good_settings_are_given_to_programs_as_json() -> None:
    result = check(ONE_PROJECT, "--json")
    answer = json.loads(result.output)
    assert (result.exit_code, answer["ok"], answer["problems"]) == (0, True, [])
    assert answer["projects"][0]["webhook_usernames"] == ["mixpanel"]
    assert "hush" not in result.output


def test_problems_are_listed_and_end_with_status_1() -> None:
    result = check({**REQUIRED, "PORT": "x", "WEBHOOK_USERNAME": "u"})
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "  - PORT: must be a whole number from 1 to 65535",
        "  - MIXPANEL_PROJECT_ID: is not set",
        "  - MIXPANEL_PROJECT_TOKEN: is not set",
        "  - WEBHOOK_PASSWORD: is not set",
        "4 problems. See docs/configuration.md.",
    ]


def test_problems_are_given_to_programs_as_json() -> None:
    result = check({}, "--json")
    answer = json.loads(result.stdout)
    assert (result.exit_code, answer["ok"]) == (1, False)
    assert [problem.split(":")[0] for problem in answer["problems"]] == [
        "SECRET_KEY",
        "no project is configured",
    ]


RULES = """
projects:
  - id: 1
    token: ${TOKEN}
    id_management: original
    service_account: {username: x, secret: ${TOKEN}}
    webhook_credentials: [{username: mixpanel, password: ${TOKEN}}]
    rules:
      - enter: {$set: {VIP: true}, event: {name: "Entered {cohort_name}", properties: {Plan: Pro}}}
        exit: {event: {name: Left}}
        links:
          - {distinct_id: "{distinct_id}", alias: "{member[email]}"}
          - {merge: ["{distinct_id}", "{member[other]}"], allow_merge: true}
"""


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_events_and_links_are_shown(options: list[str]) -> None:
    Path("p.yaml").write_text(RULES, encoding="utf-8")
    result = check({**REQUIRED, "PROJECTS_FILE": "p.yaml", "TOKEN": "hush"}, *options)
    assert result.exit_code == 0
    shown = result.output.replace('\\"', '"')
    for effect in (
        'event "Entered {cohort_name}" {"Plan":"Pro"}',
        'event "Left"',
        'distinct_id "{distinct_id}", alias "{member[email]}"',
        'merge "{distinct_id}" and "{member[other]}"',
    ):
        assert effect in shown
    assert "hush" not in result.output


def test_events_and_links_stand_where_programs_look_for_them() -> None:
    Path("p.yaml").write_text(RULES, encoding="utf-8")
    result = check({**REQUIRED, "PROJECTS_FILE": "p.yaml", "TOKEN": "hush"}, "--json")
    (rule,) = json.loads(result.output)["projects"][0]["rules"]
    assert rule["enter"] == ["$set VIP = true", 'event "Entered {cohort_name}" {"Plan":"Pro"}']
    assert (rule["exit"], rule["update"], len(rule["links"])) == (['event "Left"'], [], 2)
