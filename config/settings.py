"""Settings: what the environment says, as one frozen object."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final, Literal

from config.loading import PROJECT_VARIABLES, ProjectsError, project_from_environment, projects_from_file
from config.projects import Hosts, Project, Projects
from config.secret import Secret
from config.variables import (
    InvalidValueError,
    Networks,
    Variable,
    choice,
    flag,
    http_url,
    networks,
    redis_url,
    seconds,
    secret_key,
    share,
    whole,
)

DEFAULT_REDIS_URL: Final = "redis://localhost:6379/0"
DEFAULT_PROJECTS_FILE: Final = "config/projects.yaml"
_NO_PROJECT: Final = (
    f"no project is configured: write {DEFAULT_PROJECTS_FILE} (config/projects.example.yaml shows how), or"
    " set MIXPANEL_PROJECT_ID, MIXPANEL_PROJECT_TOKEN, WEBHOOK_USERNAME and WEBHOOK_PASSWORD"
)
LogFormat = Literal["console", "json"]
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]


class SettingsError(Exception):
    """The settings cannot be used. `problems` lists everything that is wrong, each with its name or path."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        self.problems = problems
        super().__init__("the settings cannot be used:\n" + "\n".join(f"  - {p}" for p in problems))


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be configured; `.env.example` documents each field's variable."""

    # URLs may carry a password, so they are kept out of the repr.
    secret_key: Secret
    projects: Projects
    redis_url: str = field(default=DEFAULT_REDIS_URL, repr=False)
    rq_redis_url: str = field(default=DEFAULT_REDIS_URL, repr=False)
    port: int = 8000
    public_url: str = "http://localhost:8000"
    log_level: LogLevel = "INFO"
    log_format: LogFormat = "console"
    access_log: bool = False
    web_workers: int = 2
    web_threads: int = 16
    event_readers: int = 50
    mixpanel_timeout_s: float = 30.0
    mixpanel_connections: int = 10
    query_timeout_s: float = 60.0
    queries_an_hour: int = 60
    query_pages_count: bool = True
    mixpanel_cache_bytes: int = 64 * 1024 * 1024
    audit_interval_s: float = 21_600.0
    audit_share: float = 0.5
    audit_tolerance: float = 0.001
    silence_after_s: float = 3_900.0
    shrink_share: float = 0.5
    hold_shrinking: bool = False
    max_body_bytes: int = 32 * 1024 * 1024
    inbox_soft_cap_bytes: int = 64 * 1024 * 1024
    inbox_hard_cap_bytes: int = 256 * 1024 * 1024
    outbox_cap_bytes: int = 128 * 1024 * 1024
    link_wait_s: float = 30.0
    wait_replicas: int = 0
    allow_volatile_redis: bool = False
    slice_s: float = 5.0
    lease_s: float = 15.0
    clock_tick_s: float = 0.5
    log_keep_entries: int = 2000
    log_hold_entries: int = 100_000
    log_hold_bytes: int = 256 * 1024 * 1024
    log_hold_age_s: float = 604_800.0
    session_days: int = 7
    dead_letter_cap: int = 100_000
    dead_letter_days: int = 30
    erasure_suppression_h: int = 24
    metrics_token: Secret | None = None
    audit_cap: int = 100_000
    failed_login_limit: int = 20
    trusted_proxies: int = 0
    subscriber_timeout_s: float = 15.0
    subscriber_threads: int = 32
    subscriber_http: bool = False
    subscriber_networks: Networks = ()
    # Overrides of Mixpanel's hosts by family; the projects' own `hosts` have them applied.
    hosts: Mapping[str, str] = field(default_factory=dict)


