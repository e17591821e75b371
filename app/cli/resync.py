"""`flask cohorts resync`: log members again, or compare them with what Mixpanel says (docs/resync.md)."""

from typing import Final, cast

import click

from app.cli.auditing import audited
from app.cli.finding import not_one
from app.cli.formatting import clean, duration, plural
from app.cli.opening import chosen_projects, end, json_option, opened, print_json, project_option
from app.cli.resync_text import LEFT, summary, told, wait_for
from app.cohorts.resync import Mode
from app.resync.estimate import beforehand_s
from app.resync.resyncs import NoQueryAccess, NotExported, UnderWay
from app.resync.state import ResyncState, Wanted
from app.services import Services
from app.status.cohorts import Found, find_cohorts, list_cohorts

ASKED_BY: Final = "command line"


@click.command("resync")
@click.argument("cohort", required=False)
@click.option("--all", "everything", is_flag=True, help="All cohorts, one after the other.")
@click.option("--mode", required=True, type=click.Choice(("replay", "reconcile")))
@click.option("--dry-run", is_flag=True, help="Count, show some, and do nothing.")
@click.option(
    "--output-property",
    "properties",
    multiple=True,
    metavar="NAME",
    help="With reconcile: a member property that rules use, to be read. May be given several times.",
)
@click.option("--no-wait", is_flag=True, help="Ask for it, and leave it to the workers.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@project_option
@json_option
def resync(
    cohort: str | None,
    *,
    everything: bool,
    mode: str,
    dry_run: bool,
    properties: tuple[str, ...],
    no_wait: bool,
    yes: bool,
    project_id: str | None,
    as_json: bool,
) -> None:
    """Send members again (replay), or make them what Mixpanel says (reconcile).

    COHORT is its id or its name. The status is 0 when all is done (with --no-wait: asked for), 1 when nothing
    is, 3 when some of it failed or was cancelled.
    """
    if bool(cohort) is everything:
        raise click.UsageError("Give a COHORT, or --all.")
    if properties and mode != "reconcile":
        raise click.UsageError("--output-property goes with --mode reconcile.")
    if as_json and not (yes or dry_run):
        raise click.UsageError("With --json nothing can be asked: give --yes, or --dry-run.")
    wanted = Wanted(cast("Mode", mode), dry_run, properties, ASKED_BY)
    with opened(as_json=as_json) as services:
        found = _found(services, cohort, project_id, as_json=as_json)
        if not (yes or dry_run):
            click.confirm(_question(services, found, wanted), abort=True, err=True)
        ended = [_one(services, each, wanted, wait=not no_wait, hidden=as_json) for each in found]
    problems = [each for each in ended if isinstance(each, str)]
    states = [each for each in ended if isinstance(each, ResyncState)]
    if not states:
        end(problems or ["No cohorts yet; they appear with their first page."], as_json=as_json)
    if as_json:
        print_json({"ok": not problems, "problems": problems, "resyncs": [told(each) for each in states]})
    else:
        click.echo("\n".join(map(summary, states)))
        click.echo("".join(f"{problem}\n" for problem in problems), err=True, nl=False)
    if problems or any(each.state in {"failed", "cancelled"} for each in states):
        raise SystemExit(LEFT)


def _found(services: Services, cohort: str | None, project_id: str | None, *, as_json: bool) -> list[Found]:
    projects = chosen_projects(services.settings, project_id)
    if cohort is None:
        return list_cohorts(services, projects)
    found = find_cohorts(services, projects, cohort)
    if len(found) != 1:
        end([not_one(cohort, found)], as_json=as_json)
    return found


def _question(services: Services, found: list[Found], wanted: Wanted) -> str:
    """Say what it means, and how long it takes at least."""
    members = sum(each.cohort.members for each in found)
    what = f"{wanted.mode.capitalize()} {plural(len(found), 'cohort')} of {plural(members, 'member')}"
    if wanted.mode == "replay":
        return f"{what}: their profiles are updated again. Go on?"
    sizes: dict[str, list[int]] = {}
    for each in found:
        sizes.setdefault(each.project_id, []).append(each.cohort.members)
    least_s = max((beforehand_s(services.query, *each) for each in sizes.items()), default=0.0)
    long = f"{duration(least_s)} at least" if least_s >= 1 else "some seconds"
    return f"{what}: reading them takes {long}, within the query budget. Go on?"


def _one(services: Services, found: Found, wanted: Wanted, *, wait: bool, hidden: bool) -> ResyncState | str:
    """Resync one cohort; return what it came to, or why it cannot be asked for."""
    about = {"project_id": found.project_id, "cohort_id": found.cohort.id}
    try:
        with audited(services, f"cohorts resync --mode {wanted.mode}", **about) as note:
            project = services.settings.projects[found.project_id]
            asked = services.resyncs.ask(project, found.cohort.id, wanted)
            note.resources["resync_id"] = asked.id
    except UnderWay as error:
        return (
            f"Cohort {found.cohort.id}: the resync {error.resync_id} is under way; see `flask resyncs show`."
        )
    except NoQueryAccess:
        return f"Project {found.project_id} has no service account, so Mixpanel cannot be asked."
    except NotExported as error:
        names = ", ".join(clean(name) for name in error.names)
        return f"Cohort {found.cohort.id}: no rule uses {names}."
    return wait_for(services, asked, hidden=hidden) if wait else asked
