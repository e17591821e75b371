"""What every call can be told beside an endpoint's own parameters, and the project it is for."""

from dataclasses import dataclass
from typing import Any, Final

import click

from app.cli.formatting import duration
from app.cli.opening import chosen_projects, end
from app.mixpanel.calling.options import AT_ONCE, Estimate, Options, Retries, Wait
from app.services import Services
from config.projects import REGIONS, Project

CREDENTIALS: Final = ("service_account", "project_token", "project_secret", "oauth", "signature")
_WHY: Final = {"budget": "The project's budget is used up", "retry": "Mixpanel did not answer as it should"}


@dataclass(frozen=True, slots=True)
class Choices:
    """How a command makes its calls and shows what comes.

    Attributes:
        project_id: As configured; None: the only one.
        wait: Wait for a slot of the budget.
        fresh: Take no kept answer.
        output: `table`, `json` or `csv`.
        yes: Do not ask.
        options: How to make the calls.
    """

    project_id: str | None
    wait: bool
    fresh: bool
    output: str
    yes: bool
    options: Options

    @property
    def as_json(self) -> bool:
        """Whether errors are JSON, too."""
        return self.output == "json"

    def patience(self) -> Wait:
        """Give how long to wait; each wait is announced on standard error."""
        return Wait(tell=announce) if self.wait else AT_ONCE


def announce(estimate: Estimate) -> None:
    """Say how long a call waits."""
    why = _WHY[estimate.why]
    hint = " (--no-wait: fail at once)" if estimate.why == "budget" else ""
    click.echo(f"{why}: waits {duration(estimate.wait_s)}, until {estimate.at:%H:%M:%S} UTC{hint}.", err=True)


def choice_options(*, deletes: bool = False, keeps: bool = False) -> list[click.Option]:
    """Make the options of `Choices`.

    Args:
        deletes: The command asks before it does it.
        keeps: Answers are kept, so that a fresh one can be wanted.
    """
    found = [
        click.Option(
            ["--project", "project_id"],
            metavar="ID",
            help="The project, as configured; may be left out where there is one.",
        ),
        click.Option(
            ["--wait/--no-wait"],
            default=True,
            help="Wait for a slot of the budget (shown with an estimate), or fail at once with the time of"
            " the next one.  [default: wait]",
        ),
    ]
    if keeps:
        found.append(click.Option(["--fresh"], is_flag=True, help="Ask Mixpanel, whatever is kept."))
    if deletes:
        found.append(click.Option(["--yes"], is_flag=True, help="Do not ask."))
    found += [
        click.Option(["--json", "as_json"], is_flag=True, help="The answer as JSON, for programs."),
        click.Option(["--csv", "as_csv"], is_flag=True, help="The table as CSV."),
        click.Option(["--timeout"], type=click.FloatRange(0.1), metavar="SECONDS", help="For the request."),
        click.Option(
            ["--retries"], type=click.IntRange(0, 20), default=3, show_default=True, help="Further tries."
        ),
        click.Option(
            ["--credential"], type=click.Choice(CREDENTIALS), help="The kind to use; the best unless given."
        ),
        click.Option(["--region"], type=click.Choice(REGIONS), help="In place of the project's."),
        click.Option(["--host"], metavar="URL", help="Base URL in place of the family's."),
    ]
    return found


def choices_of(given: dict[str, Any], *, headers: dict[str, str] | None = None) -> Choices:
    """Take what click read of `choice_options` out of all that it read.

    Raises:
        click.UsageError: Two kinds of output are wanted.
    """
    as_json, as_csv = given.pop("as_json"), given.pop("as_csv")
    if as_json and as_csv:
        raise click.UsageError("Give --json or --csv.")
    retries = Retries(
        count=given.pop("retries"),
        delay_s=given.pop("retry_delay", 2.0),
        exponential=given.pop("exponential", True),
        on_all_errors=given.pop("retry_all", False),
    )
    options = Options(
        region=given.pop("region"),
        host=given.pop("host"),
        credential=given.pop("credential"),
        timeout_s=given.pop("timeout"),
        headers=headers or {},
        retries=retries,
    )
    return Choices(
        project_id=given.pop("project_id"),
        wait=given.pop("wait"),
        fresh=given.pop("fresh", False),
        output="json" if as_json else "csv" if as_csv else "table",
        yes=given.pop("yes", False),
        options=options,
    )


def chosen_project(services: Services, choices: Choices) -> Project:
    """Return the project that a call is for, or end the command."""
    projects = services.settings.projects
    if choices.project_id is not None:
        (found,) = chosen_projects(services.settings, choices.project_id)
        return projects[found]
    if len(projects) != 1:
        known = ", ".join(projects)
        problem = (
            f"Say which project: --project, one of {known}." if projects else "No project is configured."
        )
        end([problem], as_json=choices.as_json)
    return next(iter(projects.values()))


def confirm(question: str, choices: Choices) -> None:
    """Ask before something is deleted.

    Raises:
        click.UsageError: Nobody can be asked.
        click.Abort: No.
    """
    if choices.yes:
        return
    if choices.as_json:
        raise click.UsageError("With --json nothing can be asked: give --yes.")
    click.confirm(question, abort=True, err=True)