_MIB: Final = 1024 * 1024
VARIABLES: Final = (
    Variable("REDIS_URL", "redis_url", redis_url),
    Variable("RQ_REDIS_URL", "rq_redis_url", redis_url),
    Variable(
        "SECRET_KEY",
        "secret_key",
        secret_key,
        missing="is not set; make one with: python -c 'import secrets; print(secrets.token_hex(32))'",
    ),
    Variable("PORT", "port", whole(1, 65_535)),
    Variable("PUBLIC_URL", "public_url", http_url),
    Variable("LOG_LEVEL", "log_level", choice("DEBUG", "INFO", "WARNING", "ERROR")),
    Variable("LOG_FORMAT", "log_format", choice("console", "json")),
    Variable("ACCESS_LOG", "access_log", flag),
    Variable("WEB_WORKERS", "web_workers", whole(1, 64)),
    Variable("WEB_THREADS", "web_threads", whole(1, 256)),
    Variable("EVENT_READERS", "event_readers", whole(0, 2_000)),
    Variable("MIXPANEL_TIMEOUT_S", "mixpanel_timeout_s", seconds(1, 300)),
    Variable("MIXPANEL_CONNECTIONS", "mixpanel_connections", whole(1, 100)),
    Variable("QUERY_TIMEOUT_S", "query_timeout_s", seconds(1, 600)),
    Variable("QUERIES_AN_HOUR", "queries_an_hour", whole(1, 100_000)),
    Variable("QUERY_PAGES_COUNT", "query_pages_count", flag),
    Variable("MIXPANEL_CACHE_BYTES", "mixpanel_cache_bytes", whole(0, 16 * 1024 * _MIB)),
    Variable("AUDIT_INTERVAL_S", "audit_interval_s", seconds(0, 2_592_000)),
    Variable("AUDIT_SHARE", "audit_share", share),
    Variable("AUDIT_TOLERANCE", "audit_tolerance", share),
    Variable("SILENCE_AFTER_S", "silence_after_s", seconds(0, 2_592_000)),
    Variable("SHRINK_SHARE", "shrink_share", share),
    Variable("HOLD_SHRINKING", "hold_shrinking", flag),
    Variable("MAX_BODY_BYTES", "max_body_bytes", whole(1024, 1024 * _MIB)),
    Variable("INBOX_SOFT_CAP_BYTES", "inbox_soft_cap_bytes", whole(1024, 1024 * 1024 * _MIB)),
    Variable("INBOX_HARD_CAP_BYTES", "inbox_hard_cap_bytes", whole(1024, 1024 * 1024 * _MIB)),
    Variable("OUTBOX_CAP_BYTES", "outbox_cap_bytes", whole(1024, 1024 * 1024 * _MIB)),
    Variable("LINK_WAIT_S", "link_wait_s", seconds(0, 600)),
    Variable("WAIT_REPLICAS", "wait_replicas", whole(0, 16)),
    Variable("ALLOW_VOLATILE_REDIS", "allow_volatile_redis", flag),
    Variable("SLICE_S", "slice_s", seconds(0.01, 300)),
    Variable("LEASE_S", "lease_s", seconds(0.1, 600)),
    Variable("CLOCK_TICK_S", "clock_tick_s", seconds(0.01, 60)),
    Variable("LOG_KEEP_ENTRIES", "log_keep_entries", whole(1, 10_000_000)),
    Variable("LOG_HOLD_ENTRIES", "log_hold_entries", whole(1, 100_000_000)),
    Variable("LOG_HOLD_BYTES", "log_hold_bytes", whole(1024, 1024 * 1024 * _MIB)),
    Variable("LOG_HOLD_AGE_S", "log_hold_age_s", seconds(60, 31_536_000)),
    Variable("SESSION_DAYS", "session_days", whole(1, 365)),
    Variable("DEAD_LETTER_CAP", "dead_letter_cap", whole(1, 10_000_000)),
    Variable("DEAD_LETTER_DAYS", "dead_letter_days", whole(1, 3650)),
    Variable("ERASURE_SUPPRESSION_H", "erasure_suppression_h", whole(1, 8760)),
    Variable("METRICS_TOKEN", "metrics_token", secret_key),
    Variable("AUDIT_CAP", "audit_cap", whole(100, 10_000_000)),
    Variable("FAILED_LOGIN_LIMIT", "failed_login_limit", whole(1, 1_000_000)),
    Variable("SUBSCRIBER_TIMEOUT_S", "subscriber_timeout_s", seconds(1, 60)),
    Variable("SUBSCRIBER_THREADS", "subscriber_threads", whole(2, 512)),
    Variable("SUBSCRIBER_HTTP", "subscriber_http", flag),
    Variable("SUBSCRIBER_NETWORKS", "subscriber_networks", networks),
    Variable("TRUSTED_PROXIES", "trusted_proxies", whole(0, 10)),
)
HOST_VARIABLES: Final[Mapping[str, str]] = {
    f"MIXPANEL_{family.name.upper()}_URL": family.name for family in fields(Hosts)
}


