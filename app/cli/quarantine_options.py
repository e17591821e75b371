"""The options by which commands are told what of the quarantine is meant."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from app.cli.dead_letters.options import age_options, now_ms
from app.cohorts.quarantine import Which
from app.destinations.dead_letters.filter import read_age
from app.services import Services

F = TypeVar("F", bound=Callable[..., Any])

kind_option = click.option(
    "--kind",
    type=click.Choice(("members", "pages")),
    help="Only members without a usable id, or only pages that make the code fail.",
)


def which_options(command: F) -> F:
    """Add the options that say which are meant; the command gets them as `**asked`."""
    command = age_options(command)
    command = click.option("--reason", help="With exactly this reason.")(command)
    command = click.option("--cohort", "cohort_id", metavar="ID", help="Only of this cohort.")(command)
    return kind_option(command)


def means(asked: dict[str, Any], kind: str) -> bool:
    """Say whether this kind is meant."""
    return asked["kind"] in (None, kind)


def which_of(services: Services, asked: dict[str, Any]) -> Which:
    """Make the filter of what was asked for."""
    at_ms = now_ms(services)
    older, newer = asked["older_than"], asked["newer_than"]
    return Which(
        cohort_id=asked["cohort_id"] or "",
        reason=asked["reason"] or "",
        before_ms=read_age(older, at_ms) if older else None,
        since_ms=read_age(newer, at_ms) if newer else None,
    )
