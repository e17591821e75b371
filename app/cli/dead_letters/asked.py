"""What the commands that change something have in common: which letters are meant, and may it be done."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import click

from app.cli.dead_letters.options import NAMES, filter_options
from app.cli.opening import json_option, project_option
from app.destinations.dead_letters.filter import is_letter_id

F = TypeVar("F", bound=Callable[..., Any])
NAMED_AT_MOST: Final = 10
LEFT: Final = 3
"""Exit status: something that was asked for is left undone. 0 is all of it, 1 nothing."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a command is asked to do, and how it may speak.

    Attributes:
        letter_ids: the letters; empty where a filter says which.
        project_id: the only project that is meant; None for all.
        filters: what they must have, by the options' names.
        dry_run: only count.
        yes: do not ask.
        as_json: answer with one object.
    """

    letter_ids: tuple[str, ...]
    project_id: str | None
    filters: dict[str, Any]
    dry_run: bool
    yes: bool
    as_json: bool

    @classmethod
    def of(cls, letter_ids: tuple[str, ...], options: dict[str, Any]) -> "Asked":
        """Read the options.

        Raises:
            click.UsageError: they do not say which letters are meant, or not clearly.
        """
        filters = {name: options[name] for name in NAMES if options[name] is not None}
        if letter_ids and (filters or options["everything"] or options["dry_run"]):
            raise click.UsageError("Give IDs, or a filter (which --dry-run goes with), not both.")
        if not (letter_ids or filters or options["everything"]):
            raise click.UsageError("Say which dead letters: IDs, a filter, or --all.")
        asked = cls(
            tuple(dict.fromkeys(letter_ids)),
            options["project_id"],
            filters,
            options["dry_run"],
            options["yes"],
            options["as_json"],
        )
        if asked.as_json and not (asked.yes or asked.dry_run or letter_ids):
            raise click.UsageError("With --json nothing can be asked: give --yes, or --dry-run.")
        return asked

    def about(self) -> dict[str, str | None]:
        """Return what it is about, for the audit log, without what was typed for an id in error."""
        ids = [each for each in self.letter_ids if is_letter_id(each)][:NAMED_AT_MOST]
        return {
            "project_id": self.project_id,
            "letter_id": " ".join(ids) or None,
            "destination": self.filters.get("destination"),
            "code": self.filters.get("code"),
        }

    def confirm(self, question: str) -> None:
        """Ask, unless that was answered before; a no ends the command with status 1."""
        if not (self.yes or self.as_json):
            click.confirm(question, abort=True, err=True)


def asking_options(command: F) -> F:
    """Add the options that `Asked` reads."""
    for option in (
        json_option,
        click.option("--yes", is_flag=True, help="Do not ask."),
        click.option("--dry-run", is_flag=True, help="Only count."),
        click.option("--all", "everything", is_flag=True, help="All of them: no filter is needed."),
        filter_options,
        project_option,
        click.argument("letter_ids", metavar="[ID]...", nargs=-1),
    ):
        command = option(command)
    return command
