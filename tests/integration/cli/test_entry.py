"""`flask` finds its commands whatever the settings are."""

from pathlib import Path

import pytest
from dotenv import dotenv_values
from werkzeug.utils import import_string

from app.cli import COMMANDS
from app.cli.entry import create_cli_app

ROOT = Path(__file__).parents[3]


def test_flask_loads_the_commands() -> None:
    assert import_string(str(dotenv_values(ROOT / ".flaskenv")["FLASK_APP"])) is create_cli_app


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_is_there_and_tells_what_it_does(path: str) -> None:
    command = import_string(path)
    answer = create_cli_app().test_cli_runner().invoke(args=[command.name, "--help"])
    assert answer.exit_code == 0
    told = " ".join(answer.output.split())  # click wraps what is long
    assert " ".join(command.help.split()) in told


def test_a_command_runs_without_any_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SECRET_KEY", raising=False)
    answer = create_cli_app().test_cli_runner().invoke(args=["config", "check"])
    assert answer.exit_code == 1
    assert "SECRET_KEY" in answer.output


def test_the_commands_are_no_web_server() -> None:
    answer = create_cli_app().test_client().get("/healthz")
    assert answer.status_code == 503
    assert "gunicorn" in answer.text
