"""`flask doctor`: what is wrong, and what to do about it."""

import os
import sys
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Final

import click

from app.cli.formatting import NARROWEST, clean, plural, terminal_width
from app.cli.opening import json_option, print_json
from app.services import build_services
from app.status.checks import Check, Verdict
from app.status.diagnosis import diagnose
from config.settings import SettingsError, load_settings

COLOURS: Final[dict[Verdict, str]] = {"ok": "green", "warn": "yellow", "fail": "red"}
NAME_WIDTH: Final = 17


@click.command("doctor")
@click.option("--offline", is_flag=True, help="Do not try whether Mixpanel can be reached.")
@json_option
def doctor(offline: bool, as_json: bool) -> None:
    """Check everything; say what is wrong and what to do. Status 1 on failures."""
    checks = _checks(offline=offline)
    found = list(checks) if as_json else list(_shown(checks))
    healthy = all(check.ok for check in found)
    if as_json:
        print_json({"ok": healthy, "checks": [asdict(check) for check in found]})
    else:
        click.echo(f"\n{summary(found)}")
    sys.exit(0 if healthy else 1)


def _checks(*, offline: bool) -> Iterator[Check]:
    try:
        settings = load_settings(os.environ, Path())
    except SettingsError as error:
        for problem in error.problems:
            yield Check(
                "settings", "fail", problem, "correct it; docs/configuration.md describes each setting"
            )
        return
    yield from diagnose(build_services(settings, looks_only=True), offline=offline)


def _shown(checks: Iterable[Check]) -> Iterator[Check]:
    """Print each check as soon as it is known, under a heading a project."""
    project_id = ""
    for check in checks:
        if check.project_id != project_id:
            project_id = check.project_id
            click.echo(f"\nProject {project_id}")
        click.echo(line(check, colour=not os.environ.get("NO_COLOR")))
        yield check


def line(check: Check, *, colour: bool = False) -> str:
    """Return a check as it is printed, with its advice on a line of its own."""
    verdict = f"{check.verdict:<4}"
    shown = click.style(verdict, fg=COLOURS[check.verdict]) if colour else verdict
    found = _broken(clean(check.found, 300), NAME_WIDTH + 10)
    text = f"  {shown}  {check.name:<{NAME_WIDTH}}  {found}"
    if not check.advice:
        return text
    return f"{text}\n{'':{NAME_WIDTH + 10}}-> {_broken(check.advice, NAME_WIDTH + 13)}"


def _broken(text: str, indent: int) -> str:
    """Break a text where the terminal ends, every line but the first indented."""
    width = terminal_width()
    if width is None:
        return text
    return f"\n{'':{indent}}".join(textwrap.wrap(text, max(width - indent, NARROWEST))) or text


def summary(checks: Iterable[Check]) -> str:
    """Return how many checks found something, in one sentence."""
    verdicts = [check.verdict for check in checks]
    bad, odd = verdicts.count("fail"), verdicts.count("warn")
    if not bad and not odd:
        return f"All {len(verdicts)} checks are fine."
    return f"{plural(len(verdicts), 'check')}: {bad} failed, {odd} to know about."
