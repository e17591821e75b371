"""Settings: what the environment says, as one frozen object."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from config.projects import Projects
from config.secret import Secret

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
    redis_url: str = field(repr=False)
    rq_redis_url: str = field(repr=False)
    secret_key: Secret
    projects: Projects
    port: int = 8000
    log_level: LogLevel = "INFO"
    log_format: LogFormat = "console"
    access_log: bool = False
    web_workers: int = 2
    web_threads: int = 16
    mixpanel_timeout_s: float = 30.0
    mixpanel_connections: int = 10
    max_body_bytes: int = 32 * 1024 * 1024
    inbox_soft_cap_bytes: int = 64 * 1024 * 1024
    inbox_hard_cap_bytes: int = 256 * 1024 * 1024
    wait_replicas: int = 0
    allow_volatile_redis: bool = False
    slice_s: float = 5.0
    lease_s: float = 15.0
    clock_tick_s: float = 0.5
    log_keep_entries: int = 2000
    session_days: int = 7
    dead_letter_cap: int = 100_000
    hosts: Mapping[str, str] = field(default_factory=dict)


def load_settings(environ: Mapping[str, str], root: Path = Path()) -> Settings:
    """Read and check the settings.

    Args:
        environ: environment variables.
        root: where a relative PROJECTS_FILE starts from.

    Raises:
        SettingsError: with every problem at once.
    """
    raise NotImplementedError
