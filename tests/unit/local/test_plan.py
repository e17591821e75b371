"""Demo or real, and what the processes' environment then is."""

from pathlib import Path

import pytest

from app.local.banner import banner
from app.local.errors import LocalError
from app.local.plan import Plan, make_plan, parse_procfile, read_environ
from app.local.processes import sandbox_command

MADE_UP = {
    "MIXPANEL_PROJECT_ID": "1234567",
    "MIXPANEL_PROJECT_TOKEN": "made-up-token",
    "MIXPANEL_SERVICE_ACCOUNT_USERNAME": "demo.mp-service-account",
    "MIXPANEL_SERVICE_ACCOUNT_SECRET": "made-up-secret",
    "WEBHOOK_USERNAME": "mixpanel",
    "WEBHOOK_PASSWORD": "made-up-password",
    "SECRET_KEY": "made-up-secret-key",
}
REAL = {"MIXPANEL_PROJECT_ID": "42", "MIXPANEL_PROJECT_TOKEN": "real-token"}


def plan(environ: dict[str, str], root: Path = Path("nowhere")) -> Plan:
    return make_plan(environ, MADE_UP, root)


def test_without_credentials_the_sandbox_plays_mixpanel() -> None:
    found = plan({"MIXPANEL_PROJECT_ID": " "})
    assert found.demo
    assert found.environ["MIXPANEL_PROJECT_TOKEN"] == "made-up-token"
    assert found.environ["MIXPANEL_INGESTION_URL"] == "http://127.0.0.1:8089"
    assert found.environ["MIXPANEL_QUERY_URL"] == "http://127.0.0.1:8089/api/query"
    assert found.environ["MIXPANEL_SERVICE_ACCOUNT_SECRET"] == "made-up-secret"


def test_a_demo_talks_to_the_sandbox_whatever_hosts_are_set() -> None:
    found = plan({"MIXPANEL_INGESTION_URL": "https://api.mixpanel.com", "SANDBOX_PORT": "9001"})
    assert found.environ["MIXPANEL_INGESTION_URL"] == "http://127.0.0.1:9001"


@pytest.mark.parametrize("variable", ["PROJECTS_FILE", "MIXPANEL_PROJECT_ID", "MIXPANEL_PROJECT_TOKEN"])
def test_with_any_credential_the_real_mixpanel_is_served(variable: str) -> None:
    found = plan({variable: "something"})
    assert not found.demo
    assert "MIXPANEL_INGESTION_URL" not in found.environ


def test_with_a_projects_file_in_its_place_the_real_mixpanel_is_served(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "projects.yaml").write_text("projects: []")
    assert not plan({}, tmp_path).demo


def test_a_real_project_gets_no_service_account_that_is_none() -> None:
    assert "MIXPANEL_SERVICE_ACCOUNT_SECRET" not in plan(REAL).environ


def test_a_real_project_gets_made_up_webhook_credentials_only_where_none_are_set() -> None:
    assert plan(REAL).environ["WEBHOOK_PASSWORD"] == "made-up-password"
    assert plan({**REAL, "WEBHOOK_PASSWORD": "mine"}).environ["WEBHOOK_PASSWORD"] == "mine"


def test_projects_of_a_file_bring_their_own_webhook_credentials() -> None:
    assert "WEBHOOK_PASSWORD" not in plan({"PROJECTS_FILE": "projects.yaml"}).environ


def test_the_embedded_redis_is_for_those_who_name_none() -> None:
    assert plan({}).own_redis
    assert not plan({"REDIS_URL": "redis://elsewhere"}).own_redis


@pytest.mark.parametrize("port", ["http", "0", "65536", "-1"])
def test_a_port_that_is_none_is_told_with_its_variable(port: str) -> None:
    with pytest.raises(LocalError, match="PORT is"):
        plan({"PORT": port})


@pytest.mark.parametrize("interval", ["soon", "0", "-1", "inf"])
def test_an_interval_that_is_no_time_is_told(interval: str) -> None:
    with pytest.raises(LocalError, match="SANDBOX_INTERVAL_S is"):
        plan({"SANDBOX_INTERVAL_S": interval})


def test_two_servers_on_one_port_are_told() -> None:
    with pytest.raises(LocalError, match="PORT and SANDBOX_PORT are both 8089"):
        plan({"PORT": "8089"})


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("PORT=1\nLOG_LEVEL=DEBUG\nREDIS_URL=\n")
    assert read_environ({"PORT": "2"}, file) == {"PORT": "2", "LOG_LEVEL": "DEBUG"}


def test_the_procfile_is_read() -> None:
    text = "# comment\nweb: gunicorn -b :$PORT wsgi:app\n\napply:  python -m workers\n"
    assert list(parse_procfile(text)) == [
        ("web", "gunicorn -b :$PORT wsgi:app"),
        ("apply", "python -m workers"),
    ]


def test_the_sandbox_is_told_whom_it_plays_and_where_to_send() -> None:
    found = plan({})
    command = sandbox_command(found, found.environ, Path("data"))
    assert "--webhook-url=http://127.0.0.1:8000/webhooks/mixpanel/cohorts" in command.arguments
    assert "--project-id=1234567" in command.arguments
    assert "--service-account=demo.mp-service-account" in command.arguments
    assert command.environ["SANDBOX_TOKEN"] == "made-up-token"
    assert command.environ["SANDBOX_SERVICE_SECRET"] == "made-up-secret"
    assert not [argument for argument in command.arguments if "made-up" in argument]


def test_the_banner_shows_made_up_credentials_and_never_given_ones() -> None:
    demo, real = plan({}), plan({**REAL, "WEBHOOK_PASSWORD": "mine-and-secret"})
    assert "made-up-password" in banner(demo, demo.environ, Path("var"), None)
    shown = banner(real, real.environ, Path("var"), None)
    assert "mine-and-secret" not in shown
    assert "WEBHOOK_PASSWORD" in shown


def test_the_banner_shows_the_first_token_or_how_to_make_one() -> None:
    demo = plan({})
    assert "token crt_1 (made up, kept in var/demo.env)" in banner(demo, demo.environ, Path("var"), "crt_1")
    assert "flask tokens create" in banner(demo, demo.environ, Path("var"), None)


def test_the_banner_shows_no_secret_but_the_webhooks() -> None:
    demo = plan({})
    shown = banner(demo, {**demo.environ, "REDIS_URL": "redis://:hidden@127.0.0.1/0"}, Path("var"), None)
    for secret in ("made-up-token", "made-up-secret-key", "hidden"):
        assert secret not in shown
