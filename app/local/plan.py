"""Decide what a run consists of, from the environment alone, before anything starts."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dotenv import dotenv_values

from app.local.errors import LocalError
from app.local.ports import parse_port

DEFAULT_PORT: Final = "8000"
DEFAULT_SANDBOX_PORT: Final = "8089"  # the sandbox's own default, where its commands look for it
DEFAULT_SANDBOX_INTERVAL_S: Final = "20"

# Any of these means that somebody has set up a real project, completely or not.
_REAL = (
    "PROJECTS_FILE",
    "MIXPANEL_PROJECT_ID",
    "MIXPANEL_PROJECT_TOKEN",
    "MIXPANEL_SERVICE_ACCOUNT_USERNAME",
    "MIXPANEL_SERVICE_ACCOUNT_SECRET",
)
_DEFAULT_PROJECTS_FILE = Path("config", "projects.yaml")
_SINGLE_PROJECT = ("MIXPANEL_PROJECT_ID", "MIXPANEL_PROJECT_TOKEN")
_SERVICE_ACCOUNT = ("MIXPANEL_SERVICE_ACCOUNT_USERNAME", "MIXPANEL_SERVICE_ACCOUNT_SECRET")
_WEBHOOK = ("WEBHOOK_USERNAME", "WEBHOOK_PASSWORD")
# Where each family of Mixpanel's API is found below the sandbox's address.
_SANDBOX_PATHS = {
    "MIXPANEL_INGESTION_URL": "",
    "MIXPANEL_QUERY_URL": "/api/query",
    "MIXPANEL_EXPORT_URL": "/api/2.0",
    "MIXPANEL_PIPELINES_URL": "/api/2.0",
    "MIXPANEL_APP_URL": "/api/app",
    "MIXPANEL_LEGACY_URL": "/api/2.0",
}


@dataclass(frozen=True)
class Plan:
    """What to run.

    Args:
        demo: with the sandbox in Mixpanel's place.
        environ: the environment of every process, but for the embedded Redis' URL.
        chosen: the names of those variables whose values this plan chose.
        port: of the web server.
        sandbox_port: of the sandbox, used in a demo only.
        sandbox_interval_s: seconds between the sandbox's syncs.
    """

    demo: bool
    environ: Mapping[str, str]
    chosen: frozenset[str]
    port: int
    sandbox_port: int
    sandbox_interval_s: str

    @property
    def own_redis(self) -> bool:
        """Whether this run brings its Redis along."""
        return "REDIS_URL" not in self.environ

    @property
    def webhook_path(self) -> str:
        """Where Mixpanel's calls go."""
        return "/webhooks/mixpanel/cohorts"

    @property
    def webhook_url(self) -> str:
        """Where the sandbox's calls go."""
        return f"http://127.0.0.1:{self.port}{self.webhook_path}"

    @property
    def sandbox_url(self) -> str:
        """Where the sandbox's API, and its commands, are answered."""
        return f"http://127.0.0.1:{self.sandbox_port}"


def make_plan(environ: Mapping[str, str], credentials: Mapping[str, str], root: Path) -> Plan:
    """Decide between the demo and the real Mixpanel, and complete the environment.

    Args:
        environ: what is set, by the environment or `.env`.
        credentials: what stands in for what is not set (`credentials.load_or_create`).
        root: the project's directory.

    Raises:
        LocalError: a port is none, or the sandbox's interval no number.
    """
    given = {name: value for name, value in environ.items() if value.strip()}
    demo = not any(name in given for name in _REAL) and not (root / _DEFAULT_PROJECTS_FILE).exists()
    port = parse_port(given.get("PORT", DEFAULT_PORT), "PORT")
    sandbox_port = parse_port(given.get("SANDBOX_PORT", DEFAULT_SANDBOX_PORT), "SANDBOX_PORT")
    if demo and port == sandbox_port:
        raise LocalError(f"PORT and SANDBOX_PORT are both {port}: set one of them to another port.")
    stand_ins = {"PORT": str(port), "SECRET_KEY": credentials["SECRET_KEY"]}
    if demo or "MIXPANEL_PROJECT_ID" in given:
        stand_ins.update({name: credentials[name] for name in _WEBHOOK})
    if demo:
        stand_ins.update({name: credentials[name] for name in (*_SINGLE_PROJECT, *_SERVICE_ACCOUNT)})
        stand_ins["MIXPANEL_REGION"] = "us"
        # Whatever is set: a demo never talks to the real Mixpanel.
        address = f"http://127.0.0.1:{sandbox_port}"
        stand_ins.update({variable: address + path for variable, path in _SANDBOX_PATHS.items()})
        given = {name: value for name, value in given.items() if name not in _SANDBOX_PATHS}
    return Plan(
        demo=demo,
        environ={**stand_ins, **given, "LOG_FORMAT": "json", "PYTHONUNBUFFERED": "1"},
        chosen=frozenset(stand_ins) - frozenset(given),
        port=port,
        sandbox_port=sandbox_port,
        sandbox_interval_s=_parse_interval(given.get("SANDBOX_INTERVAL_S", DEFAULT_SANDBOX_INTERVAL_S)),
    )


def _parse_interval(value: str) -> str:
    """Check the seconds between the sandbox's syncs; they go on as they were written."""
    if re.fullmatch(r"\d+(\.\d+)?", value) and float(value) > 0:
        return value
    raise LocalError(f"SANDBOX_INTERVAL_S is {value!r}, but must be a number of seconds above 0.")


def read_environ(environ: Mapping[str, str], dotenv: Path) -> dict[str, str]:
    """Return the environment, completed by `.env`; what is really set wins."""
    written = dotenv_values(dotenv) if dotenv.exists() else {}
    return {**{name: value for name, value in written.items() if value}, **environ}


def parse_procfile(text: str) -> Iterator[tuple[str, str]]:
    """Yield the name and the command of each process."""
    for line in text.splitlines():
        if found := re.match(r"([A-Za-z0-9_-]+):\s*(\S.*)$", line):
            yield found[1], found[2]
