import re
from dataclasses import MISSING, fields
from pathlib import Path

import pytest

from config.loading import PROJECT_VARIABLES
from config.projects import HOSTS
from config.rules import DEFAULT_RULES
from config.settings import HOST_VARIABLES, VARIABLES, Settings

from .conftest import ONE_PROJECT, REQUIRED, Load, Problems

ROOT = Path(__file__).parents[3]
NAMES = {*(variable.name for variable in VARIABLES), *HOST_VARIABLES, *PROJECT_VARIABLES, "PROJECTS_FILE"}
# What only `make run` reads (app/local/plan.py), besides the settings.
OF_THE_LOCAL_RUN = {"SANDBOX_PORT", "SANDBOX_INTERVAL_S"}


def test_the_environment_alone_describes_one_project_with_the_default_rule(load: Load) -> None:
    settings = load(**ONE_PROJECT)
    (project,) = settings.projects.values()
    assert (project.id, project.name, project.region) == ("2195193", "2195193", "us")
    assert project.token.reveal() == "token-hush"
    assert project.rules == DEFAULT_RULES
    assert project.service_account is None
    assert [(c.username, c.password.reveal()) for c in project.webhook_credentials] == [
        ("mixpanel", "password-hush")
    ]
    assert settings.rq_redis_url == settings.redis_url == "redis://localhost:6379/0"


def test_the_environments_project_can_be_given_in_full(load: Load) -> None:
    project = load(
        **ONE_PROJECT,
        MIXPANEL_REGION="in",
        MIXPANEL_SERVICE_ACCOUNT_USERNAME="relay",
        MIXPANEL_SERVICE_ACCOUNT_SECRET="secret-hush",
        MIXPANEL_ID_MANAGEMENT="legacy",
        MIXPANEL_INTEGRATION_ID="company",
    ).projects["2195193"]
    assert (project.region, project.id_management, project.integration_id) == ("in", "legacy", "company")
    assert project.hosts == HOSTS["in"]
    assert project.service_account is not None
    assert project.service_account.secret.reveal() == "secret-hush"


def test_no_secret_is_shown_by_printing_the_settings(load: Load) -> None:
    settings = load(**ONE_PROJECT, REDIS_URL="redis://:url-hush@h/0", RQ_REDIS_URL="redis://:url-hush@h/1")
    assert "hush" not in f"{settings} {settings!r} {settings.secret_key} {settings.secret_key!r:>30}"
    assert settings.secret_key.reveal() == REQUIRED["SECRET_KEY"]


def test_every_problem_is_listed_at_once(problems: Problems) -> None:
    found = problems(
        "projects: [{id: 1}]",
        SECRET_KEY="short-hush",
        PORT="http",
        LOG_LEVEL="loud",
        MIXPANEL_TIMEOUT_S="nan",
        WAIT_REPLICAS="-1",
        ALLOW_VOLATILE_REDIS="perhaps",
        REDIS_URL="http://:hush@x",
        MIXPANEL_QUERY_URL="https://hush@proxy",
        SLICE_S="20",
        INBOX_SOFT_CAP_BYTES="300000000",
    )
    assert [problem.split(": ")[0] for problem in found] == [
        "REDIS_URL",
        "SECRET_KEY",
        "PORT",
        "LOG_LEVEL",
        "MIXPANEL_TIMEOUT_S",
        "WAIT_REPLICAS",
        "ALLOW_VOLATILE_REDIS",
        "INBOX_SOFT_CAP_BYTES",
        "SLICE_S",
        "MIXPANEL_QUERY_URL",
        "projects[0].token",
        "projects[0].webhook_credentials",
    ]


def test_problems_of_the_environments_project_are_named_by_their_variables(problems: Problems) -> None:
    assert problems(**REQUIRED, MIXPANEL_PROJECT_ID="a b", MIXPANEL_SERVICE_ACCOUNT_SECRET="hush") == [
        "MIXPANEL_PROJECT_ID: must be up to 64 letters, digits, '-' and '_'",
        "MIXPANEL_PROJECT_TOKEN: is not set",
        "MIXPANEL_SERVICE_ACCOUNT_USERNAME: is not set",
        "WEBHOOK_USERNAME: is not set",
        "WEBHOOK_PASSWORD: is not set",
    ]


def test_no_project_at_all_is_a_problem_that_says_what_to_do(problems: Problems) -> None:
    (found,) = problems(**REQUIRED, MIXPANEL_PROJECT_ID="  ")
    assert found.startswith("no project is configured: write config/projects.yaml")


