"""What every command that looks into the relay begins with, and how it says that it cannot."""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import click
import orjson
from redis import RedisError

from app.services import Services, build_services
from app.store.faults import redis_sentence
from config.logging import configure_structlog
from config.settings import Settings, SettingsError, load_settings

project_option = click.option(
    "--project", "project_id", metavar="ID", help="Only this project; its id as configured."
)
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object, for programs.")


@contextmanager
def opened(*, as_json: bool) -> Iterator[Services]:
    """Give the services of this environment's settings.

    Wrong settings, or a Redis that does not answer, end the command with status 1: in words on standard
    error, or as `{"ok": false, "problems": [...]}`.
    """
    settings = settings_or_end(as_json=as_json)
    configure_structlog()  # standard output is the command's; warnings go to standard error
    try:
        yield build_services(settings, looks_only=True)
    except RedisError as error:
        end([redis_sentence(error, settings.redis_url, "REDIS_URL")], as_json=as_json)


def settings_or_end(*, as_json: bool) -> Settings:
    """Read the settings, or list everything that is wrong with them and end."""
    try:
        return load_settings(os.environ, Path())
    except SettingsError as error:
        end(error.problems, as_json=as_json, title="The settings cannot be used (docs/configuration.md):")


def end(problems: Sequence[str], *, as_json: bool, title: str = "") -> NoReturn:
    """Say why the command cannot do its work, and end with status 1."""
    if as_json:
        print_json({"ok": False, "problems": list(problems)})
    else:
        lines = [f"  - {problem}" for problem in problems] if title else problems
        click.echo("\n".join([title, *lines] if title else lines), err=True)
    sys.exit(1)


def chosen_projects(settings: Settings, project_id: str | None) -> list[str]:
    """Return the ids of the projects that a command is about.

    Raises:
        click.BadParameter: there is no such project.
    """
    if project_id is None:
        return list(settings.projects)
    if project_id not in settings.projects:
        known = ", ".join(settings.projects)
        raise click.BadParameter(f"{project_id} is not configured; there is {known}", param_hint="--project")
    return [project_id]


def print_json(value: Mapping[str, Any]) -> None:
    """Print one JSON object; dataclasses become objects."""
    click.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())
