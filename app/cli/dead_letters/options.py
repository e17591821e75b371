"""The options by which commands are told which dead letters are meant."""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import click

from app.destinations.dead_letters import CODES
from app.destinations.dead_letters.filter import AGE_WANTED, Filter, read_age
from app.destinations.dead_letters.records import OUTBOX_OF
from app.services import Services

F = TypeVar("F", bound=Callable[..., Any])
NAMES: Final = ("destination", "code", "reason", "older_than", "newer_than")


class Age(click.ParamType[str]):
    """An age, or a time; stays the text that it is."""

    name = "AGE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Check it."""
        try:
            read_age(value, 0)
        except ValueError as wrong:
            self.fail(str(wrong), param, ctx)
        return str(value)


def age_options(command: F) -> F:
    """Add the options about ages."""
    for name, told in (("newer", "Given up since"), ("older", "Given up before")):
        help_ = f"{told}: {AGE_WANTED} (UTC)."
        command = click.option(f"--{name}-than", type=Age(), help=help_)(command)
    return command


def filter_options(command: F) -> F:
    """Add the options that make a filter; the command gets them as `**asked`."""
    command = age_options(command)
    command = click.option("--reason", help="A text within the reason, in upper or lower case.")(command)
    command = click.option("--code", type=click.Choice(CODES), help="Why they were given up.")(command)
    return click.option("--destination", type=click.Choice(list(OUTBOX_OF)), help="Whose they were.")(command)


def filter_of(asked: Mapping[str, Any], now_ms: int) -> Filter:
    """Make the filter of what was asked for."""
    older, newer = asked.get("older_than"), asked.get("newer_than")
    return Filter(
        destination=asked.get("destination") or "",
        code=asked.get("code"),
        reason=asked.get("reason") or "",
        before_ms=read_age(older, now_ms) if older else None,
        since_ms=read_age(newer, now_ms) if newer else None,
    )


def now_ms(services: Services) -> int:
    """Return the time by Redis's clock, which the letters' times are by."""
    return int(services.redis.time()[0]) * 1000
