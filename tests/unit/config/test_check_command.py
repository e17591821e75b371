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