def load_settings(environ: Mapping[str, str], root: Path = Path()) -> Settings:
    """Read and check the settings. A variable that is set but empty counts as not set.

    Args:
        environ: environment variables.
        root: where a relative PROJECTS_FILE starts from.

    Raises:
        SettingsError: with every problem at once.
    """
    given = {name: text.strip() for name, text in environ.items() if text.strip()}
    problems: list[str] = []
    values = _values(given, problems)
    hosts = _hosts(given, problems)
    try:
        projects = _projects(given, root)
    except ProjectsError as error:
        problems.extend(error.problems)
        projects = ()
    if problems:
        raise SettingsError(tuple(problems))
    return Settings(
        **values,
        hosts=hosts,
        projects=Projects(replace(project, hosts=project.hosts.overridden(hosts)) for project in projects),
    )


def _values(given: Mapping[str, str], problems: list[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for variable in VARIABLES:
        if variable.name not in given:
            if variable.missing:
                problems.append(f"{variable.name}: {variable.missing}")
            continue
        try:
            values[variable.field] = variable.read(given[variable.name])
        except InvalidValueError as error:
            problems.append(f"{variable.name}: {error}")
    values.setdefault("rq_redis_url", values.get("redis_url", DEFAULT_REDIS_URL))
    problems.extend(_contradictions(values))
    return values


def _contradictions(values: Mapping[str, Any]) -> Iterator[str]:
    """Compare settings with each other, defaults included."""
    defaults = {each.name: each.default for each in fields(Settings)}
    setting = {**defaults, **values}
    if setting["inbox_soft_cap_bytes"] >= setting["inbox_hard_cap_bytes"]:
        yield "INBOX_SOFT_CAP_BYTES: must be less than INBOX_HARD_CAP_BYTES"
    if setting["max_body_bytes"] > setting["inbox_hard_cap_bytes"]:
        yield "MAX_BODY_BYTES: must not be more than INBOX_HARD_CAP_BYTES"
    if setting["slice_s"] >= setting["lease_s"]:
        yield "SLICE_S: must be less than LEASE_S, or a lane is taken over while it is at work"


def _hosts(given: Mapping[str, str], problems: list[str]) -> dict[str, str]:
    hosts = {}
    for name, family in HOST_VARIABLES.items():
        if name in given:
            try:
                hosts[family] = http_url(given[name])
            except InvalidValueError as error:
                problems.append(f"{name}: {error}")
    return hosts


def _projects(given: Mapping[str, str], root: Path) -> tuple[Project, ...]:
    named = given.get("PROJECTS_FILE")
    file = root / (named or DEFAULT_PROJECTS_FILE)
    if file.is_file():
        return projects_from_file(file, given)
    if named:
        raise ProjectsError((f"PROJECTS_FILE: there is no file {file}",))
    if not any(variable in given for variable in PROJECT_VARIABLES):
        raise ProjectsError((_NO_PROJECT,))
    return (project_from_environment(given),)
