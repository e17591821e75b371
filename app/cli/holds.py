"""`flask holds ...`: full lists whose removals wait for a person (docs/resync.md)."""

import click
from flask.cli import AppGroup

from app.cli.auditing import audited
from app.cli.finding import one_cohort
from app.cli.formatting import ago, clean, number, table
from app.cli.opening import chosen_projects, end, json_option, opened, print_json, project_option
from app.cohorts.epochs.shrinking import Shrink
from app.cohorts.holds import Word
from app.status.cohorts import Found, list_cohorts

holds_cli = AppGroup("holds", help="Full lists that would remove many, and are held (HOLD_SHRINKING).")
_LONGEST_NAME = 40


@holds_cli.command("list", with_appcontext=False)
@project_option
@json_option
def list_(project_id: str | None, as_json: bool) -> None:
    """List the full lists that are held, and those that were refused."""
    with opened(as_json=as_json) as services:
        every = list_cohorts(services, chosen_projects(services.settings, project_id))
        now_ms = int(services.redis.time()[0]) * 1000
    found = [(each, each.cohort.held) for each in every if each.cohort.held]
    if as_json:
        told = [
            {"project_id": each.project_id, "cohort_id": each.cohort.id, "held": held} for each, held in found
        ]
        print_json({"ok": True, "holds": told})
    elif found:
        headers = ("project", "cohort", "name", "would remove", "of", "since", "")
        rows = [_row(each, held, now_ms) for each, held in found]
        click.echo(table(headers, rows, numbers=("would remove", "of")))
    else:
        click.echo("Nothing is held.")


@holds_cli.command("confirm", with_appcontext=False)
@click.argument("cohort")
@project_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def confirm(cohort: str, project_id: str | None, yes: bool, as_json: bool) -> None:
    """Remove those whom a held list did not name, and nothing has named since. COHORT: its id or its name."""
    _say(cohort, project_id, "confirm", yes=yes, as_json=as_json)


@holds_cli.command("refuse", with_appcontext=False)
@click.argument("cohort")
@project_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def refuse(cohort: str, project_id: str | None, yes: bool, as_json: bool) -> None:
    """Keep those whom a held list did not name, until another full list comes. COHORT: its id or its name."""
    _say(cohort, project_id, "refuse", yes=yes, as_json=as_json)


def _say(wanted: str, project_id: str | None, word: Word, *, yes: bool, as_json: bool) -> None:
    if as_json and not yes:
        raise click.UsageError("With --json nothing can be asked: give --yes.")
    with opened(as_json=as_json) as services:
        found = one_cohort(services, wanted, project_id, as_json=as_json)
        held = found.cohort.held
        if held is None:
            end([f"No full list of cohort {found.cohort.id} is held; see flask holds list."], as_json=as_json)
        if not yes:
            click.confirm(_question(found, held, word), abort=True, err=True)
        about = {"project_id": found.project_id, "cohort_id": found.cohort.id, "hold": str(held.attempt)}
        with audited(services, f"holds {word}", **about):
            if not services.copies.holds.say(found.project_id, found.cohort.id, held.attempt, word):
                end(["Another full list took its place; look again."], as_json=as_json)
    if as_json:
        print_json({"ok": True, "cohort_id": found.cohort.id, "held": held, "said": word})
    else:
        click.echo(f"Passed on: {word} the list of cohort {found.cohort.id}.")


def _question(found: Found, held: Shrink, word: Word) -> str:
    many = f"about {number(held.goes)} of {number(held.of)} members of cohort {found.cohort.id}"
    if word == "confirm":
        return f"Remove {many}, from the copy and from what follows from it in Mixpanel?"
    return f"Keep {many} although Mixpanel did not list them?"


def _row(found: Found, held: Shrink, now_ms: int) -> tuple[str, ...]:
    return (
        found.project_id,
        found.cohort.id,
        clean(found.cohort.name, _LONGEST_NAME),
        number(held.goes),
        number(held.of),
        ago(held.at_ms, now_ms),
        "refused" if held.refused else "",
    )