def test_a_projects_file_that_is_named_must_exist(problems: Problems) -> None:
    assert problems(**ONE_PROJECT, PROJECTS_FILE="other.yaml") == [
        "PROJECTS_FILE: there is no file other.yaml"
    ]


def test_the_projects_file_in_its_usual_place_is_found_and_goes_before_the_environment(
    load: Load, tmp_path: Path
) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config/projects.yaml").write_text(
        "projects: [{id: 5, token: ${MIXPANEL_PROJECT_TOKEN},"
        " webhook_credentials: [{username: u, password: ${WEBHOOK_PASSWORD}}]}]"
    )
    assert list(load(**ONE_PROJECT).projects) == ["5"]


def test_empty_variables_count_as_not_set_and_space_around_a_value_goes(load: Load) -> None:
    settings = load(
        **{**ONE_PROJECT, "PORT": "", "MIXPANEL_PROJECT_TOKEN": "token-hush\n", "LOG_FORMAT": "JSON"}
    )
    assert settings.port == 8000
    assert settings.projects["2195193"].token.reveal() == "token-hush"
    assert settings.log_format == "json"


@pytest.mark.parametrize("variable", HOST_VARIABLES)
def test_each_family_of_hosts_can_be_overridden_alone(load: Load, variable: str) -> None:
    project = load(**ONE_PROJECT, **{variable: "http://127.0.0.1:9/x/"}).projects["2195193"]
    hosts = {family.name: getattr(project.hosts, family.name) for family in fields(project.hosts)}
    usual = {name: getattr(HOSTS["us"], name) for name in hosts}
    assert hosts == {**usual, HOST_VARIABLES[variable]: "http://127.0.0.1:9/x"}


def test_every_setting_has_a_variable() -> None:
    assert {field.name for field in fields(Settings)} == {
        *(variable.field for variable in VARIABLES),
        "projects",
        "hosts",
    }


def test_every_variable_is_documented_and_no_other() -> None:
    example = (ROOT / ".env.example").read_text()
    assert set(re.findall(r"^(?:# )?([A-Z][A-Z_]+)=", example, re.MULTILINE)) == NAMES | OF_THE_LOCAL_RUN
    assert {
        name
        for name in NAMES | OF_THE_LOCAL_RUN
        if f"`{name}`" not in (ROOT / "docs/configuration.md").read_text()
    } == set()


def test_the_defaults_in_the_example_are_the_real_ones(load: Load) -> None:
    example = (ROOT / ".env.example").read_text()
    values = dict(re.findall(r"^# ([A-Z][A-Z_]+)=(.+)$", example, re.MULTILINE))
    defaults = {field.name: field.default for field in fields(Settings)}
    documented = {
        v.field: v.read(values[v.name]) for v in VARIABLES if defaults[v.field] not in (MISSING, None, ())
    }
    assert documented == {name: defaults[name] for name in documented}
    assert {HOST_VARIABLES[name]: values[name] for name in HOST_VARIABLES} == {
        family.name: getattr(HOSTS["us"], family.name) for family in fields(HOSTS["us"])
    }


def test_the_example_of_a_projects_file_is_valid(load: Load) -> None:
    yaml = (ROOT / "config/projects.example.yaml").read_text()
    environ = dict.fromkeys(re.findall(r"\$\{(\w+)\}", yaml), "hush")
    assert list(load(yaml, **environ).projects) == ["2195193", "2195194"]


def test_every_rule_in_the_documentation_is_valid(load: Load) -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/configuration.md").read_text(), re.DOTALL)
    assert len(blocks) > 4
    for block in blocks:
        rules = block if block.startswith("rules:") else f"rules:\n{block}"
        head = "projects:\n- id: 1\n  token: ${A}\n  webhook_credentials: [{username: u, password: ${A}}]\n"
        if "alias:" in block:
            head += "  id_management: original\n  service_account: {username: u, secret: ${A}}\n"
        indented = "".join(f"  {line}\n" for line in rules.splitlines())
        assert load(head + indented, A="hush").projects["1"].rules.rules


@pytest.mark.parametrize(
    "url",
    [
        "ftp://h",
        "https://",
        "https://h:x",
        "https://h/?a=1",
        "https://h/#a",
        "https://u@h",
        "https://a b",
        "h",
    ],
)
def test_a_host_is_a_plain_base_url(problems: Problems, url: str) -> None:
    (found,) = problems(**ONE_PROJECT, MIXPANEL_QUERY_URL=url)
    assert found.startswith("MIXPANEL_QUERY_URL: must be a URL such as")
